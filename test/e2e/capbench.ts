import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';

import { readMeasurements } from '../../src/measurement/read-measurements.ts';
import type { Report } from '../../src/report/report.ts';
import type { FluxFigures, Recorded } from '../fixtures/recorded-run.ts';
import { processesIn } from '../stack/leftovers.ts';
import { temporaryFolder } from '../temporary-folder.ts';

export const root = join(import.meta.dirname, '..', '..');
export const small = join(import.meta.dirname, 'small.yaml');

/** What a bundle holds whatever came of the run. */
export const BUNDLE_FILES = [
  ...['scenario.yaml', 'measurements.json', 'series.csv', 'report.json', 'report.html', 'junit.xml'],
  'summary.md',
];

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built CLI as a process, in a temporary folder of its own that is the run's TMPDIR too. */
export interface Started {
  readonly child: ChildProcess;
  readonly tmp: string;
  /** Where `--out` points. */
  readonly out: string;
  readonly finished: Promise<Finished>;
  /** Awaits its end, with one of these exit codes. */
  readonly ends: (...codes: readonly number[]) => Promise<Finished>;
  /** stdout and stderr so far. */
  readonly output: () => string;
  /** Resolves once the output holds the text. */
  readonly says: (text: string) => Promise<void>;
  /** A file of its bundle. */
  readonly read: (name: string) => string;
  readonly report: () => FluxReport;
  readonly measurements: () => Recorded;
  /** Processes of this run, files in its TMPDIR: both empty when nothing was left. */
  readonly leftovers: () => { readonly processes: readonly unknown[]; readonly files: readonly string[] };
}

/** How it is launched, where not plainly. */
export interface Launch {
  readonly node?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Everything that a run does by default, much of which no test of something else needs: two load workers, PNG charts, `initdb`. */
  readonly asShipped?: boolean;
  /** The folder in which it is started. */
  readonly cwd?: string;
  /** A command that executes what stands behind it: `prlimit --nofile=64`. */
  readonly before?: readonly string[];
  /** Does something to the two folders before the run starts; what it returns undoes that. */
  readonly prepare?: (folders: { readonly tmp: string; readonly out: string }) => () => void;
  /** A file to which stdout goes. */
  readonly stdout?: string;
}

/** report.json of a run of the flux world. */
export type FluxReport = Report & FluxFigures;

export function capbench(
  args: readonly string[],
  {
    node = process.execPath,
    env = {},
    asShipped = false,
    cwd = root,
    before = [],
    prepare,
    stdout: file,
  }: Launch = {},
): Started {
  const folder = temporaryFolder();
  const tmp = join(folder, 'tmp');
  const out = join(folder, 'out');
  const [verb = ''] = args;
  const outFlags = verb === 'run' ? ['--out', out] : [];
  const lessFlags = asShipped || !['run', 'report'].includes(verb) ? [] : ['--no-charts'];
  const postgres = process.env.CAPBENCH_TEST_POSTGRES_BIN;
  const ofSuite = {
    ...(asShipped ? {} : { CAPBENCH_WORKERS: '1' }),
    ...(asShipped || postgres === undefined ? {} : { CAPBENCH_POSTGRES_BIN: postgres }),
  };
  mkdirSync(tmp);
  mkdirSync(out);
  // PostgreSQL, or all of it, may run as another account, which has to get in.
  chmodSync(folder, 0o755);
  for (const each of [tmp, out]) chmodSync(each, 0o1777);
  const undo = prepare?.({ tmp, out });
  const cli = [node, join(root, 'bin', 'capbench.js'), ...args, ...outFlags, ...lessFlags];
  const [command = '', ...rest] = [...before, ...cli];
  const child = spawn(command, rest, {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: tmp, ...ofSuite, ...env },
    stdio: ['pipe', file === undefined ? 'pipe' : openSync(file, 'w'), 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const each of waiting) each();
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk;
    look();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
    look();
  });
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await finished;
    undo?.();
  });
  const read = (name: string): string => readFileSync(join(out, 'latest', name), 'utf8');
  /** The facts of a run do not contradict one another, however it ended, so `capbench report` can read them. */
  const measurements = (): Recorded => {
    const parsed = readMeasurements(JSON.parse(read('measurements.json')));
    if (parsed.state === 'invalid') throw new Error(parsed.problems.join('; '));
    return parsed.measurements as Recorded;
  };
  return {
    child,
    tmp,
    out,
    finished,
    async ends(...codes) {
      const end = await finished;
      expect(codes, stdout + stderr).toContain(end.code);
      return end;
    },
    output: () => stdout + stderr,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!(stdout + stderr).includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
        void finished.then(({ code }) =>
          reject(new Error(`ended with ${code} and never printed "${text}": ${stdout}${stderr}`)),
        );
      }),
    read,
    report: () => {
      measurements();
      return JSON.parse(read('report.json')) as FluxReport;
    },
    measurements,
    leftovers: () => ({ processes: processesIn(tmp), files: readdirSync(tmp) }),
  };
}

/** A stack that `capbench serve` holds. */
export interface Served {
  readonly worlds: readonly string[];
  readonly database: { host: string; port: number; user: string; password: string; database: string };
  /** `--target` for each of its world servers. */
  readonly targets: readonly string[];
  /** By Ctrl-C: it ends with 0, and leaves nothing. */
  stop(): Promise<void>;
}

export async function serve(): Promise<Served> {
  // With the passwords of a real one.
  const served = capbench(['serve', small, '--json'], { asShipped: true });
  await served.says('}\n');
  const line = served
    .output()
    .split('\n')
    .find((text) => text.startsWith('{'));
  const stack = JSON.parse(line ?? '') as Pick<Served, 'worlds' | 'database'>;
  return {
    ...stack,
    targets: stack.worlds.flatMap((url) => ['--target', url]),
    async stop() {
      served.child.kill('SIGINT');
      expect((await served.finished).code).toBe(0);
      expect(served.leftovers()).toEqual({ processes: [], files: [] });
    },
  };
}

/** Operations that were answered, in the whole run. */
export const answeredIn = ({ load }: Report): number =>
  Object.values(load.wholeRun).reduce((sum, { ok, rejected }) => sum + ok + rejected, 0);

/** Every file below a folder, however deep. */
export const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());

/** The small scenario with something more at its end; its path, in a folder of its own unless one is given. */
export function smallWith(more: string, folder = temporaryFolder()): string {
  const path = join(folder, 'scenario.yaml');
  writeFileSync(path, `${readFileSync(small, 'utf8')}\n${more}\n`);
  return path;
}

/** Resolves as soon as the probe gives something other than null or undefined; fails after `seconds`. */
export async function eventually<T>(
  what: string,
  probe: () => T | null | undefined | Promise<T | null | undefined>,
  seconds = 30,
): Promise<T> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const found = await probe();
    if (found !== null && found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

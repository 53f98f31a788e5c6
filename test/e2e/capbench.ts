import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readMeasurements } from '../../src/measurement/read-measurements.ts';
import type { Report } from '../../src/report/report.ts';
import type { FluxFigures, Recorded } from '../fixtures/recorded-run.ts';
import { processesIn } from '../stack/leftovers.ts';

export const root = join(import.meta.dirname, '..', '..');
export const small = join(import.meta.dirname, 'small.yaml');

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
  /** stdout and stderr so far. */
  readonly output: () => string;
  /** Resolves once the output holds the text. */
  readonly says: (text: string) => Promise<void>;
  readonly report: () => FluxReport;
  readonly measurements: () => Recorded;
  /** Processes of this run, files in its TMPDIR: both empty when nothing was left. */
  readonly leftovers: () => { readonly processes: readonly unknown[]; readonly files: readonly string[] };
}

const RUN_VERBS = new Set(['run']);

/** How it is launched, where not plainly. */
export interface Launch {
  readonly node?: string;
  readonly env?: Readonly<Record<string, string>>;
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
  { node = process.execPath, env = {}, before = [], prepare = () => () => {}, stdout: file }: Launch = {},
): Started {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-'));
  const tmp = join(folder, 'tmp');
  const out = join(folder, 'out');
  const outFlags = RUN_VERBS.has(args[0] ?? '') ? ['--out', out] : [];
  mkdirSync(tmp);
  mkdirSync(out);
  // PostgreSQL, or all of it, may run as another account, which has to get in.
  chmodSync(folder, 0o755);
  for (const each of [tmp, out]) chmodSync(each, 0o1777);
  const undo = prepare({ tmp, out });
  const [command = '', ...rest] = [...before, node, join(root, 'bin', 'capbench.js'), ...args, ...outFlags];
  const child = spawn(command, rest, {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: tmp, ...env },
    stdio: ['pipe', file === undefined ? 'pipe' : openSync(file, 'w'), 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk;
    for (const look of waiting) look();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
    for (const look of waiting) look();
  });
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await finished;
    undo();
    rmSync(folder, { recursive: true, force: true });
  });
  const read = (name: string): unknown => JSON.parse(readFileSync(join(out, 'latest', name), 'utf8'));
  /** What a run of ours wrote denies nothing, however it ended: `capbench report` reads it again. */
  const measurements = (): Recorded => {
    const parsed = readMeasurements(read('measurements.json'));
    if (parsed.state === 'invalid') throw new Error(parsed.problems.join('; '));
    return parsed.measurements as Recorded;
  };
  return {
    child,
    tmp,
    out,
    finished,
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
          reject(new Error(`ended with ${code} and never said "${text}": ${stdout}${stderr}`)),
        );
      }),
    report: () => {
      measurements();
      return read('report.json') as FluxReport;
    },
    measurements,
    leftovers: () => ({ processes: processesIn(tmp), files: readdirSync(tmp) }),
  };
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

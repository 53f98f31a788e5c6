/**
 * `npm run attribution`: who was slow, on this machine. The same world is run quietly, on a host made busy, slow
 * on purpose, driven by a generator that is held back, and with more load than it can take; each time the verdict
 * must be the right one and name the right culprit. Nothing else may run meanwhile. QUIET changes how many quiet
 * runs there are, ONLY=busy,slow picks cases.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../../src/errors.ts';
import type { Report } from '../../src/report/report.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const root = fileURLToPath(new URL('..', import.meta.url));
const quietRuns = Number(process.env.QUIET ?? 10);
const only = process.env.ONLY?.split(',') ?? null;

interface Case {
  readonly name: string;
  readonly flags: readonly string[];
  /** Starts a disturbance beside the run, and returns a function that ends it. */
  readonly beside?: (run: ChildProcess) => () => void;
  readonly code: readonly number[];
  /** Texts that the verdict and the bottleneck must contain. */
  readonly says: RegExp | null;
  readonly blames: readonly string[] | null;
}

/** Two processes in a busy loop. */
function spin(): () => void {
  const spinners = [1, 2].map(() => spawn(process.execPath, ['-e', 'for(;;);'], { stdio: 'ignore' }));
  return () => {
    for (const spinner of spinners) spinner.kill('SIGKILL');
  };
}

const STOPPED_MS = 60;
const RUNNING_MS = 40;

/** The load's processes are stopped for most of the time. */
function throttle(run: ChildProcess): () => void {
  let ended = false;
  const signal = (name: NodeJS.Signals): void => {
    for (const pid of workersOf(run.pid ?? -1)) {
      try {
        process.kill(pid, name);
      } catch {
        // It has ended.
      }
    }
  };
  const loop = async (): Promise<void> => {
    while (!ended) {
      signal('SIGSTOP');
      await sleep(STOPPED_MS);
      signal('SIGCONT');
      await sleep(RUNNING_MS);
    }
  };
  void loop();
  return () => {
    ended = true;
    signal('SIGCONT');
  };
}

function workersOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const [, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const command = readFileSync(`/proc/${name}/cmdline`, 'latin1');
        return Number(ppid) === parent && command.includes('fleet-worker') ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
}

const NOT_INVALID = [EXIT.pass, EXIT.breached];

const CASES: readonly Case[] = [
  ...Array.from({ length: quietRuns }, (_, i): Case => {
    return { name: `quiet ${i + 1}`, flags: [], code: NOT_INVALID, says: null, blames: null };
  }),
  {
    name: 'busy host',
    flags: [],
    beside: spin,
    code: [EXIT.invalid],
    says: /foreign-cpu[^\n]*node/,
    blames: ['host'],
  },
  {
    name: 'slow world',
    flags: ['--set', 'world.batch.operations=100000', '--set', 'world.batch.interval=900ms'],
    code: [EXIT.breached],
    says: null,
    blames: ['server'],
  },
  {
    name: 'throttled generator',
    flags: [],
    beside: throttle,
    code: [EXIT.invalid],
    says: /generator-/,
    blames: ['generator'],
  },
  {
    name: 'too much load',
    flags: [
      ...['--set', 'world.rowShape=jsonb', '--set', 'load.monsterCommandsPerSecond=80000'],
      ...['--set', 'load.monsters=40000'],
    ],
    code: [EXIT.breached],
    says: /load not sustained/,
    blames: ['database'],
  },
];

async function run({ flags, beside }: Case, out: string): Promise<{ code: number | null; report: Report }> {
  const child = spawn(
    process.execPath,
    [join(root, 'bin', 'capbench.js'), 'run', 'quickstart', '--quiet', '--out', out, ...flags],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const end = beside?.(child);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  end?.();
  return { code, report: JSON.parse(readFileSync(join(out, 'latest', 'report.json'), 'utf8')) };
}

async function main(): Promise<number> {
  const out = mkdtempSync(join(tmpdir(), 'capbench-attribution-'));
  let wrong = 0;
  for (const one of CASES) {
    if (only !== null && !only.some((name) => one.name.startsWith(name))) continue;
    const { code, report } = await run(one, join(out, one.name.replaceAll(' ', '-')));
    const because = [...report.invalidBecause, ...report.breachedBecause];
    const { resource, evidence } = report.bottleneck;
    const right =
      one.code.includes(code ?? -1) &&
      (one.says === null || one.says.test(because.join('\n'))) &&
      (one.blames === null || one.blames.includes(resource));
    if (!right) wrong += 1;
    say(`${right ? 'ok   ' : 'WRONG'} ${one.name.padEnd(20)} exit ${code}  ${resource}: ${evidence}`);
    for (const reason of because) say(`${' '.repeat(27)}${reason}`);
  }
  if (wrong === 0) rmSync(out, { recursive: true, force: true });
  else say(`${wrong} not as they must be; the bundles are in ${out}`);
  return wrong === 0 ? 0 : 1;
}

process.exitCode = await main();

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../../src/errors.ts';
import { type Ladder, readLadder } from '../../../src/model/ladder.ts';
import { type LoadPoint, readPoint } from '../../../src/model/load-point.ts';
import { allowedCpus } from '../../../src/supervision/proc.ts';
import { stablePort } from '../../../src/supervision/stable-port.ts';
import { capbench, lastWords, root } from '../capbench.ts';
import { type Job, nameOf } from './job.ts';
import type { Measurement } from './measurement.ts';
import { BUSY, busyScenario } from './world.ts';

/** Of the measure phase, of runs and of all steps of a search. */
const SECONDS = 10;
/** A whole search takes two to six minutes. */
const SEARCH_LIMIT = '25m';

/** Where all measurements are, and what each of them needs. */
export interface Bench {
  readonly folder: string;
  /** CPU of processes that are not of the run, percent of the host: a run beside more has no conclusion. */
  readonly foreignPercent: number;
  /** Aborted when the time is over, or by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Why nothing was measured, in words. */
interface Nothing {
  readonly because: string;
}

/** A control group is used only where machines are made by its quota. */
function environmentOf(way: Job['way']): NodeJS.ProcessEnv {
  const { CAPBENCH_CGROUP, ...env } = process.env;
  return way === 'quota' && CAPBENCH_CGROUP !== undefined ? { ...env, CAPBENCH_CGROUP } : env;
}

/** The scenario of a world: a shipped one by its name, the other as a file beside the measurements, with a port that stays. */
async function scenarioOf({ world }: Job, { folder }: Bench): Promise<string> {
  if (world.name !== BUSY) return world.name;
  const file = join(folder, `${BUSY}.yaml`);
  if (!existsSync(file)) writeFileSync(file, busyScenario(await stablePort('127.0.0.1')));
  return file;
}

async function measureRun(job: Job, args: readonly string[], bench: Bench): Promise<Measured | Nothing> {
  const out = join(bench.folder, 'bundles', nameOf(job));
  // Of a run that was interrupted.
  rmSync(out, { recursive: true, force: true });
  const scale = String(job.players / job.world.basePlayers);
  const flags = ['--scale', scale, '--no-charts', '--out', out];
  const { code, output } = await capbench(['run', ...args, ...flags], bench.signal, environmentOf(job.way));
  if (code !== EXIT.pass && code !== EXIT.breached) return { because: `${code}: ${lastWords(output)}` };
  const point = readPoint(JSON.parse(readFileSync(join(out, 'latest', 'report.json'), 'utf8')));
  if ('because' in point) return point;
  // Of a run that something disturbed no cost is known.
  if (job.world.fit.includes(job.players) && !point.sustained)
    return { because: 'the load was not sustained, so that its cost is not known' };
  return { kind: 'run', point };
}

async function measureSearch(job: Job, args: readonly string[], bench: Bench): Promise<Measured | Nothing> {
  const out = join(bench.folder, 'bundles', nameOf(job));
  const found = join(out, 'latest');
  const isBegun = existsSync(join(found, 'search.json'));
  const flags = [
    ...['--from', String(job.players), '--precision', '5%', '--confirm', '1', '--time-limit', SEARCH_LIMIT],
    ...(isBegun ? ['--resume', found] : ['--out', out]),
  ];
  const { code, output } = await capbench(
    ['search', ...args, ...flags],
    bench.signal,
    environmentOf(job.way),
  );
  if (code === EXIT.interrupted) return { because: 'interrupted; the finished steps are kept' };
  const ladder = ladderIn(join(found, 'search.json'));
  if (code !== EXIT.pass || ladder?.result?.found !== true) {
    // The next attempt begins anew.
    rmSync(out, { recursive: true, force: true });
    return {
      because: `${code}: ${ladder?.result?.found === false ? ladder.result.because : lastWords(output)}`,
    };
  }
  const { lastPass, firstFail } = ladder.result;
  const steps = ladder.steps.filter(({ players, outcome }) => players === lastPass && outcome === 'pass');
  const points = steps.flatMap(({ bundle }): LoadPoint[] => {
    const point = readPoint(JSON.parse(readFileSync(join(found, bundle, 'report.json'), 'utf8')));
    return 'because' in point ? [] : [point];
  });
  return { kind: 'search', lastPass, firstFail, points };
}

const ladderIn = (file: string): Ladder | null =>
  existsSync(file) ? readLadder(readFileSync(file, 'utf8'), file) : null;

type Measured =
  | Pick<Extract<Measurement, { kind: 'run' }>, 'kind' | 'point'>
  | Pick<Extract<Measurement, { kind: 'search' }>, 'kind' | 'lastPass' | 'firstFail' | 'points'>;

/** Measures a job on its machine. */
export async function measure(job: Job, bench: Bench): Promise<Measurement | Nothing> {
  const { world, way, machine, kind } = job;
  mkdirSync(bench.folder, { recursive: true });
  // With a neighbour, the machine is one CPU of which it leaves a part.
  const cpus = way === 'quota' ? machine : 1;
  // A neighbour of known duty is one of them.
  const foreign = way === 'duty' ? 100 : bench.foreignPercent;
  const sets = [`limits=${JSON.stringify({ stack: { cpus } })}`, `rules.foreignCpuPercent=${foreign}`];
  const flags = ['-d', `${SECONDS}s`, '--quiet', ...sets.flatMap((one) => ['--set', one]), ...world.flags];
  const args = [await scenarioOf(job, bench), ...flags];
  const neighbour = way === 'duty' && machine < 1 ? startNeighbour(1 - machine) : null;
  try {
    const measured = await (kind === 'run' ? measureRun : measureSearch)(job, args, bench);
    const share = (await neighbour?.stop()) ?? 0;
    if ('because' in measured) return measured;
    return { world: world.name, way, machine, cpus: cpus - share, ...measured };
  } finally {
    await neighbour?.stop().catch(() => {});
  }
}

interface Neighbour {
  /** Ends it; resolves with the share of its CPU that it had. */
  stop(): Promise<number>;
}

/** A process of known duty on the first CPU, to which a stack of one CPU is bound. Above others, where that is allowed. */
function startNeighbour(duty: number): Neighbour {
  const file = join(root, 'test', 'bench', 'model', 'duty.mjs');
  const child: ChildProcess = spawn(
    'taskset',
    ['-c', String(allowedCpus()[0] ?? 0), 'nice', '-n', '-10', process.execPath, file],
    {
      env: { PATH: process.env.PATH, DUTY: String(duty) },
      // It ends with its stdin, whatever becomes of this process. What nice may not do it says, and goes on.
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      const share = Number.parseFloat(said);
      if (Number.isFinite(share)) resolve(share);
      else reject(new Error('the neighbour of known duty ended too early (taskset and nice are needed)'));
    });
  });
  ended.catch(() => {});
  return {
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

import { statfs } from 'node:fs/promises';
import os from 'node:os';
import { CapbenchError, isBug, messageOf } from '../errors.ts';
import { SCORES, type ScoreName, type Scores } from '../model/scores.ts';
import { openLocalStack, temporaryFolders } from '../stack/local.ts';
import { availableMemory, usableMemory } from '../stack/memory-need.ts';
import { postgresComponent } from '../stack/postgres-component.ts';
import { cpuTimes } from '../supervision/proc.ts';
import type { ProcessUser } from '../supervision/process.ts';
import { openRunFolder } from '../supervision/run-folder.ts';
import { pause } from '../supervision/time-limit.ts';
import { unprivilegedUser } from '../supervision/unprivileged-user.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import { batchedUpdates } from './batched-updates.ts';
import { BENCHMARKS, type BenchmarkName } from './benchmark.ts';
import { MEMORY_NEEDED } from './memory-bandwidth.ts';
import { physicalCores } from './physical-cores.ts';
import { repeatOnce } from './repetition.ts';
import { summaryOf } from './spread.ts';

/** How long is measured. */
export interface ScorePlan {
  /** Repetitions of each benchmark, which take turns: what disturbs a few seconds disturbs one repetition of each. */
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** How long this machine is looked at before anything is started, and again after everything has ended. */
  readonly lookMs: number;
}

/** Some 45 s in all. */
export const SCORE_PLAN: ScorePlan = { rounds: 7, warmUpMs: 400, measureMs: 600, lookMs: 1_000 };

const UNITS: Readonly<Record<ScoreName, string>> = {
  javascript: 'ticks per CPU-s',
  webSocket: 'round trips per CPU-s',
  loopback: 'messages per CPU-s',
  fdatasyncP50: 'ms',
  fdatasyncP95: 'ms',
  memoryBandwidth: 'GB per CPU-s',
  batchedUpdates: 'rows/s',
};
/** The scores of each benchmark. */
const FINDS: Readonly<Record<BenchmarkName, readonly ScoreName[]>> = {
  javascript: ['javascript'],
  webSocket: ['webSocket'],
  loopback: ['loopback'],
  memoryBandwidth: ['memoryBandwidth'],
  fdatasync: ['fdatasyncP50', 'fdatasyncP95'],
};
/** As PostgreSQL is configured when nobody configures it. */
const POSTGRES = { version: 16, settings: {} };

export interface ScoreOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly machine: { readonly platform: string } & Pick<Scores, 'arch' | 'node' | 'cpus' | 'memoryBytes'>;
  /** Of capbench. */
  readonly version: string;
  /** For PostgreSQL, which is started and ended here. */
  readonly password: string;
  readonly watchdog: Watchdog;
  readonly plan: ScorePlan;
  /** Its reason is thrown when it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Measures this machine. What it does not allow is unmeasured, with the reason. Rejects with the signal's reason, and with exit code
 * 93 where no process of capbench's own can be started; nothing is left behind then.
 */
export async function measureScores(options: ScoreOptions): Promise<Scores> {
  const { env, machine, version, watchdog, plan, signal } = options;
  const [measuredAt, cores] = [new Date().toISOString(), await physicalCores(machine.platform, env)];
  const before = await busyCores(plan.lookMs, signal);
  const steal = openSteal();
  const values = new Map<ScoreName, number[]>();
  const unmeasured = new Map<ScoreName, string>();
  const folder = await openRunFolder(watchdog, temporaryFolders(), account());
  const inMemory = await isInMemory(folder.path);
  try {
    for (let round = 0; round < plan.rounds; round++)
      for (const benchmark of BENCHMARKS) {
        const finds = FINDS[benchmark];
        if (finds.some((name) => unmeasured.has(name))) continue;
        const answer = lacks(benchmark) ?? (await repeatOnce(benchmark, plan, { folder, watchdog }, signal));
        for (const name of finds) {
          if ('failed' in answer) unmeasured.set(name, answer.failed);
          else values.set(name, [...(values.get(name) ?? []), answer.reading[name] ?? Number.NaN]);
        }
      }
  } finally {
    await folder.remove();
  }
  const updates = await measureUpdates(options);
  if (typeof updates === 'string') unmeasured.set('batchedUpdates', updates);
  else values.set('batchedUpdates', [...updates]);

  const scoreOf = (name: ScoreName): Scores['scores'][ScoreName] => {
    const why = unmeasured.get(name);
    if (why !== undefined) return { unmeasured: why };
    return { ...summaryOf(values.get(name) ?? []), unit: UNITS[name], better: SCORES[name] };
  };
  const stealPercent = steal();
  const after = await busyCores(plan.lookMs, signal);
  const otherCores = before === null || after === null ? null : Math.max(before, after);
  const names = Object.keys(SCORES) as readonly ScoreName[];
  return {
    ...{ schemaVersion: 1, kind: 'score', measuredAt, capbench: version, node: machine.node },
    ...{ cpuModel: os.cpus()[0]?.model ?? 'unknown', cpus: machine.cpus, cores, arch: machine.arch },
    ...{
      memoryBytes: Math.min(machine.memoryBytes, usableMemory()),
      stealPercent,
      otherCores,
      inMemory,
    },
    scores: Object.fromEntries(names.map((name) => [name, scoreOf(name)])) as Scores['scores'],
  };
}

/** File systems whose files are in memory, by their number in statfs(2). */
const IN_MEMORY: readonly number[] = [0x01021994, 0x858458f6];

const isInMemory = async (path: string): Promise<boolean> =>
  os.platform() === 'linux' && IN_MEMORY.includes((await statfs(path)).type);

/** That of PostgreSQL, which must be able to reach the folder; without one PostgreSQL says so itself. */
function account(): ProcessUser | null {
  try {
    return unprivilegedUser();
  } catch (thrown) {
    if (thrown instanceof CapbenchError) return null;
    throw thrown;
  }
}

function lacks(benchmark: BenchmarkName): { readonly failed: string } | null {
  if (benchmark !== 'memoryBandwidth' || availableMemory() >= MEMORY_NEEDED) return null;
  const megabytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MB`;
  return {
    failed: `it needs ${megabytes(MEMORY_NEEDED)}, and ${megabytes(availableMemory())} are available`,
  };
}

/** The repetitions, or why there are none. */
async function measureUpdates({
  env,
  password,
  watchdog,
  plan,
  signal,
}: ScoreOptions): Promise<readonly number[] | string> {
  try {
    const stack = await openLocalStack([postgresComponent(POSTGRES)], {
      ...{ env, watchdog, signal, password, token: '', mayRestart: false },
    });
    try {
      const { database } = stack.endpoints;
      if (database === null) throw new Error('the stack has no database');
      return await batchedUpdates(database, plan.rounds, plan, signal);
    } finally {
      await stack.close();
    }
  } catch (thrown) {
    signal.throwIfAborted();
    if (isBug(thrown)) throw thrown;
    return messageOf(thrown).split('\n', 1)[0] ?? '';
  }
}

/** The cores that are in use while capbench does nothing; null without /proc. */
async function busyCores(milliseconds: number, signal: AbortSignal): Promise<number | null> {
  const [before, start] = [cpuTimes(), performance.now()];
  await pause(milliseconds, signal);
  const after = cpuTimes();
  if (before === null || after === null) return null;
  return (after.busySeconds - before.busySeconds) / ((performance.now() - start) / 1e3);
}

/** From now on, in percent of the time of all CPUs; null without /proc. */
function openSteal(): () => number | null {
  const [before, start] = [cpuTimes(), performance.now()];
  return () => {
    const after = cpuTimes();
    if (before === null || after === null) return null;
    const seconds = (os.cpus().length * (performance.now() - start)) / 1e3;
    return Math.max(0, (100 * (after.stealSeconds - before.stealSeconds)) / seconds);
  };
}

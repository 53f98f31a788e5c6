import { monotonic } from '../../src/clock.ts';
import { createNativeEngine } from '../../src/load/native.ts';
import type { Workload } from '../../src/scenario/workload.ts';
import { bundleFile } from '../../src/supervision/bundle-file.ts';
import { unlessAborted } from '../../src/supervision/time-limit.ts';
import { dealWorlds } from '../../src/systems/flux/deal.ts';
import { micros, toSeconds } from '../../src/units.ts';
import type { BothSecond, BothTally } from '../load/a-workload.ts';
import type { BenchRun } from './bench-run.ts';

/** Gives the worker time to receive its messages before the clock starts. */
const GO_DELAY = 200_000;

/** A run of the native engine with one worker, and what it used in the measure phase, by its own account. */
export interface NativeLoad {
  readonly tally: BothTally;
  /** Answered operations of either kind. */
  readonly answered: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

export async function loadByEngine(
  { watchdog, signal }: BenchRun,
  url: string,
  workload: Workload,
): Promise<NativeLoad> {
  const { measureStart, end } = workload.timeline;
  const system = { workerModule: bundleFile('flux-worker'), deal: dealWorlds };
  const engine = createNativeEngine({ system, workers: 1, watchdog });
  const fleet = await engine.prepare(workload, { worlds: [{ url, pid: null }], database: null }, signal);
  try {
    const seconds: BothSecond[] = [];
    const go = micros(monotonic() + GO_DELAY);
    const tally = await unlessAborted(
      fleet.run(go, (second) => seconds.push(second as BothSecond)),
      signal,
    );
    const measured = seconds.filter(({ at }) => at > measureStart && at <= end);
    if (measured.length !== toSeconds(micros(end - measureStart))) {
      throw new Error(
        `${measured.length} seconds of the engine's were reported: it was too busy to be timed`,
      );
    }
    const sum = (figure: (second: BothSecond) => number): number =>
      measured.reduce((total, second) => total + figure(second), 0);
    return {
      tally: tally as BothTally,
      answered: sum(({ operations }) => operations.intent.ok + operations.monsterCommand.ok),
      cpuSeconds: sum(({ workers }) =>
        workers.reduce((total, worker) => total + (worker?.cpuSeconds ?? Number.NaN), 0),
      ),
      memoryBytes: measured.at(-1)?.workers[0]?.memoryBytes ?? Number.NaN,
    };
  } finally {
    await fleet.close();
  }
}

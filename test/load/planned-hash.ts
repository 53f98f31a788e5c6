import { ErrorCounts } from '../../src/load/error-counts.ts';
import { playersOf } from '../../src/load/fleet/load-worker.ts';
import type { FleetWorld, WorkerSetup } from '../../src/load/fleet/messages.ts';
import { SequenceLedger } from '../../src/load/ledger.ts';
import { PlayerPool } from '../../src/load/player/player-pool.ts';
import { NO_INPUTS } from '../../src/load/player-data.ts';
import { PlayerFigures } from '../../src/load/player-figures.ts';
import { Recorder } from '../../src/load/recorder.ts';
import { ScheduleHash, scheduleHashOf } from '../../src/load/schedule-hash.ts';
import type { WorkerModule } from '../../src/load/source.ts';
import type { Workload } from '../../src/scenario/workload.ts';

/** The hash of a whole schedule as several workers plan it, without carrying it out. */
export async function plannedHash(
  workload: Workload,
  workers: number,
  openSources: WorkerModule['openSources'] = () => [],
  worlds: readonly FleetWorld[] = [],
): Promise<string> {
  const shares = Array.from({ length: workers }, async (_, worker) => {
    const hash = new ScheduleHash();
    const setup: WorkerSetup = {
      ...{ worker, workers, workload, worlds, run: 'x', workerModule: '', engine: 'native' },
      ...{ sources: [], sourceOf: new Uint16Array(0), module: null, inputs: NO_INPUTS },
    };
    const tools = {
      ...{ hash, now: () => 0, reconnect: null, log: () => {}, errors: new ErrorCounts() },
      recorder: new Recorder(workload.operations, workload.timeline),
      ledger: new SequenceLedger(workload.entities),
      ...{ deliveries: null, figures: new PlayerFigures(workload.timeline) },
    };
    const pool = new PlayerPool(workload, playersOf(setup), tools);
    pool.start();
    for (const planned of [pool, ...(await openSources(setup, tools))]) while (!planned.hashRest(1e6));
    return hash.words();
  });
  return scheduleHashOf(await Promise.all(shares));
}

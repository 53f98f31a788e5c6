import { monotonic } from '../clock.ts';
import { interrupted, stackFailed } from '../errors.ts';
import { mergeHistograms, percentileOf } from '../histogram.ts';
import type { Engine, LoadSecond, ReadyFleet, Tally } from '../load/engine.ts';
import type { CalibrationFacts } from '../measurement/measurements.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { peakOf } from '../scenario/stages.ts';
import { OPERATIONS, type Workload, workloadOf } from '../scenario/workload.ts';
import type { NullWorldOptions, OpenNullWorld } from '../stack/null-world.ts';
import { type Micros, micros, seconds, toMillis } from '../units.ts';
import { stuckWorker } from './drive.ts';

export type NullWorldOpener = (
  size: Pick<NullWorldOptions, 'players' | 'monsters' | 'servers'>,
  signal: AbortSignal,
) => Promise<OpenNullWorld>;

/** The generator's cost is that of its operations, hardly that of its idle sockets: so many carry the rate. */
const MOST_PLAYERS = 1000;
/** V8 has compiled what is hot after that. */
const RAMP = seconds(0.5);
const WARM_UP = seconds(1);
const DRAIN = seconds(2);
const GO_DELAY = 200_000;
/** Beyond its schedule and drain. */
const OVERDUE_MS = 20_000;

/**
 * The generator's own ceiling (section G): for a few seconds the scenario's load, `factor` times as fast, on a null
 * world. What it does not keep up with there, it will not measure truthfully anywhere. Null where the scenario leaves it out.
 */
export async function calibrate(
  engine: Engine,
  scenario: Scenario,
  openNullWorld: NullWorldOpener,
  signal: AbortSignal,
): Promise<CalibrationFacts | null> {
  if (scenario.calibration.seconds === 0) return null;
  const workload = calibrationLoad(scenario);
  const { players, monsters } = workload;
  const world = await openNullWorld({ players, monsters, servers: scenario.world.servers }, signal).catch(
    (thrown) => {
      throw signal.aborted ? stopped() : thrown;
    },
  );
  const gone = new AbortController();
  const lost = world.failure.then(({ component, message, hint }): never => {
    gone.abort();
    throw stackFailed(`${component}: ${message}`, hint);
  });
  lost.catch(() => undefined);
  try {
    const preparing = engine.prepare(workload, world.endpoints, AbortSignal.any([signal, gone.signal]));
    const fleet = await preparing.catch((thrown) => (gone.signal.aborted ? lost : Promise.reject(thrown)));
    try {
      return factsOf(scenario, await Promise.race([drive(fleet, workload, signal), lost]));
    } finally {
      await fleet.close();
    }
  } finally {
    await world.close();
  }
}

const stopped = () => interrupted('stopped during the calibration of the generator');

/** The same rates, those of the busiest stage, `factor` times, by fewer players; nobody leaves or is cut off. */
function calibrationLoad(scenario: Scenario): Workload {
  const { seconds: length, factor } = scenario.calibration;
  const { churn: _, ...workload } = workloadOf(scenario);
  const times = factor * peakOf(scenario.load.stages);
  const players = Math.min(workload.players, MOST_PLAYERS);
  const measureStart = micros(RAMP + WARM_UP);
  return {
    ...workload,
    players,
    intentRate: (workload.intentRate * workload.players * times) / players,
    postRate: workload.postRate * times,
    timeline: { rampEnd: RAMP, measureStart, end: micros(measureStart + seconds(length)) },
    drain: DRAIN,
    reconnect: false,
    // The null world speaks flux, and what is asked is what the generator can do, not what a module can.
    playing: undefined,
  };
}

interface Driven {
  readonly tally: Tally;
  /** Of the busiest worker, mean over the measured seconds, 0..1; null where none tells. */
  readonly utilisation: number | null;
}

async function drive(fleet: ReadyFleet, workload: Workload, signal: AbortSignal): Promise<Driven> {
  const { measureStart, end } = workload.timeline;
  const used = new Map<number, number[]>();
  const onSecond = ({ at, workers }: LoadSecond): void => {
    if (at <= measureStart || at > end + 1e6) return;
    for (const [i, worker] of workers.entries()) {
      if ('utilisation' in worker) used.set(i, [...(used.get(i) ?? []), worker.utilisation]);
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => fleet.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(stuckWorker('the calibration')), (end + DRAIN) / 1e3 + OVERDUE_MS);
    });
    const tally = await Promise.race([
      fleet.run(fleet.go ?? ((monotonic() + GO_DELAY) as Micros), onSecond),
      late,
    ]);
    if (signal.aborted) throw stopped();
    const means = [...used.values()].map((all) => all.reduce((sum, one) => sum + one, 0) / all.length);
    return { tally, utilisation: means.length === 0 ? null : Math.max(...means) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function factsOf(scenario: Scenario, { tally, utilisation }: Driven): CalibrationFacts {
  const { load, calibration } = scenario;
  const target = peakOf(load.stages) * (load.intentsPerSecond + load.monsterCommandsPerSecond);
  const all = OPERATIONS.map((op) => tally.operations[op]);
  const scheduled = all.reduce((sum, { measured }) => sum + measured.scheduled, 0);
  const answered = all.reduce((sum, { measured }) => sum + measured.ok + measured.rejected, 0);
  const p99 = (histograms: Parameters<typeof mergeHistograms>[0]): number | null => {
    const value = percentileOf(mergeHistograms(histograms), 99);
    return value === null ? null : toMillis(value);
  };
  return {
    seconds: calibration.seconds,
    ratePerSecond: scheduled / calibration.seconds,
    targetPerSecond: target,
    answeredPercent: scheduled === 0 ? 0 : (100 * answered) / scheduled,
    utilisationPercent: utilisation === null ? null : 100 * utilisation,
    ownLagP99Ms: p99(all.map(({ ownLag }) => ownLag)),
    dueP99Ms: p99(all.map(({ due }) => due)),
  };
}

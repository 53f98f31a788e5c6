import { monotonic } from '../clock.ts';
import { interrupted, stackFailed } from '../errors.ts';
import { mergeHistograms, percentileOf } from '../histogram.ts';
import type { Engine, LoadSecond, ReadyFleet, Tally } from '../load/engine.ts';
import type { CalibrationFacts } from '../measurement/measurements.ts';
import { demandOf } from '../measurement/sent.ts';
import { mapOperations, ofOperation } from '../scenario/operations.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { peakLoadOf } from '../scenario/stages.ts';
import type { SystemScenario } from '../scenario/system-scenario.ts';
import { type Workload, workloadOf } from '../scenario/workload.ts';
import type { NullServers } from '../stack/null-servers.ts';
import { type Micros, micros, seconds, toMillis } from '../units.ts';
import { stuckWorker } from './drive.ts';

/** Null where the system has no such servers. */
export type NullServersOpener =
  | ((workload: Workload, servers: number, signal: AbortSignal) => Promise<NullServers>)
  | null;

/** Operations cost the generator much more than idle sockets, so this many players are enough for any rate. */
const MOST_PLAYERS = 1000;
/** V8 has compiled the hot code after that. */
const RAMP = seconds(0.5);
const WARM_UP = seconds(1);
const DRAIN = seconds(2);
const GO_DELAY = 200_000;
/** Allowed after the end of the drain. */
const OVERDUE_MS = 20_000;

/**
 * The generator's own ceiling (rule generator-calibration): for a few seconds the scenario's load, `factor` times as fast, on null
 * servers. What it does not keep up with there, it will not measure truthfully anywhere. Null where the scenario leaves
 * it out, or the system has no null servers; `because` where the players began nothing there, and nothing has a schedule.
 */
export async function calibrate(
  engine: Engine,
  scenario: Scenario,
  system: SystemScenario,
  openNullServers: NullServersOpener,
  signal: AbortSignal,
): Promise<CalibrationFacts | { readonly because: string } | null> {
  if (scenario.calibration.seconds === 0 || openNullServers === null) return null;
  const workload = calibrationLoad(scenario, system);
  const servers = await openNullServers(workload, scenario.world.servers, signal).catch((thrown) => {
    throw signal.aborted ? stopped() : thrown;
  });
  const gone = new AbortController();
  const lost = servers.failure.then(({ component, message, hint }): never => {
    gone.abort();
    throw stackFailed(`${component}: ${message}`, hint);
  });
  lost.catch(() => undefined);
  try {
    const preparing = engine.prepare(workload, servers.endpoints, AbortSignal.any([signal, gone.signal]));
    const fleet = await preparing.catch((thrown) => (gone.signal.aborted ? lost : Promise.reject(thrown)));
    try {
      const { tally, utilisation } = await Promise.race([drive(fleet, workload, signal), lost]);
      const facts = factsOf(scenario, { tally, utilisation });
      if (facts.targetPerSecond === 0 && facts.ratePerSecond === 0)
        return { because: 'nothing has a schedule, and no player begins anything at a null server' };
      const of = [servers.calibrates, withoutBegun(tally, workload)].filter((one) => one !== null);
      return of.length === 0 ? facts : { ...facts, of: of.join('; ') };
    } finally {
      await fleet.close();
    }
  } finally {
    await servers.close();
  }
}

const stopped = () => interrupted('stopped during the calibration of the generator');

/** `factor` times the rates of the busiest stage, by fewer players, without churn and faults. */
function calibrationLoad(full: Scenario, system: SystemScenario): Workload {
  const { seconds: length, factor } = full.calibration;
  const players = Math.min(full.load.players, MOST_PLAYERS);
  const times = factor * peakLoadOf(full.load);
  const operations = mapOperations(full.load.operations, (one) => ({
    ...one,
    perSecond: one.perSecond * times,
  }));
  // The system derives its own parts of the workload from these players and rates.
  const load = { ...full.load, players, operations };
  const { churn: _, ...workload } = workloadOf({ ...full, load }, system);
  const measureStart = micros(RAMP + WARM_UP);
  return {
    ...workload,
    pace: (times * full.load.players) / players,
    timeline: { rampEnd: RAMP, measureStart, end: micros(measureStart + seconds(length)) },
    drain: DRAIN,
    reconnect: false,
    isCalibration: true,
  };
}

async function drive(fleet: ReadyFleet, workload: Workload, signal: AbortSignal) {
  const { measureStart, end } = workload.timeline;
  const used = new Map<number, number[]>();
  const onSecond = ({ at, workers }: LoadSecond): void => {
    if (at <= measureStart || at > end + 1e6) return;
    for (const [i, worker] of workers.entries()) {
      if (worker !== null && 'utilisation' in worker)
        used.set(i, [...(used.get(i) ?? []), worker.utilisation]);
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

/** Operations without a schedule that no player began there: the calibration says nothing of them. */
function withoutBegun(tally: Tally, { operations }: Workload): string | null {
  const missing = operations.filter(
    ({ id, due }) => due === 'answer' && ofOperation(tally.operations, id).measured.scheduled === 0,
  );
  return missing.length === 0
    ? null
    : `without what follows from answers: ${missing.map(({ label }) => label).join(', ')}`;
}

function factsOf(
  scenario: Scenario,
  { tally, utilisation }: Awaited<ReturnType<typeof drive>>,
): CalibrationFacts {
  const { load, calibration } = scenario;
  const rates = Object.values(load.operations).map(({ perSecond }) => perSecond);
  const target = peakLoadOf(load) * rates.reduce((sum, one) => sum + one, 0);
  const all = Object.values(tally.operations);
  const scheduled = all.reduce((sum, { measured }) => sum + measured.scheduled, 0);
  const demand = all.reduce((sum, { measured }) => sum + demandOf(measured), 0);
  const answered = all.reduce((sum, { measured }) => sum + measured.ok + measured.rejected, 0);
  const p99 = (histograms: Parameters<typeof mergeHistograms>[0]): number | null => {
    const value = percentileOf(mergeHistograms(histograms), 99);
    return value === null ? null : toMillis(value);
  };
  return {
    seconds: calibration.seconds,
    ratePerSecond: scheduled / calibration.seconds,
    targetPerSecond: target,
    answeredPercent: demand === 0 ? 0 : (100 * answered) / demand,
    utilisationPercent: utilisation === null ? null : 100 * utilisation,
    ownLagP99Ms: p99(all.map(({ ownLag }) => ownLag)),
    dueP99Ms: p99(all.map(({ due }) => due)),
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { monotonic } from '../clock.ts';
import { stackFailed } from '../errors.ts';
import { hopelessness } from '../judge/hopeless.ts';
import type { LoadSecond, ReadyFleet } from '../load/engine.ts';
import type { Ending } from '../measurement/measurements.ts';
import type { RunRecord } from '../measurement/run-record.ts';
import type { Probe } from '../probe/probe.ts';
import { watch } from '../probe/watch.ts';
import type { Workload } from '../scenario/workload.ts';
import { aborted } from '../supervision/time-limit.ts';
import type { Micros } from '../units.ts';
import type { Injection } from './faults.ts';
import type { Observer, Phase, StopSignals } from './steps.ts';

/** Between READY and GO, so that every worker has its orders before the clock starts. */
const GO_DELAY = 300_000;
/** Beyond the drain, which the workers keep themselves, before they are given up. */
const OVERDUE = 20e6;
/**
 * Once a component is gone, what is in flight gets as long as the drain takes, which the workers keep themselves, and
 * this for their answer; but not for ever.
 */
const LOST_ANSWER = 2e6;
const LONGEST_LOST_DRAIN = 30e6;

/** What the drive needs of the run around it. */
export interface Drive {
  readonly workload: Workload;
  readonly record: RunRecord;
  readonly signals: StopSignals;
  readonly observer: Observer;
  enter(phase: Phase): void;
  /** Starts the planned faults; null where there are none. */
  disturb(go: Micros, fleet: ReadyFleet): Injection | null;
}

/** GO to the end of the drain, with the probes reading once a second. */
export async function drive(
  { workload, record, signals, observer, enter, disturb }: Drive,
  fleet: ReadyFleet,
  probes: readonly Probe[],
  lost: Promise<never>,
): Promise<Ending> {
  const { timeline } = workload;
  const go = fleet.go ?? ((monotonic() + GO_DELAY) as Micros);
  record.note({ go });
  const boundaries = [
    timeline.measureStart,
    ...(timeline.stages ?? []).slice(1).map(({ start }) => start),
    timeline.end,
  ];
  const readings = watch(
    probes,
    { go, boundaries: boundaries.map((at) => (go + at) as Micros) },
    (at, samples) => record.samples(at, samples),
  );
  record.note({ probes: readings.tallies });

  const hopeless = hopelessness();
  let stopped: string | null = null;
  let phase: Phase = 'stack';
  const follow = (at: number): void => {
    const now: Phase =
      stopped !== null || signals.stop.aborted || at > timeline.end
        ? 'drain'
        : at > timeline.measureStart
          ? 'measure'
          : at > timeline.rampEnd
            ? 'warm-up'
            : 'ramp';
    if (now !== phase) enter(now);
    phase = now;
  };
  follow(0);
  const onSecond = (second: LoadSecond): void => {
    record.second(second);
    observer.second(second);
    // A fault, or a stage, may well make a run miss for seconds what it sends afterwards.
    if (phase === 'measure' && injection === null && timeline.stages === undefined) {
      for (const [name, counts] of Object.entries(second.operations)) {
        const { scheduled, skipped, failed, failedUnsent, timedOut } = counts;
        const missed = skipped + failed + timedOut;
        stopped ??= hopeless(name, { scheduled, missed, failedSent: failed - failedUnsent });
      }
      if (stopped !== null) stop();
    }
    follow(second.at);
  };
  let stoppedAt: number | null = null;
  /** In which phase somebody interrupted it. */
  let interruptedIn: Phase | null = null;
  const stop = (): void => {
    if (signals.stop.aborted) interruptedIn ??= phase;
    if (stoppedAt === null) readings.readBoundary();
    stoppedAt ??= monotonic() - go;
    fleet.stop();
    follow(monotonic() - go);
  };
  signals.stop.addEventListener('abort', stop, { once: true });
  const injection = disturb(go, fleet);
  const drained = fleet.run(go, onSecond);
  drained.catch(() => undefined);
  const left = aborted(signals.abort);

  const overdue = deadline(() => {
    const end = stoppedAt ?? timeline.end;
    return (go + end + workload.drain + OVERDUE) as Micros;
  });

  try {
    if (signals.stop.aborted) stop();
    record.note({ tally: await Promise.race([drained, left, lost, overdue.passed]) });
    // What a fault has taken down comes back before the rows are read.
    if (injection !== null) await Promise.race([injection.finish(), left, lost]);
  } catch (thrown) {
    void injection?.finish().catch(() => undefined);
    // Whatever was answered until a component was lost still counts, if the workers can tell it.
    fleet.stop();
    const patience = Math.min(workload.drain + LOST_ANSWER, LONGEST_LOST_DRAIN) / 1e3;
    if (record.known.tally === null)
      record.note({ tally: await Promise.race([drained, left, sleep(patience, null)]).catch(() => null) });
    throw thrown;
  } finally {
    signals.stop.removeEventListener('abort', stop);
    overdue.cancel();
    // Who leaves at once does not wait for what is being read: it is given up when the probes are closed.
    await Promise.race([readings.finish(), left]);
  }
  if (signals.stop.aborted) return { state: 'interrupted', phase: interruptedIn ?? phase };
  return stopped === null ? { state: 'completed' } : { state: 'stoppedEarly', because: stopped };
}

/** One that neither ends nor dies, long after its time. */
export const stuckWorker = (of: string) =>
  stackFailed(
    `a load worker did not end its part of ${of}`,
    'it was stopped or is stuck: see whether the machine is overloaded, and run again',
  );

/** Rejects once the host's monotonic clock is past what `at` says; it may come to say less. */
function deadline(at: () => Micros): { readonly passed: Promise<never>; readonly cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      if (monotonic() < at()) return;
      clearInterval(timer);
      reject(stuckWorker('the run'));
    }, 500);
  });
  passed.catch(() => undefined);
  return { passed, cancel: () => clearInterval(timer) };
}

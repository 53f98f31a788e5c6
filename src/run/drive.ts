import { setTimeout as sleep } from 'node:timers/promises';
import { monotonic } from '../clock.ts';
import { generatorFailed } from '../errors.ts';
import { hopelessness } from '../judge/hopeless.ts';
import type { LoadSecond, ReadyFleet } from '../load/engine.ts';
import type { Ending } from '../measurement/measurements.ts';
import type { RunRecord } from '../measurement/run-record.ts';
import { demandOf } from '../measurement/sent.ts';
import type { Probe } from '../probe/probe.ts';
import { watch } from '../probe/watch.ts';
import type { Workload } from '../scenario/workload.ts';
import { aborted } from '../supervision/time-limit.ts';
import type { Micros } from '../units.ts';
import type { Injection } from './faults.ts';
import type { Observer, Phase, StopSignals } from './steps.ts';

/** Between READY and GO, so that every worker has its instructions before the clock starts. */
const GO_DELAY = 300_000;
/** How long workers may take after the end of the drain. */
const OVERDUE = 20e6;
/** After a component is lost, operations in flight get the time of the drain, and workers this long to report. */
const LOST_ANSWER = 2e6;
const LONGEST_LOST_DRAIN = 30e6;

export interface Drive {
  readonly workload: Workload;
  readonly record: RunRecord;
  readonly signals: StopSignals;
  readonly observer: Observer;
  enter(phase: Phase): void;
  /** Reports the phase that was in progress when the user stopped the run. */
  interrupted(phase: Phase): void;
  /** Starts the planned faults; null where there are none. */
  disturb(go: Micros, fleet: ReadyFleet): Injection | null;
  /** Told of each second in which all that was asked was answered (stack/stack.ts). */
  readonly answered?: (() => void) | undefined;
}

/** Something was answered, and nothing was lost. */
const allAnswered = ({ operations, disconnects }: LoadSecond): boolean => {
  const all = Object.values(operations);
  return (
    disconnects === 0 &&
    all.every(({ failed, timedOut }) => failed + timedOut === 0) &&
    all.some(({ ok, rejected }) => ok + rejected > 0)
  );
};

/** Runs the load from GO to the end of the drain, while the probes read once a second. */
export async function drive(
  { workload, record, signals, observer, enter, interrupted, disturb, answered }: Drive,
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
  const planned = (at: number): Phase => {
    if (stopped !== null || at > timeline.end) return 'drain';
    if (at > timeline.measureStart) return 'measure';
    return at > timeline.rampEnd ? 'warm-up' : 'ramp';
  };
  /** Of the latest report of a second. */
  let reported = 0;
  const follow = (at: number): void => {
    reported = Math.max(reported, at);
    const now = signals.stop.aborted ? 'drain' : planned(at);
    if (now !== phase) enter(now);
    phase = now;
  };
  follow(0);
  const onSecond = (second: LoadSecond): void => {
    record.second(second);
    observer.second(second);
    if (allAnswered(second)) answered?.();
    // During a fault or a stage a run may miss operations for seconds and recover.
    if (phase === 'measure' && injection === null && timeline.stages === undefined) {
      for (const [name, counts] of Object.entries(second.operations)) {
        const { skipped, failed, failedUnsent, timedOut } = counts;
        const missed = skipped + failed + timedOut;
        stopped ??= hopeless(name, {
          scheduled: demandOf(counts),
          missed,
          failedSent: failed - failedUnsent,
        });
      }
      if (stopped !== null) stop();
    }
    follow(second.at);
  };
  let stoppedAt: number | null = null;
  const stop = (): void => {
    if (stoppedAt === null) readings.endPhase();
    stoppedAt ??= monotonic() - go;
    fleet.stop();
    follow(monotonic() - go);
  };
  const onInterrupt = (): void => {
    // `phase` may be a second late, since it follows those reports.
    interrupted(planned(Math.max(reported, monotonic() - go)));
    stop();
  };
  signals.stop.addEventListener('abort', onInterrupt, { once: true });
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
    // A disturbed component has to recover before the rows are read.
    if (injection !== null) await Promise.race([injection.finish(), left, lost]);
  } catch (thrown) {
    if (stoppedAt === null) readings.endPhase();
    void injection?.finish().catch(() => undefined);
    // Answers until the loss of a component still count, if the workers can report them.
    fleet.stop();
    const patience = Math.min(workload.drain + LOST_ANSWER, LONGEST_LOST_DRAIN) / 1e3;
    if (record.known.tally === null)
      record.note({ tally: await Promise.race([drained, left, sleep(patience, null)]).catch(() => null) });
    throw thrown;
  } finally {
    signals.stop.removeEventListener('abort', onInterrupt);
    overdue.cancel();
    // An abort does not wait for pending readings, which end when the probes are closed.
    await Promise.race([readings.finish(), left]);
  }
  if (signals.stop.aborted) return { state: 'interrupted', phase };
  return stopped === null ? { state: 'completed' } : { state: 'stoppedEarly', because: stopped };
}

/** The error for a worker that still runs long after the end of its schedule. */
export const stuckWorker = (of: string) =>
  generatorFailed(
    `a load worker did not end its part of ${of}`,
    'it was stopped or is stuck: check whether the machine is overloaded, and run again',
  );

/** Rejects once the host's monotonic clock is past `at`, which is evaluated each time since it may become earlier. */
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

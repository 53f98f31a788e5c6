import { EMPTY_HISTOGRAM, type HistogramData } from '../histogram.ts';
import type { ConnectFacts, Counts, OperationTally, Tally } from '../load/engine.ts';
import type { Absence } from '../probe/absence.ts';
import type { TargetProbes } from '../probe/target-probes.ts';
import type { ProbeTally } from '../probe/watch.ts';
import type { Operation, Timeline } from '../scenario/workload.ts';
import type { AppliedSetting } from '../stack/stack.ts';
import type { CeilingFindings } from '../systems/flux/ceilings.ts';
import type { WorldProbe } from '../systems/flux/probe.ts';
import type { Micros } from '../units.ts';
import type {
  BucketData,
  CalibrationFacts,
  CanaryFacts,
  Ending,
  FaultFacts,
  ForeignFacts,
  HostFacts,
  IntegrityFacts,
  Measurements,
} from './measurements.ts';
import { openSeriesBook, type SeriesBook } from './series.ts';
import { type StageWindows, stageFactsOf } from './stage-facts.ts';
import { openWindowBook, type WindowBook } from './windows.ts';

/** What is known before anything has started. */
export interface RunIdentity {
  readonly capbench: string;
  readonly scenarioHash: string;
  readonly commit: string | null;
  readonly startedAt: string;
  readonly stackKind: 'local' | 'target';
  /** All that is under test is on this host, where the generator is. */
  readonly colocated: boolean;
  readonly engine: string;
  readonly host: HostFacts;
  /** Of a target: the probes that were asked for, by name. */
  readonly probesAsked?: readonly string[];
}

/**
 * What a run has learnt so far. Each step of the run writes its own part once; whatever ends the run, what
 * was written until then makes the measurements.
 */
export interface Notes {
  readonly identity: RunIdentity;
  readonly started: Micros;
  readonly series: SeriesBook;
  settings: readonly AppliedSetting[];
  ceilings: CeilingFindings | null;
  calibration: CalibrationFacts | null;
  canary: CanaryFacts | null;
  clockDriftMs: number;
  foreign: readonly ForeignFacts[];
  /** Times on the monotonic clock; seconds after GO once the notes are closed. */
  readonly faults: FaultFacts[];
  readonly windows: Readonly<Record<Operation, WindowBook>>;
  /** Of the timeline's stages, in order; none before the load has begun. */
  stageWindows: readonly StageWindows[];
  connect: ConnectFacts | null;
  workers: number;
  stackUp: Micros | null;
  connecting: Micros | null;
  ready: Micros | null;
  go: Micros | null;
  peakCcu: number;
  tally: Tally | null;
  probes: () => readonly ProbeTally[];
  worldProbes: readonly WorldProbe[];
  integrity: IntegrityFacts | null;
  /** Null where the stack was started here. */
  targetProbes: TargetProbes | null;
  readonly absences: Absence[];
  readonly errors: string[];
}

export const openNotes = (identity: RunIdentity, started: Micros): Notes => ({
  identity,
  started,
  series: openSeriesBook(),
  settings: [],
  ceilings: null,
  calibration: null,
  canary: null,
  clockDriftMs: 0,
  foreign: [],
  faults: [],
  windows: { intent: openWindowBook(), monsterCommand: openWindowBook() },
  stageWindows: [],
  connect: null,
  workers: 0,
  stackUp: null,
  connecting: null,
  ready: null,
  go: null,
  peakCcu: 0,
  tally: null,
  probes: () => [],
  worldProbes: [],
  integrity: null,
  targetProbes: null,
  absences: [],
  errors: [],
});

const NO_COUNTS: Counts = {
  scheduled: 0,
  ok: 0,
  rejected: 0,
  failed: 0,
  failedUnsent: 0,
  timedOut: 0,
  skipped: 0,
  unfinished: 0,
};
const NO_OPERATIONS: OperationTally = {
  whole: NO_COUNTS,
  measured: NO_COUNTS,
  due: EMPTY_HISTOGRAM,
  rejected: EMPTY_HISTOGRAM,
  net: EMPTY_HISTOGRAM,
  service: EMPTY_HISTOGRAM,
  lag: EMPTY_HISTOGRAM,
  ownLag: EMPTY_HISTOGRAM,
};

const MOST_BUCKETS = 1_000;

/** What a server of somebody else's publishes may be no histogram. */
const areBuckets = ({ bounds, counts }: BucketData): boolean =>
  bounds.length < MOST_BUCKETS &&
  counts.length === bounds.length + 1 &&
  bounds.every((bound, i) => bound >= 0 && (i === 0 || bound > bounds[i - 1]!)) &&
  counts.every((count) => Number.isSafeInteger(count) && count >= 0);

/** The buckets of all world servers over the measure phase, added; null when one of them gave none. */
function bucketsOf(
  notes: Notes,
  histogram: 'batchOperations' | 'flushMs' | 'responseMs',
  from: Micros,
  to: Micros,
): BucketData | null {
  let sum: { bounds: readonly number[]; counts: number[] } | null = null;
  for (const probe of notes.worldProbes) {
    const own = probe.buckets(histogram, from, to);
    if (own === null) return null;
    // The last bound is +Inf, which JSON cannot say: it is what `counts` has beyond `bounds`.
    const bounds = own.bounds.filter(Number.isFinite);
    if (!areBuckets({ bounds, counts: own.counts })) return null;
    sum ??= { bounds, counts: own.counts.map(() => 0) };
    if (sum.counts.length !== own.counts.length) return null;
    for (const [bucket, count] of own.counts.entries()) sum.counts[bucket]! += count;
  }
  return sum;
}

/** The measure phase as it was, on the monotonic clock; null when the run ended before it. */
function measurePhase(notes: Notes, timeline: Timeline): { from: Micros; to: Micros } | null {
  if (notes.go === null || notes.tally === null) return null;
  const end = Math.min(timeline.end, notes.tally.endedAt);
  if (end <= timeline.measureStart) return null;
  return { from: (notes.go + timeline.measureStart) as Micros, to: (notes.go + end) as Micros };
}

const since = (start: Micros, at: Micros | null): number | null =>
  at === null ? null : Math.round((at - start) / 1e3) / 1e3;

const PLAYER_TRAFFIC = ['load.bytesIn', 'load.bytesOut', 'load.framesIn'];
const OF_PLAYER_TRAFFIC = ['bytesPerPlayerSecondIn', 'bytesPerPlayerSecondOut', 'bytesPerSecond'];

/** Of traffic that was not all seen there is no series. */
function seenSeries({ series, tally }: Notes, zero: Micros): Measurements['series'] {
  const all = series.close(zero);
  if (tally?.unseenTraffic === undefined) return all;
  return Object.fromEntries(Object.entries(all).filter(([name]) => !PLAYER_TRAFFIC.includes(name)));
}

function unseenFacts({ tally }: Notes): readonly Absence[] {
  const because = tally?.unseenTraffic;
  return because === undefined
    ? []
    : OF_PLAYER_TRAFFIC.map((figure) => ({ of: `network.${figure}`, because }));
}

/** What is known of a target alone, and what of any run nobody could see. */
function targetFacts(
  { identity, targetProbes, absences }: Notes,
  unseen: readonly Absence[],
  phase: { from: Micros; to: Micros } | null,
): Pick<Measurements, 'absences' | 'unreadable' | 'probesAsked' | 'histograms'> {
  const known = [...absences, ...unseen];
  if (targetProbes === null) return known.length === 0 ? {} : { absences: known };
  const unreadable = targetProbes.unreadable();
  const histograms = Object.entries(phase === null ? {} : targetProbes.histograms(phase.from, phase.to));
  return {
    histograms: Object.fromEntries(histograms.filter(([, data]) => areBuckets(data))),
    absences: [...known, ...targetProbes.absences(phase)],
    ...(unreadable.length === 0 ? {} : { unreadable }),
    probesAsked: identity.probesAsked ?? [],
  };
}

/** Closes the notes: the immutable facts of the run. */
export function measurementsOf(notes: Notes, timeline: Timeline, ending: Ending, end: Micros): Measurements {
  const { identity, tally } = notes;
  const phase = measurePhase(notes, timeline);
  const zero = notes.go ?? notes.started;
  const batchOperations = phase && bucketsOf(notes, 'batchOperations', phase.from, phase.to);
  const flushMs = phase && bucketsOf(notes, 'flushMs', phase.from, phase.to);
  const responseMs = phase && bucketsOf(notes, 'responseMs', phase.from, phase.to);
  const connectHistogram: HistogramData = notes.connect?.connect ?? EMPTY_HISTOGRAM;
  const operation = (name: Operation): OperationTally => tally?.operations[name] ?? NO_OPERATIONS;

  return {
    schemaVersion: 1,
    capbench: identity.capbench,
    scenarioHash: identity.scenarioHash,
    scheduleHash: tally?.scheduleHash ?? null,
    startedAt: identity.startedAt,
    commit: identity.commit,
    ending,
    engine: identity.engine,
    workers: notes.workers,
    colocated: identity.colocated,
    stackKind: identity.stackKind,
    phases: {
      stackUp: since(notes.started, notes.stackUp),
      connect: since(notes.started, notes.connecting),
      ready: since(notes.started, notes.ready),
      go: since(notes.started, notes.go),
      end: since(notes.started, end) ?? 0,
    },
    measured: phase === null ? null : { from: (phase.from - zero) / 1e6, to: (phase.to - zero) / 1e6 },
    peakCcu: notes.peakCcu,
    connect: { failed: notes.connect?.failed ?? 0, histogram: connectHistogram },
    disconnects: tally?.disconnects ?? 0,
    reconnects: tally?.reconnects ?? 0,
    reconnect: tally?.reconnect ?? EMPTY_HISTOGRAM,
    strayAnswers: tally?.strayAnswers ?? 0,
    operations: {
      intent: { ...operation('intent'), windows: notes.windows.intent.close() },
      monsterCommand: { ...operation('monsterCommand'), windows: notes.windows.monsterCommand.close() },
    },
    stages: stageFactsOf(timeline, tally, notes.stageWindows),
    series: seenSeries(notes, zero),
    probes: notes.probes(),
    worlds: batchOperations && flushMs && responseMs ? { batchOperations, flushMs, responseMs } : null,
    integrity: notes.integrity,
    ...(tally === null ? {} : { welcomes: tally.ledger.breaches }),
    ceilings: notes.ceilings,
    calibration: notes.calibration,
    canary: notes.canary,
    clockDriftMs: notes.clockDriftMs,
    faults: notes.faults
      .toSorted((a, b) => a.from - b.from)
      .map((fault) => ({
        ...fault,
        from: (fault.from - zero) / 1e6,
        to: fault.to === null ? null : (fault.to - zero) / 1e6,
      })),
    foreign: notes.foreign,
    host: identity.host,
    settings: notes.settings,
    ...targetFacts(notes, unseenFacts(notes), phase),
    errors: [...new Set([...notes.errors, ...(notes.connect?.errors ?? []), ...(tally?.errors ?? [])])],
  };
}

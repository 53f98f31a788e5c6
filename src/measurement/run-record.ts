import { countOf, EMPTY_HISTOGRAM } from '../histogram.ts';
import { DELIVERY_SERIES, type DeliveryTally } from '../load/deliveries.ts';
import type { AgentFacts, ConnectFacts, LoadSecond, OperationTally, Tally } from '../load/engine.ts';
import { generatorSamples, sliceSamples } from '../probe/generator.ts';
import type { Absence, Probe, Sample } from '../probe/probe.ts';
import type { TargetProbes } from '../probe/target-probes.ts';
import type { ProbeTally } from '../probe/watch.ts';
import { perOperation } from '../scenario/operations.ts';
import type { Workload } from '../scenario/workload.ts';
import { type Micros, micros } from '../units.ts';
import type { EarlierAttempt } from './earlier-attempts.ts';
import type { EmulatedTier } from './emulated-tier.ts';
import { LoadSoFar, type LoadTally } from './load-so-far.ts';
import type { BucketData, DeliveryFacts, Ending, FaultFacts, Measurements } from './measurements.ts';
import { NO_COUNTS } from './sent.ts';
import { openSeriesRecorder } from './series.ts';
import { addToStages, openStageWindows, openWindowRecorder, stageFactsOf } from './windows.ts';

/** The facts that are known before the run starts. */
export interface RunIdentity
  extends Pick<
    Measurements,
    'capbench' | 'scenarioHash' | 'startedAt' | 'commit' | 'engine' | 'colocated' | 'stackKind' | 'host'
  > {
  /** Of a target: how many servers it has. */
  readonly targets?: number;
  /** The machine as which the stack is run; absent: as this host. */
  readonly tier?: EmulatedTier;
  /** Attempts at this run that had no conclusion. */
  readonly earlierAttempts?: readonly EarlierAttempt[];
  /** Of a target: the probes that were asked for, by name. */
  readonly probesAsked?: readonly string[];
}

/** The facts that the steps of a run record, each once. Times are on the host's monotonic clock. */
interface StepFacts
  extends Pick<
    Measurements,
    'workers' | 'integrity' | 'ceilings' | 'calibration' | 'canary' | 'foreign' | 'settings'
  > {
  readonly stackUp: Micros | null;
  readonly connecting: Micros | null;
  /** How long the user's module prepared the run; null where it did not. */
  readonly prepareMs: number | null;
  readonly ready: Micros | null;
  readonly go: Micros | null;
  readonly connect: ConnectFacts | null;
  readonly tally: Tally | null;
  /** Welcomes that contradict the ledger, once it is known what outages excuse. */
  readonly welcomes: Measurements['welcomes'] | null;
  /** The readings and gaps of all probes. */
  readonly probes: () => readonly ProbeTally[];
  /** The system's own probes, whose histograms are kept. */
  readonly systemProbes: readonly Probe[];
  /** Null where the stack was started here. */
  readonly targetProbes: TargetProbes | null;
}

const NOTHING: StepFacts = {
  settings: [],
  ceilings: null,
  calibration: null,
  canary: null,
  foreign: [],
  stackUp: null,
  connecting: null,
  prepareMs: null,
  ready: null,
  go: null,
  connect: null,
  workers: 0,
  tally: null,
  welcomes: null,
  probes: () => [],
  systemProbes: [],
  integrity: null,
  targetProbes: null,
};

/** The parts of the connect time, where a player reported when it was logged in. */
const partsOf = (connect: ConnectFacts | null): Partial<Pick<ConnectFacts, 'login' | 'socket'>> => {
  const { login, socket } = connect ?? {};
  return login === undefined || socket === undefined || countOf(login) === 0 ? {} : { login, socket };
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

/** A target's server may publish buckets that are not a histogram. */
const areBuckets = ({ bounds, counts }: BucketData): boolean =>
  bounds.length < MOST_BUCKETS &&
  counts.length === bounds.length + 1 &&
  bounds.every((bound, i) => bound >= 0 && (i === 0 || bound > bounds[i - 1]!)) &&
  counts.every((count) => Number.isSafeInteger(count) && count >= 0);

/** The sum of the same histograms of all servers; null where a server has none. */
function addedBuckets(
  probes: readonly Probe[],
  { from, to }: MeasurePhase,
): Readonly<Record<string, BucketData>> | null {
  const all = probes.flatMap((probe) => (probe.buckets === undefined ? [] : [probe.buckets(from, to)]));
  const sums = Object.keys(all[0] ?? {}).map((name): readonly [string, BucketData | null] => {
    let sum: { readonly bounds: readonly number[]; readonly counts: number[] } | null = null;
    for (const own of all.map((each) => each[name] ?? null)) {
      // JSON has no +Inf: the last entry of `counts` has no bound.
      const bounds = own?.bounds.filter(Number.isFinite) ?? [];
      if (own === null || !areBuckets({ bounds, counts: own.counts })) return [name, null];
      sum ??= { bounds, counts: own.counts.map(() => 0) };
      if (sum.counts.length !== own.counts.length) return [name, null];
      for (const [bucket, count] of own.counts.entries()) sum.counts[bucket]! += count;
    }
    return [name, sum];
  });
  const known = sums.flatMap(([name, sum]) => (sum === null ? [] : [[name, sum] as const]));
  return known.length === 0 || known.length < sums.length ? null : Object.fromEntries(known);
}

const deliveryFacts = ({ seconds: _, twice: __, ...facts }: DeliveryTally): DeliveryFacts => facts;

/** They are known only at the end, each at the second in which it was due. */
function deliverySeries({ seconds }: DeliveryTally): Measurements['series'] {
  const recorder = openSeriesRecorder();
  for (const name of DELIVERY_SERIES) {
    let value = 0;
    const series = `delivery.${name}`;
    const { length } = seconds.expected;
    for (let second = 0; second < length; second++) {
      value += seconds[name][second] ?? 0;
      recorder.add(micros((second + 1) * SECOND), [{ series, kind: 'counter', value }]);
    }
  }
  return recorder.close(micros(0));
}

/** The measure phase as it was, on the monotonic clock. */
interface MeasurePhase {
  readonly from: Micros;
  readonly to: Micros;
}

/** Where the load came from, for readers; none where it was this host alone. */
function agentsRemark(agents: readonly AgentFacts[]): readonly string[] {
  if (agents.length === 0) return [];
  const ms = (value: number): string => `${Number(value.toPrecision(2))} ms`;
  const each = agents.map(({ address, workers, onThisHost, clockUncertaintyMs, driftMs }) => {
    const drift = driftMs === null ? 'not read again after the run' : `drift ${ms(driftMs)}`;
    return `${address} (${workers} load process${workers === 1 ? '' : 'es'}${onThisHost ? ' on this machine' : ''}, clock known to ${ms(clockUncertaintyMs)}, ${drift})`;
  });
  return [`the load came from ${each.join(' and ')}`];
}

const since = (start: Micros, at: Micros | null): number | null =>
  at === null ? null : Math.round((at - start) / 1e3) / 1e3;

/** Only where the load itself has counted all of its traffic. */
function kernelFacts(tally: LoadTally | null): Pick<Measurements, 'kernelTraffic'> {
  const { kernelTraffic, unseenTraffic } = tally ?? {};
  return kernelTraffic === undefined || 'because' in kernelTraffic || unseenTraffic !== undefined
    ? {}
    : { kernelTraffic };
}

const PLAYER_TRAFFIC = [
  ...['load.bytesIn', 'load.bytesOut', 'load.framesIn'],
  ...['load.connections', 'load.handshakes'],
];
const OF_PLAYER_TRAFFIC = [
  ...['bytesPerPlayerSecondIn', 'bytesPerPlayerSecondOut', 'bytesPerSecond'],
  ...['connections', 'handshakes', 'kernel'],
];
const SECOND = 1e6;

/** Traffic that was not counted completely has no series. */
function seenSeries(series: Measurements['series'], tally: LoadTally | null): Measurements['series'] {
  const { deliveries, unseenTraffic } = tally ?? {};
  const all = { ...series, ...(deliveries === undefined ? {} : deliverySeries(deliveries)) };
  if (unseenTraffic === undefined) return all;
  return Object.fromEntries(Object.entries(all).filter(([name]) => !PLAYER_TRAFFIC.includes(name)));
}

/** Points of a series for who looks on: half an hour of seconds, so that looking costs the same however long a run is. */
const FOLLOWED_POINTS = 1800;

/** What is asked for while the run goes on. */
interface Followed {
  readonly series: ReturnType<typeof openSeriesRecorder>;
  readonly load: LoadSoFar;
}

/**
 * The facts of a run so far, from which the measurements are made however the run ends. It is closed once, before the run
 * is judged, and ignores later facts, such as a late answer of a probe.
 */
export class RunRecord {
  private readonly identity: RunIdentity;
  private readonly workload: Workload;
  private readonly started: Micros;
  private readonly series = openSeriesRecorder();
  private readonly toSamples = generatorSamples();
  private readonly windows;
  private readonly stageWindows;
  private readonly faults: FaultFacts[] = [];
  private readonly absences: Absence[] = [];
  private readonly errors: string[] = [];
  private readonly remarks: string[] = [];
  private facts = NOTHING;
  private peakCcu = 0;
  private isClosed = false;
  private followed: Followed | null = null;

  constructor(identity: RunIdentity, workload: Workload, started: Micros) {
    this.identity = identity;
    this.workload = workload;
    this.started = started;
    this.windows = perOperation(workload.operations, () => openWindowRecorder());
    this.stageWindows = openStageWindows(workload);
  }

  /** The facts recorded so far. */
  get known(): StepFacts {
    return this.facts;
  }

  note(facts: Partial<StepFacts>): void {
    if (this.isClosed) return;
    this.facts = { ...this.facts, ...facts };
    this.peakCcu = Math.max(this.peakCcu, facts.connect?.connected ?? 0);
  }

  samples(at: Micros, samples: readonly Sample[]): void {
    if (this.isClosed) return;
    this.series.add(at, samples);
    this.followed?.series.add(at, samples);
  }

  /**
   * From now on, the measurements so far can be asked for while the load goes on: from the seconds that it has reported, until
   * its tally is there. To be called before GO.
   */
  follow(): (now: Micros) => Measurements {
    const { workload } = this;
    const followed = { series: openSeriesRecorder(FOLLOWED_POINTS), load: new LoadSoFar(workload) };
    this.followed = followed;
    return (now) =>
      this.factsOf(
        { state: 'completed' },
        now,
        0,
        this.facts.tally ?? followed.load.tally(),
        followed.series,
      );
  }

  /** Records a second of the load after GO. */
  second(second: LoadSecond): void {
    const { timeline } = this.workload;
    const { at, slices, connected, operations } = second;
    const go = this.facts.go ?? this.started;
    this.samples((go + at) as Micros, this.toSamples(second));
    for (const slice of slices) this.samples((go + slice.at) as Micros, sliceSamples(slice));
    this.peakCcu = Math.max(this.peakCcu, connected);
    this.followed?.load.add(second);
    if (at >= timeline.measureStart + SECOND && at <= timeline.end) {
      for (const [id, recorder] of Object.entries(this.windows))
        recorder.add(operations[id]?.due ?? EMPTY_HISTOGRAM);
    }
    addToStages(this.stageWindows, timeline, at, (id) => operations[id]?.due ?? EMPTY_HISTOGRAM);
  }

  /** @param fault with times on the monotonic clock, which become seconds after GO */
  fault(fault: FaultFacts): void {
    if (!this.isClosed) this.faults.push(fault);
  }

  /** Records that a figure cannot be measured in this run, and why. */
  absent(of: string, because: string): void {
    if (!this.isClosed) this.absences.push({ of, because });
  }

  /** Records what a reader should know and decides nothing. */
  remark(text: string): void {
    if (!this.isClosed) this.remarks.push(text);
  }

  error(message: string): void {
    if (!this.isClosed) this.errors.push(message);
  }

  /** The measurements so far; `end` is now, on the monotonic clock. */
  measurements(ending: Ending, end: Micros, clockDriftMs: number): Measurements {
    return this.factsOf(ending, end, clockDriftMs, this.facts.tally, this.series);
  }

  private factsOf(
    ending: Ending,
    end: Micros,
    clockDriftMs: number,
    tally: LoadTally | null,
    series: Followed['series'],
  ): Measurements {
    const { started, facts } = this;
    const { capbench, scenarioHash, startedAt, commit, engine, colocated, stackKind, host } = this.identity;
    const { workers, foreign, settings, integrity, ceilings, calibration, canary } = facts;
    const { go, connect } = facts;
    const { timeline, operations } = this.workload;
    const phase = this.measurePhase(tally);
    const zero = go ?? started;
    const remarks = [...this.remarks, ...agentsRemark(tally?.agents ?? [])];
    return Object.freeze({
      schemaVersion: 1,
      capbench,
      scenarioHash,
      scheduleHash: tally?.scheduleHash ?? null,
      startedAt,
      commit,
      ending,
      engine,
      workers,
      ...(tally?.agents === undefined ? {} : { agents: tally.agents }),
      // A load that comes from other machines takes nothing from the servers' one.
      colocated: colocated && (tally?.agents ?? [{ onThisHost: true }]).some(({ onThisHost }) => onThisHost),
      stackKind,
      ...(this.identity.targets === undefined ? {} : { targets: this.identity.targets }),
      ...(this.identity.tier === undefined ? {} : { tier: this.identity.tier }),
      ...(this.identity.earlierAttempts === undefined
        ? {}
        : { earlierAttempts: [...this.identity.earlierAttempts] }),
      phases: {
        stackUp: since(started, facts.stackUp),
        connect: since(started, facts.connecting),
        ready: since(started, facts.ready),
        go: since(started, go),
        end: since(started, end) ?? 0,
      },
      measured: phase === null ? null : { from: (phase.from - zero) / 1e6, to: (phase.to - zero) / 1e6 },
      peakCcu: this.peakCcu,
      connect: {
        failed: connect?.failed ?? 0,
        histogram: connect?.connect ?? EMPTY_HISTOGRAM,
        ...partsOf(connect),
      },
      ...(facts.prepareMs === null ? {} : { prepareMs: facts.prepareMs }),
      disconnects: tally?.disconnects ?? 0,
      reconnects: tally?.reconnects ?? 0,
      reconnect: tally?.reconnect ?? EMPTY_HISTOGRAM,
      strayAnswers: tally?.strayAnswers ?? 0,
      ...kernelFacts(tally),
      ...(tally?.deliveries === undefined ? {} : { deliveries: deliveryFacts(tally.deliveries) }),
      ...(tally?.figures === undefined ? {} : { player: tally.figures }),
      operations: perOperation(operations, (id) => ({
        ...(tally?.operations[id] ?? NO_OPERATIONS),
        windows: this.windows[id]?.close() ?? [],
      })),
      stages: stageFactsOf(timeline, tally, this.stageWindows),
      series: seenSeries(series.close(zero), tally),
      probes: facts.probes(),
      worlds: phase === null ? null : addedBuckets(facts.systemProbes, phase),
      integrity,
      ...(tally?.ledger === undefined ? {} : { welcomes: facts.welcomes ?? tally.ledger.breaches }),
      ceilings,
      calibration,
      canary,
      clockDriftMs,
      faults: this.faults
        .toSorted((a, b) => a.from - b.from)
        .map((fault) => ({
          ...fault,
          from: (fault.from - zero) / 1e6,
          to: fault.to === null ? null : (fault.to - zero) / 1e6,
          ...(fault.ended === undefined ? {} : { ended: (fault.ended - zero) / 1e6 }),
        })),
      foreign,
      host,
      settings,
      ...this.targetFacts(phase, tally),
      ...(remarks.length === 0 ? {} : { remarks }),
      errors: [...new Set([...this.errors, ...(connect?.errors ?? []), ...(tally?.errors ?? [])])],
    });
  }

  /** Returns the measurements and closes the record. */
  close(ending: Ending, end: Micros, clockDriftMs: number): Measurements {
    this.isClosed = true;
    return this.measurements(ending, end, clockDriftMs);
  }

  /** Null when the run ended before it. */
  private measurePhase(tally: LoadTally | null): MeasurePhase | null {
    const { go } = this.facts;
    const { measureStart, end: planned } = this.workload.timeline;
    if (go === null || tally === null) return null;
    const end = Math.min(planned, tally.endedAt);
    if (end <= measureStart) return null;
    return { from: (go + measureStart) as Micros, to: (go + end) as Micros };
  }

  /** Facts that only targets have, and figures that could not be measured. */
  private targetFacts(
    phase: MeasurePhase | null,
    tally: LoadTally | null,
  ): Pick<Measurements, 'absences' | 'unreadable' | 'probesAsked' | 'histograms'> {
    const { targetProbes } = this.facts;
    const because = tally?.unseenTraffic;
    const unseen =
      because === undefined ? [] : OF_PLAYER_TRAFFIC.map((figure) => ({ of: `network.${figure}`, because }));
    const { kernelTraffic } = tally ?? {};
    const untold =
      because !== undefined || kernelTraffic === undefined || !('because' in kernelTraffic)
        ? []
        : [{ of: 'network.kernel', because: kernelTraffic.because }];
    const absences = [...this.absences, ...unseen, ...untold, ...(targetProbes?.absences(phase) ?? [])];
    if (targetProbes === null) return absences.length === 0 ? {} : { absences };
    const unreadable = targetProbes.unreadable();
    const histograms = Object.entries(phase === null ? {} : targetProbes.histograms(phase.from, phase.to));
    return {
      histograms: Object.fromEntries(histograms.filter(([, data]) => areBuckets(data))),
      absences,
      ...(unreadable.length === 0 ? {} : { unreadable }),
      probesAsked: this.identity.probesAsked ?? [],
    };
  }
}

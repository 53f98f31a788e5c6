import type { Counts } from '../load/engine.ts';
import type { Operation } from '../scenario/workload.ts';
import type { FaultFigures } from './fault-figures.ts';
import type { StageFigures } from './stage-figures.ts';

/**
 * The body of report.json: the facts reduced to figures, over the measure phase unless said otherwise.
 * A figure that was not measured is null, never 0. The unit of each path is in judge/metric.ts.
 */
export interface Percentiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly count: number;
}

/** Over the seconds of the measure phase. */
export interface Spread {
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** Of operations of which some have no answer: those count as slower than every other, and a percentile among them is null. */
export interface OpenPercentiles extends Percentiles {
  readonly unanswered: number;
}

/**
 * Latencies in milliseconds. An operation without an answer (failed, timed out, skipped, unfinished) counts as slower
 * than every answered one (R3): a percentile that falls among those is null and `unanswered` says how many there were.
 * `min`, `max`, `mean` and `count` are of what was answered.
 */
export interface LatencyFigures {
  readonly unit: 'ms';
  /** Acknowledged minus due, of what was answered `ok` or `rejected`. */
  readonly due: OpenPercentiles;
  /** The same of what was answered `ok`. */
  readonly ok: OpenPercentiles;
  /** The same of what was rejected. */
  readonly rejected: Percentiles;
  /**
   * What a budget on `due` is held against: `due` where rejections are declared, else `ok` with every rejection
   * counted as unanswered. A fast refusal is no good answer, and refusing the slow ones is no way to pass.
   */
  readonly judged: OpenPercentiles;
  /** Acknowledged minus sent, of what was sent. */
  readonly service: OpenPercentiles;
  readonly lag: Percentiles;
}

/** What a metric of somebody else's was, in its own unit, over all pages and all samples that its selector chooses. */
export interface MetricFigures {
  /** Of a gauge. */
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly last: number | null;
  /** Of a counter: its growth a second, and over the whole measure phase. */
  readonly rate: number | null;
  readonly increase: number | null;
  /** Of a histogram, by linear interpolation inside a bucket. */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly count: number | null;
  /** The largest finite bound of the histogram: a percentile that reached it may be anything above. */
  readonly largestBound: number | null;
}

export interface Figures {
  readonly load: {
    readonly requestedCcu: number;
    /** The most players that were connected at once: a peak, whatever became of them afterwards. */
    readonly peakCcu: number;
    /** Players connected, over the seconds of the measure phase. */
    readonly presence: Spread;
    readonly scale: number;
    readonly colocated: boolean;
    readonly durationSeconds: number | null;
    /** Due in the measure phase. */
    readonly operations: Readonly<Record<Operation, Counts>>;
    /** Due in the whole run. */
    readonly wholeRun: Readonly<Record<Operation, Counts>>;
    /** (scheduled - skipped - failedUnsent) / scheduled, in percent, per operation. */
    readonly sentPercent: Readonly<Record<Operation, number | null>>;
    /** failed / scheduled: an error for an answer, or a connection that ended. A part of the next. */
    readonly errorPercent: Readonly<Record<Operation, number | null>>;
    /** (failed + timedOut + unfinished) / scheduled. */
    readonly unansweredPercent: Readonly<Record<Operation, number | null>>;
    /** rejected / scheduled. */
    readonly rejectedPercent: Readonly<Record<Operation, number | null>>;
  };
  readonly latency: Readonly<Record<Operation, LatencyFigures>>;
  readonly throughput: {
    /** Acknowledged: ok + rejected. */
    readonly operationsPerSecond: number | null;
    readonly intentsPerSecond: number | null;
    readonly monsterCommandsPerSecond: number | null;
    /** Mean, least and most over the servers. */
    readonly operationsPerServerPerSecond: Spread;
    /** Share of the operations that each world server did: the smallest and the largest. */
    readonly serverSharePercent: Spread;
    readonly rowWritesPerSecond: number | null;
    readonly batchesPerSecond: number | null;
    readonly rowsPerBatch: number | null;
    readonly operationsPerBatch: number | null;
    /** Largest batch, as the upper bound of its bucket. */
    readonly largestBatch: number | null;
    readonly flushedOnTimePercent: number | null;
    /** Operations per row write: the coalescing ratio. */
    readonly coalescing: number | null;
  };
  readonly world: {
    readonly servers: number;
    /** 100 = one core busy, of the busiest server. */
    readonly cpuPercentOfCore: Spread;
    /** All servers together, of as many cores as there are servers. */
    readonly cpuPercentTotal: Spread;
    /** Of the largest server. */
    readonly memoryBytes: Spread;
    readonly memoryTotalBytes: Spread;
    readonly entities: Spread;
    readonly connections: Spread;
    readonly loopDelayMs: Spread;
    /** Of the time, ready to run without a CPU: the server that waited most. */
    readonly waitedPercent: number | null;
    /** Received to acknowledged, inside the server. */
    readonly responseMs: {
      readonly p50: number | null;
      readonly p95: number | null;
      readonly p99: number | null;
    };
  };
  readonly database: {
    readonly connections: Spread;
    readonly hitRatioPercent: number | null;
    /** Round trip of the batched UPDATE, as the world servers see it. */
    readonly queryMs: {
      readonly p50: number | null;
      readonly p95: number | null;
      readonly p99: number | null;
    };
    /** Mean execution time inside PostgreSQL. */
    readonly statementMeanMs: number | null;
    readonly statementsPerSecond: number | null;
    readonly commitsPerSecond: number | null;
    readonly rowsUpdatedPerSecond: number | null;
    readonly hotUpdatePercent: number | null;
    readonly walBytesPerSecond: number | null;
    readonly workingSetBytes: Spread;
    readonly cpuPercentOfHost: Spread;
    /** Seconds in which its processes were ready to run without a CPU, of the time; 200 when two waited all the time. */
    readonly waitedPercent: number | null;
    /**
     * Share of the time in which a server's one writer had a flush in flight: by the utilisation law U = X S, with
     * X the flushes a second of one server and S the round trip of the median one.
     */
    readonly writersBusyPercent: number | null;
    readonly memoryPercentOfHost: Spread;
  };
  /** Of a target's Redis, by its INFO. */
  readonly redis: {
    readonly operationsPerSecond: number | null;
    readonly usedMemoryBytes: Spread;
    readonly connections: Spread;
    /** 100 = one core busy. */
    readonly cpuPercentOfCore: Spread;
    readonly evictedKeys: number | null;
    readonly expiredKeys: number | null;
    readonly hitRatioPercent: number | null;
    readonly rejectedConnections: number | null;
    readonly errorReplies: number | null;
    readonly networkBytesPerSecond: number | null;
  };
  readonly target: {
    /** Of a target's metrics pages: what budgets name, by selector. */
    readonly metrics: Readonly<Record<string, MetricFigures>>;
  };
  readonly network: {
    readonly bytesPerPlayerSecondIn: number | null;
    readonly bytesPerPlayerSecondOut: number | null;
    readonly bytesPerSecond: number | null;
    readonly connectMs: Percentiles;
    /** From the first connection to READY. */
    readonly connectsPerSecond: number | null;
    readonly disconnects: number;
    readonly reconnects: number;
    /** From the end of a connection to the welcome of the next one. */
    readonly reconnectMs: Percentiles;
  };
  readonly integrity: {
    readonly sent: number | null;
    readonly acked: number | null;
    readonly applied: number | null;
    readonly lost: number | null;
    readonly phantom: number | null;
    readonly duplicated: number | null;
    readonly holes: number | null;
    readonly rowWritesServers: number | null;
    readonly rowWritesPostgres: number | null;
    /** |servers - PostgreSQL| in percent of PostgreSQL's count. */
    readonly rowWritesDisagreePercent: number | null;
  };
  readonly ceilings: {
    readonly insertsPerSecond: number | null;
    readonly updatesPerSecondSingle: number | null;
    readonly updatesPerSecondBatched: number | null;
    /** Batched over one by one. */
    readonly batchSpeedup: number | null;
    readonly statement: string | null;
  };
  /** Of the measure phase, in order. */
  readonly stages: readonly StageFigures[];
  /** In the order in which they began. */
  readonly faults: readonly FaultFigures[];
  readonly generator: {
    readonly engine: string;
    readonly workers: number;
    readonly cpuCores: number | null;
    readonly cpuPercentOfHost: number | null;
    readonly maxLoopDelayMs: number | null;
    /** Of the busiest worker, over the measure phase. */
    readonly maxUtilisationPercent: number | null;
    readonly lagP99Ms: number | null;
    /** The part of the lag that the generator itself caused; the rest is the server's, that had not answered. */
    readonly ownLagP99Ms: number | null;
    readonly pushbackMeanMs: number | null;
    /** Of the time in which the event loop was late by more than 10 ms a turn: the worst worker. */
    readonly stalledPercent: number | null;
    /** Of the time, ready to run without a CPU: the worker that waited most. */
    readonly waitedPercent: number | null;
    readonly memoryBytesPerPlayer: number | null;
    /** CPU of the generator for each answered operation, in microseconds; over the measure phase. */
    readonly cpuMicrosPerOperation: number | null;
    /** What its clock can tell apart; milliseconds. */
    readonly clockMs: number;
    /** Against a world that does nothing, before the run. */
    readonly calibration: {
      readonly seconds: number | null;
      readonly targetPerSecond: number | null;
      readonly ratePerSecond: number | null;
      readonly answeredPercent: number | null;
      readonly utilisationPercent: number | null;
      readonly ownLagP99Ms: number | null;
      readonly dueP99Ms: number | null;
    };
  };
  readonly host: {
    readonly cpuModel: string;
    readonly cpus: number;
    readonly memoryBytes: number;
    readonly kernel: string;
    readonly platform: string;
    readonly arch: string;
    readonly node: string;
    readonly nodeMajor: number;
    readonly cpuPercent: Spread;
    /** Everything that is not PostgreSQL, world server or generator. */
    readonly otherCpuPercent: number | null;
    readonly stealPercent: number | null;
    /** Of the worst second. */
    readonly stealMaxPercent: number | null;
    /** Used by processes that are not of the run. */
    readonly foreignCpuPercent: number | null;
    /** Of the control group of capbench. */
    readonly throttledPeriods: number | null;
    /** PSI memory, full: all waited for memory. */
    readonly memoryPressurePercent: number | null;
    /** PSI cpu, some: at least one waited for a CPU. */
    readonly cpuPressurePercent: number | null;
    /** The same piece of work after the run against before, either way. */
    readonly canaryDriftPercent: number | null;
    /** Wall clock minus monotonic clock over the run. */
    readonly clockDriftMs: number;
    readonly memoryUsedPercent: Spread;
    readonly memoryAvailableBytes: Spread;
    readonly networkBytesPerSecond: number | null;
  };
  readonly stack: {
    readonly kind: string;
    /** setting -> value, both sides. */
    readonly documented: Readonly<Record<string, string>>;
    readonly applied: Readonly<Record<string, string>>;
    /** setting -> why the two differ. */
    readonly reasons: Readonly<Record<string, string>>;
  };
}

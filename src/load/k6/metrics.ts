import type { Workload } from '../../scenario/workload.ts';
import { groupOf } from './buckets.ts';
import type { K6System } from './k6-system.ts';

/** Counters of an operation: how many were due, and what became of them. */
export const COUNT_KINDS = [
  ...(['scheduled', 'ok', 'rejected', 'failed', 'timedOut', 'skipped', 'unfinished'] as const),
  /** The part of `failed` that was never sent. */
  'failedUnsent' as const,
];
export type CountKind = (typeof COUNT_KINDS)[number];

/** Trends: acked - due, acked - sent, sent - due (answered operations), and the part of the lag that the generator caused (also of those that it skipped for it). */
export const TREND_KINDS = ['due', 'service', 'lag', 'ownLag'] as const;
export type TrendKind = (typeof TREND_KINDS)[number];

/** Of what there are buckets: those, and the part of `due` that was rejected. */
export const TIMED_KINDS = [...TREND_KINDS, 'rejected' as const];
export type TimedKind = (typeof TIMED_KINDS)[number];

/** Counters of players, and of what else acts, over the whole run. */
export const TOTAL_KINDS = [
  /** Players that were welcomed, and those that could not connect. */
  ...(['connected', 'connectFailed'] as const),
  /** Players that were connected at GO. */
  'connectedAtGo' as const,
  /** Virtual users beside those that play that every server has welcomed. */
  'lanesReady' as const,
  /** Connections that ended before the virtual user closed them; those among them that were no player's. */
  ...(['disconnects', 'linesLost'] as const),
  /** Players that ended their connection themselves, at the end. */
  'left' as const,
  /** Answers to operations that were not waiting for one. */
  'stray' as const,
  /** Of the players' sockets, payload with framing. */
  ...(['bytesIn', 'bytesOut', 'framesIn'] as const),
  /** Of what acts beside the players, both ways, payload with framing and no HTTP headers. */
  'commandBytes' as const,
  /** The words of the schedule's hash (schedule-hash.ts), of all virtual users: a sum, which the hash is modulo 2^32. */
  ...(['scheduleLow', 'scheduleHigh'] as const),
];
export type TotalKind = (typeof TOTAL_KINDS)[number];

const snaked = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const EARLY = '_early';

/**
 * The beginning of each name of an operation's, in the script, in k6's outputs and in the summary file:
 * `capbench_some_thing` of `someThing`.
 *
 * Counters and Trends of an operation are of what was due in the measure phase. What was due before it, in the ramp
 * and the warm-up, is counted under the same name with `_early`: the whole run is the sum of both. Trends are in
 * whole milliseconds; where several operations go in one request, one value stands for all of them, which were due,
 * sent and answered together. Counters and buckets count operations.
 */
const prefixOf = (operation: string): string => `capbench_${snaked(operation)}`;

/** `capbench_intent_timed_out`; `early`: of what was due before the measure phase. */
export const counterOf = (operation: string, kind: CountKind, early = false): string =>
  `${prefixOf(operation)}_${snaked(kind)}${early ? EARLY : ''}`;

/** `capbench_intent_due` */
export const trendOf = (operation: string, kind: TimedKind): string =>
  `${prefixOf(operation)}_${snaked(kind)}`;

/** Rate: the share that was sent, not skipped, of what was due in the measure phase and has found its end. */
export const sentRateOf = (operation: string): string => `${prefixOf(operation)}_sent`;

/** Rate of one latency budget: the share of all that was due, answered or not, that was answered within its limit. */
export const withinRateOf = (budgetId: string): string =>
  `capbench_within_${budgetId.replace(/[^A-Za-z0-9_]/g, '_')}`;

/** Counter: how many of a trend's values are in each bucket of a group; its tag `le` names a bucket by its end (buckets.ts). */
export const bucketsOf = (trend: string, group: number): string => `${trend}_buckets_${group}`;
/** That of one bucket; k6 has it in the summary where the script declares it as a threshold. */
export const bucketOf = (trend: string, end: number): string =>
  `${bucketsOf(trend, groupOf(end))}{le:${end}}`;

export const totalOf = (kind: TotalKind): string => TOTAL_NAMES[kind] ?? `capbench_${snaked(kind)}`;
/** A name that says more than its kind. */
const TOTAL_NAMES: Partial<Record<TotalKind, string>> = { stray: 'capbench_stray_answers' };

/** Trend, ms: TCP connect, upgrade and welcome of a player. */
export const CONNECT = 'capbench_connect_ms';
/** Gauge: the wall clock's milliseconds at GO. */
export const GO = 'capbench_go';

/** In the summary file beside `metrics`, which is k6's own: what was run. */
export interface SummaryOrigin {
  /** 1: of scripts that had no buckets. */
  readonly schemaVersion: 2;
  readonly scenario: string;
  readonly scenarioHash: string;
  /** What the environment of k6 had as `CAPBENCH_RUN`, as `capbench report --run` has to have it; null for nothing. */
  readonly run: string | null;
  /** Of this process of k6 only: drawn anew for each summary. */
  readonly process: string;
  /** Its `--execution-segment`: `0:1/2`; the whole is `0:1`. */
  readonly segment: string;
  readonly durationSeconds: number;
  /** Why there are no figures. */
  readonly failed?: string | undefined;
  /** By trend: [end of the bucket in milliseconds, count], ascending. */
  readonly buckets?: Readonly<Record<string, readonly (readonly [end: number, count: number])[]>> | undefined;
  /** The rest of what `originOf` names. */
  readonly [key: string]: unknown;
}
/** The key under which the summary holds that. */
export const SUMMARY_ORIGIN = 'capbench';

/** What of the load a summary repeats. */
export function originOf(system: K6System, workload: Workload): Readonly<Record<string, number>> {
  const { seed, players, timeline } = workload;
  return {
    ...{ seed, players, ...system.origin(workload) },
    rampSeconds: timeline.rampEnd / 1e6,
    warmUpSeconds: (timeline.measureStart - timeline.rampEnd) / 1e6,
    durationSeconds: (timeline.end - timeline.measureStart) / 1e6,
  };
}

/** Every trend that there are buckets of. */
export const allTimed = (operations: readonly string[]): readonly string[] => [
  CONNECT,
  ...operations.flatMap((id) => TIMED_KINDS.map((kind) => trendOf(id, kind))),
];

import type { Workload } from '../../scenario/workload.ts';
import type { K6System } from './k6-system.ts';

/** Counters, by the kind of R4. */
export const COUNT_KINDS = [
  ...(['scheduled', 'ok', 'rejected', 'failed', 'timedOut', 'skipped', 'unfinished'] as const),
  /** The part of `failed` that was never sent. */
  'failedUnsent' as const,
];
export type CountKind = (typeof COUNT_KINDS)[number];

/** Trends: acked - due, acked - sent, sent - due (answered operations), and the generator's own part of the lag (those it came too late for, too). */
export const TREND_KINDS = ['due', 'service', 'lag', 'ownLag'] as const;
export type TrendKind = (typeof TREND_KINDS)[number];

const snaked = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const EARLY = '_early';

/**
 * What every name of an operation's begins with, in the script's source, in k6's JSON output and in the summary file:
 * `capbench_some_thing` of `someThing`.
 *
 * Counters and Trends of an operation are of what was due in the measure phase. What was due before it, in the ramp
 * and the warm-up, is counted under the same name with `_early`: the whole run is the sum of both. Trends are in
 * whole milliseconds; where several operations go in one request, one value stands for all of them, which were due,
 * sent and answered together (so percentiles are those of the operations, and only `count` is of requests). Counters
 * count operations always.
 */
const prefixOf = (operation: string): string => `capbench_${snaked(operation)}`;

/** `capbench_intent_timed_out`; `early`: of what was due before the measure phase. */
export const counterOf = (operation: string, kind: CountKind, early = false): string =>
  `${prefixOf(operation)}_${snaked(kind)}${early ? EARLY : ''}`;

/** `capbench_intent_due`; only `due` has an early one. */
export const trendOf = (operation: string, kind: TrendKind): string =>
  `${prefixOf(operation)}_${snaked(kind)}`;
export const earlyDueOf = (operation: string): string => `${prefixOf(operation)}_due${EARLY}`;

/** Rate: the share that was sent, not skipped, of what was due in the measure phase and has found its end. */
export const sentRateOf = (operation: string): string => `${prefixOf(operation)}_sent`;

/** Rate of one latency budget: the share of all that was due, answered or not, that was answered within its limit. */
export const withinRateOf = (budgetId: string): string =>
  `capbench_within_${budgetId.replace(/[^A-Za-z0-9_]/g, '_')}`;

/** Whole run. */
export const METRICS = {
  /** Trend, ms: TCP connect, upgrade and welcome of a player. */
  connect: 'capbench_connect_ms',
  /** Counters: players that were welcomed, and those that could not connect. */
  connected: 'capbench_connected',
  connectFailed: 'capbench_connect_failed',
  /** Counter: virtual users beside those that play that every server has welcomed. */
  lanesReady: 'capbench_lanes_ready',
  /** Counter: connections that ended without being told to. */
  disconnects: 'capbench_disconnects',
  /** Counter: those among them that are no player's. */
  linesLost: 'capbench_lines_lost',
  /** Counter: players that ended their connection themselves, at the end. */
  left: 'capbench_left',
  /** Counter: answers that nobody waited for. */
  stray: 'capbench_stray_answers',
  /** Counters: of the players' sockets, payload with framing. */
  bytesIn: 'capbench_bytes_in',
  bytesOut: 'capbench_bytes_out',
  framesIn: 'capbench_frames_in',
  /** Counter: of what acts beside the players, both ways, payload with framing and no HTTP headers. */
  commandBytes: 'capbench_command_bytes',
  /** Gauge: the wall clock's milliseconds at GO. */
  go: 'capbench_go',
} as const;

/** In the summary file beside `metrics`, which is k6's own: what was run. */
export interface SummaryOrigin {
  readonly schemaVersion: 1;
  readonly scenario: string;
  readonly scenarioHash: string;
  /** What the environment of k6 had as `CAPBENCH_RUN`, as `capbench report --run` has to have it; null for nothing. */
  readonly run: string | null;
  /** Of this process of k6 alone: drawn anew for each summary. */
  readonly process: string;
  /** Its `--execution-segment`: `0:1/2`; the whole is `0:1`. */
  readonly segment: string;
  readonly durationSeconds: number;
  /** Why there are no figures. */
  readonly failed?: string | undefined;
  /** The rest of what `originOf` says. */
  readonly [key: string]: unknown;
}
/** The key under which the summary holds that. */
export const SUMMARY_ORIGIN = 'capbench';

/** What of the load a summary says again. */
export function originOf(system: K6System, workload: Workload): Readonly<Record<string, number>> {
  const { seed, players, timeline } = workload;
  return {
    ...{ seed, players, ...system.origin(workload) },
    rampSeconds: timeline.rampEnd / 1e6,
    warmUpSeconds: (timeline.measureStart - timeline.rampEnd) / 1e6,
    durationSeconds: (timeline.end - timeline.measureStart) / 1e6,
  };
}

/** Every counter of these operations; k6 shows one that was never added to as missing, which is 0. */
export const allCounters = (operations: readonly string[]): readonly string[] =>
  operations.flatMap((id) =>
    [false, true].flatMap((early) => COUNT_KINDS.map((kind) => counterOf(id, kind, early))),
  );

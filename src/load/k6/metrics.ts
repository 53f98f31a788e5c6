import { OPERATIONS, type Operation } from '../../scenario/workload.ts';

/**
 * The names of what the k6 script counts and times: in its source, in k6's JSON output, and in the summary file.
 *
 * Counters and Trends of an operation are of what was due in the measure phase. What was due before it, in the ramp
 * and the warm-up, is counted under the same name with `_early`: the whole run is the sum of both. Trends are in
 * whole milliseconds; of monster commands, one value stands for a post, all of whose commands were due, sent and
 * committed together (so percentiles are those of the commands, and only `count` is of posts). Counters count
 * operations always: a post of 200 commands counts 200.
 */
export const OUTCOMES = ['ok', 'rejected', 'failed', 'timedOut', 'skipped', 'unfinished'] as const;

/** Counters, by the kind of R4. */
export const COUNT_NAMES = {
  scheduled: 'scheduled',
  ok: 'ok',
  rejected: 'rejected',
  failed: 'failed',
  failedUnsent: 'failed_unsent',
  timedOut: 'timed_out',
  skipped: 'skipped',
  unfinished: 'unfinished',
} as const;
export type CountKind = keyof typeof COUNT_NAMES;
export const COUNT_KINDS = ['scheduled', ...OUTCOMES] as const satisfies readonly CountKind[];
/** Those, and the part of `failed` that was never sent, which scripts of before it was told apart do not count. */
export const COUNTED_KINDS = [...COUNT_KINDS, 'failedUnsent'] as const satisfies readonly CountKind[];

/** Trends: acked - due, acked - sent, sent - due (answered operations), and the generator's own part of the lag (those it came too late for, too). */
export const TREND_NAMES = { due: 'due', service: 'service', lag: 'lag', ownLag: 'own_lag' } as const;
export type TrendKind = keyof typeof TREND_NAMES;
export const TREND_KINDS = ['due', 'service', 'lag', 'ownLag'] as const satisfies readonly TrendKind[];

const PREFIX: Readonly<Record<Operation, string>> = {
  intent: 'capbench_intent',
  monsterCommand: 'capbench_monster_command',
};
const EARLY = '_early';

/** `capbench_intent_timed_out`; `early`: of what was due before the measure phase. */
export const counterOf = (operation: Operation, kind: CountKind, early = false): string =>
  `${PREFIX[operation]}_${COUNT_NAMES[kind]}${early ? EARLY : ''}`;

/** `capbench_monster_command_due`; only `due` has an early one. */
export const trendOf = (operation: Operation, kind: TrendKind): string =>
  `${PREFIX[operation]}_${TREND_NAMES[kind]}`;
export const earlyDueOf = (operation: Operation): string => `${PREFIX[operation]}_due${EARLY}`;

/** Rate: the share that was sent, not skipped, of what was due in the measure phase and has found its end. */
export const sentRateOf = (operation: Operation): string => `${PREFIX[operation]}_sent`;

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
  /** Counter: lanes of monsters that every world server has welcomed. */
  lanesReady: 'capbench_lanes_ready',
  /** Counter: connections of players and lanes that ended without being told to. */
  disconnects: 'capbench_disconnects',
  /** Counter: those of lanes among them. */
  linesLost: 'capbench_lines_lost',
  /** Counter: players that ended their connection themselves, at the end. */
  left: 'capbench_left',
  /** Counter: answers that nobody waited for. */
  stray: 'capbench_stray_answers',
  /** Counters: of the players' sockets, payload with framing. */
  bytesIn: 'capbench_bytes_in',
  bytesOut: 'capbench_bytes_out',
  framesIn: 'capbench_frames_in',
  /** Counter: of the monsters' posts and commits, both ways, payload with framing and no HTTP headers. */
  commandBytes: 'capbench_command_bytes',
  /** Gauge: the wall clock's milliseconds at GO. */
  go: 'capbench_go',
} as const;

/** The summary file, whose `metrics` is k6's own: `metrics[name].values['p(95)']`, `.values.count`, `.values.rate`. */
export const SUMMARY_FILE = 'capbench-summary.json';
/** Beside `metrics`: what was run. */
export interface SummaryOrigin {
  readonly schemaVersion: 1;
  readonly scenario: string;
  readonly scenarioHash: string;
  readonly seed: number;
  readonly players: number;
  readonly monsters: number;
  readonly commandsPerPost: number;
  readonly rampSeconds: number;
  readonly warmUpSeconds: number;
  readonly durationSeconds: number;
  /** What the environment of k6 had as `CAPBENCH_RUN`, as `capbench report --run` has to have it; null for nothing. */
  readonly run: string | null;
  /** Of this process of k6 alone: drawn anew for each summary. */
  readonly process: string;
  /** Its `--execution-segment`: `0:1/2`; the whole is `0:1`. */
  readonly segment: string;
  /** Why there are no figures. */
  readonly failed?: string | undefined;
}
/** The key under which the summary holds that. */
export const SUMMARY_ORIGIN = 'capbench';
export const TREND_STATISTICS = [
  'count',
  'avg',
  'min',
  'med',
  'max',
  'p(50)',
  'p(90)',
  'p(95)',
  'p(99)',
  'p(99.9)',
] as const;

/** Every counter of an operation; k6 shows one that was never added to as missing, which is 0. */
export const allCounters = (): readonly string[] =>
  OPERATIONS.flatMap((operation) =>
    [false, true].flatMap((early) => COUNTED_KINDS.map((kind) => counterOf(operation, kind, early))),
  );

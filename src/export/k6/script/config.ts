import type { TotalKind } from '../../../load/k6/metrics.ts';
import type { Timeline } from '../../../scenario/workload.ts';
import type { Micros } from '../../../units.ts';

/** What the head of an exported script defines; ../script.ts writes it. */
interface Config {
  readonly scenario: string;
  readonly scenarioHash: string;
  readonly seed: number;
  readonly players: number;
  readonly playersPerUser: number;
  readonly rampSeconds: number;
  readonly warmUpSeconds: number;
  readonly durationSeconds: number;
  readonly drainSeconds: number;
  readonly outstanding: number;
  readonly skipAfterSeconds: number;
  readonly timeoutSeconds: number;
  readonly connectsPerSecond: number;
  /** Those of the system. */
  readonly [key: string]: number | string;
}

/** A latency budget over all that was due: what was not answered counts as slower than everything that was. */
export interface Limit {
  readonly rate: string;
  readonly limitMs: number;
  readonly strict: boolean;
}

declare global {
  const CONFIG: Config;
  const ORIGIN: readonly string[];
  const LABELS: Readonly<Record<string, string>>;
  const LIMITS: Readonly<Record<string, readonly Limit[]>>;
  const BASE_URLS: readonly string[];
  const HEADERS: Readonly<Record<string, string>>;
  const CONNECT_SECONDS: number;
  const SCENARIOS: Readonly<Record<string, object>>;
  const THRESHOLDS: Readonly<Record<string, string[]>>;
}

const after = (start: number, seconds: number): Micros => (start + Math.round(seconds * 1e6)) as Micros;
const rampEnd = after(0, CONFIG.rampSeconds);
const measureStart = after(rampEnd, CONFIG.warmUpSeconds);

/** In microseconds after GO. */
export const TIMELINE: Timeline = {
  rampEnd,
  measureStart,
  end: after(measureStart, CONFIG.durationSeconds),
};

// Latency counts from the moment at which an operation was due, not from its sending: a server that stalls cannot
// improve its own figures by slowing the load down. k6 has a clock of whole milliseconds, so due times are rounded down.
export const dueMs = (due: number): number => Math.floor(due / 1000);
export const END_MS = Math.ceil(TIMELINE.end / 1000);
export const DRAIN_END_MS = END_MS + CONFIG.drainSeconds * 1000;
export const SKIP_AFTER_MS = CONFIG.skipAfterSeconds * 1000;
export const TIMEOUT_MS = CONFIG.timeoutSeconds * 1000;

/** capbench runs this script and reads what its virtual users report (load/k6/user-report.ts). */
export const UNDER_CAPBENCH = __ENV.CAPBENCH_REPORTS === '1';

/** What `setup` hands to every virtual user. */
export interface SetupData<World> {
  readonly worlds: readonly World[];
  /** By the wall clock, in milliseconds. */
  readonly connectFrom: number;
  readonly go: number;
  /** A name of this run, for the servers. */
  readonly run: string;
}

export type Totals = Record<TotalKind, number>;

import { isRecord, parseJson } from '../json.ts';
import type { CountKind, TimedKind, TotalKind } from './metrics.ts';

/*
 * What the virtual users of k6 report to capbench while it runs them: a line of JSON each. Under plain `k6 run` the
 * script prints none, and adds the same counts to k6's metrics instead.
 */

/** GO, once, by the setup of the script: the wall clock's milliseconds. */
export interface GoReport {
  readonly go: number;
}

/** [milliseconds, count] again and again: latencies, or other times, since the report before. Absent: none. */
export type Times = readonly number[] | undefined;

/** What was counted since the report before, where that is more than 0. */
type Counted<Kind extends string> = Readonly<Partial<Record<Kind, number>>> | undefined;

/** What happened to one virtual user since its report before. */
export interface ProgressReport {
  /** The beginning of that span, in milliseconds after GO. */
  readonly at: number;
  readonly totals?: Counted<TotalKind>;
  readonly connect?: Times;
  /** In the order of the workload's operations; null for one of which there was nothing. */
  readonly operations: readonly (OperationProgress | null)[];
}

export interface OperationProgress extends Readonly<Partial<Record<TimedKind, Times>>> {
  /** Of what was due before the measure phase. */
  readonly early?: Counted<CountKind>;
  readonly earlyDue?: Times;
  /** Of what was due in it. */
  readonly measured?: Counted<CountKind>;
}

/** What a virtual user reports at its end. */
export interface LedgerReport {
  /**
   * Of each entity that acted: [id, last number before the run, last number used, what the server stated last (Ledger),
   * highest number acknowledged], and then [first, last] of each gap in what was acknowledged.
   */
  readonly ledger: readonly (readonly number[])[];
  /** Of the schedule (schedule-hash.ts). */
  readonly hash: readonly [low: number, high: number];
  /** Distinct messages. */
  readonly errors: readonly string[];
}

export type UserReport = GoReport | ProgressReport | LedgerReport;

/** The report that a line holds; null for any other line: k6 writes warnings of its own among them. */
export function userReportIn(line: string): UserReport | null {
  const value = parseJson(line);
  if (!isRecord(value)) return null;
  if (typeof value.go === 'number') return { go: value.go };
  if (typeof value.at === 'number' && Array.isArray(value.operations))
    return value as unknown as ProgressReport;
  return Array.isArray(value.ledger) && Array.isArray(value.hash) ? (value as unknown as LedgerReport) : null;
}

export const isGo = (report: UserReport): report is GoReport => 'go' in report;
export const isProgress = (report: UserReport): report is ProgressReport => 'at' in report;

import { EXIT, type ExitCode } from '../errors.ts';
import type { Report, ReportRuling } from './report.ts';

/** A run among several of the same scenario, with its bundle. */
export interface Trial {
  /** From 1. */
  readonly trial: number;
  /** Relative to the folder of all trials. */
  readonly folder: string;
  readonly report: Report;
}

/** How the figures of one budget differ between the trials. */
interface BudgetSpread
  extends Pick<ReportRuling, 'id' | 'title' | 'metric' | 'stat' | 'op' | 'limit' | 'unit' | 'metricUnit'> {
  /** Of the trials that have a number; null where none has. In `metricUnit`. */
  readonly min: number | null;
  readonly median: number | null;
  readonly max: number | null;
  /** How many trials met it, breached it, or did not judge it. */
  readonly met: number;
  readonly breached: number;
  readonly unjudged: number;
}

/** trials.json: the trials of `capbench run --trials N`. Fields may be added, never changed. */
export interface TrialsReport extends Pick<Report, 'capbench' | 'scenario' | 'outcome'> {
  readonly schemaVersion: 1;
  /** How many were asked for. */
  readonly requested: number;
  /** Each trial was of the same running server; false: each was on a fresh stack. */
  readonly sameServer: boolean;
  readonly exitCode: ExitCode;
  /** The first trial with the worst exit code; null where that is an interruption between two trials. */
  readonly decidedBy: number | null;
  readonly trials: readonly (Pick<Report, 'outcome' | 'exitCode' | 'headline' | 'startedAt'> &
    Pick<Trial, 'trial' | 'folder'> & {
      /** Made so often: all but the last had no conclusion. */
      readonly attempts: number;
    })[];
  readonly budgets: readonly BudgetSpread[];
}

/** The worst first. */
const ORDER: readonly ExitCode[] = [
  ...[EXIT.interrupted, EXIT.stackFailed, EXIT.dataLost, EXIT.invalid, EXIT.breached],
  ...[EXIT.regression, EXIT.pass],
];

/** The worst of some exit codes; pass where there are none. */
export const worstOf = (codes: readonly number[]): ExitCode =>
  ORDER.find((code) => codes.includes(code)) ?? EXIT.pass;

/** What several trials have shown. @throws an Error where there is none */
export function trialsReport(
  all: readonly Trial[],
  { requested, sameServer }: Pick<TrialsReport, 'requested' | 'sameServer'>,
): TrialsReport {
  const [first] = all;
  if (first === undefined) throw new Error('there is no trial to report');
  const codes = all.map(({ report }) => report.exitCode);
  const exitCode = worstOf([...codes, ...(all.length < requested ? [EXIT.interrupted] : [])]);
  const decisive = all.find(({ report }) => report.exitCode === exitCode) ?? null;
  return {
    schemaVersion: 1,
    ...{ capbench: first.report.capbench, scenario: first.report.scenario, requested, sameServer },
    outcome: decisive?.report.outcome ?? 'invalid',
    ...{ exitCode, decidedBy: decisive?.trial ?? null },
    trials: all.map(({ trial, folder, report }) => ({
      ...{ trial, folder, outcome: report.outcome, exitCode: report.exitCode, headline: report.headline },
      ...{ startedAt: report.startedAt, attempts: 1 + (report.earlierAttempts?.length ?? 0) },
    })),
    budgets: spreads(all.map(({ report }) => report)),
  };
}

/** A run that was cut short or had no stack has no figures to compare. */
const isWhole = ({ exitCode }: Report): boolean =>
  exitCode !== EXIT.interrupted && exitCode !== EXIT.stackFailed;

function spreads(reports: readonly Report[]): readonly BudgetSpread[] {
  const whole = reports.filter(isWhole);
  return (reports[0]?.rulings ?? []).flatMap((ruling) => {
    if (ruling.metric === null) return [];
    const { id, title, metric, stat, op, limit, unit, metricUnit } = ruling;
    const own = whole.flatMap(({ rulings }) => rulings.find((other) => other.id === id) ?? []);
    const values = own.flatMap(({ observed }) => (typeof observed === 'number' ? [observed] : []));
    const sorted = values.toSorted((a, b) => a - b);
    const count = (...states: readonly ReportRuling['state'][]): number =>
      own.filter(({ state }) => states.includes(state)).length;
    return [
      {
        ...{ id, title, metric, stat, op, limit, unit, metricUnit },
        ...{ min: sorted[0] ?? null, median: medianOf(sorted), max: sorted.at(-1) ?? null },
        ...{ met: count('met'), breached: count('breached') },
        unjudged: count('unmeasured', 'contradicted', 'untestable'),
      },
    ];
  });
}

function medianOf(sorted: readonly number[]): number | null {
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

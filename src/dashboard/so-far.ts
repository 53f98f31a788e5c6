import { rule } from '../judge/ruling.ts';
import { judge } from '../judge/verdict.ts';
import { systemFiguresOf } from '../measurement/figures.ts';
import { figuresOf } from '../measurement/figures-of.ts';
import type { Measurements } from '../measurement/measurements.ts';
import { ratesAt, sumOf, valuesAt } from '../measurement/readings.ts';
import type { SystemFigures } from '../measurement/system-figures.ts';
import { ownValues } from '../report/curves.ts';
import { type Report, type ReportRuling, reportOf } from '../report/report.ts';
import type { Scenario } from '../scenario/scenario.ts';

/**
 * The report that a run would have if it ended now: the figures, budgets and charts of the report at the end, from the facts so
 * far. Its verdict and its rules mean nothing yet.
 */
export function reportSoFar(m: Measurements, s: Scenario, own: SystemFigures | undefined): Report {
  const figures = figuresOf(m, s, own);
  const verdict = judge(m, s, figures);
  // What a disturbance may explain is for the end to say.
  const rulings = s.budgets.map((budget) => rule(budget, figures, m, s.altered));
  const report = reportOf(m, s, { ...verdict, rulings }, figures, systemFiguresOf(own));
  return { ...report, rulings: report.rulings.map(standing) };
}

/** Figures that have no part which is known before the load has been drained, or its rows were read. */
const AT_THE_END = [
  /^latency\.[^.]+\.(?:service|lag|rejected)$/,
  /^(?:integrity|faults|outage|delivery|player|perPlayer)\./,
  /^network\.(?:kernel\.|fullStrengthMs|reconnectMs)/,
  /^generator\.(?:lagP99Ms|ownLagP99Ms|pushbackMeanMs)/,
];
/** Of a stage, what became of its connections is known then, too. */
const OF_STAGE_AT_THE_END = /^network\./;

/** What is in the way of a figure during the run, and will still be there at its end. */
const LASTING: ReadonlySet<unknown> = new Set(['engine', 'platform']);

/** A budget as it stands: one whose figure is not known yet is unmeasured, without a reason. */
export function standing(ruling: ReportRuling): ReportRuling {
  const { metric, stage, state, cause } = ruling;
  const unknown = { ...ruling, state: 'unmeasured', observed: null, samples: null, reason: null } as const;
  if (state !== 'met' && state !== 'breached' && state !== 'unmeasured') return ruling;
  const isOpen =
    AT_THE_END.some((one) => one.test(metric ?? '')) ||
    (stage !== undefined && OF_STAGE_AT_THE_END.test(metric ?? ''));
  if (state !== 'unmeasured') return isOpen ? unknown : ruling;
  // What has no figure yet has no reason for that either, unless the scenario has one.
  return cause === 'scenario' || (!isOpen && LASTING.has(cause)) ? ruling : unknown;
}

/** The last whole second that the load has reported; the figures are those of its series, which the charts draw. */
export interface LastSecond {
  /** After GO; null before the first one. */
  readonly second: number | null;
  readonly connected: number | null;
  readonly duePerSecond: number | null;
  readonly answeredPerSecond: number | null;
  readonly operations: Readonly<Record<string, OperationSecond>>;
}

interface OperationSecond {
  readonly due: number | null;
  readonly answered: number | null;
  readonly inFlight: number | null;
  /** Milliseconds from the scheduled time, of what was answered in that second. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export function lastSecondOf({
  series,
  operations,
}: Pick<Measurements, 'series' | 'operations'>): LastSecond {
  const { points = [] } = series['load.connected'] ?? {};
  const second = Math.floor((points.at(-1)?.[0] ?? 0) + 1e-6);
  const at = second < 1 ? [] : [second];
  const value = (name: string): number | null => valuesAt(series[name], at)[0] ?? null;
  const rate = (name: string): number | null => ratesAt(series[name], at)[0] ?? null;
  const own = (name: string): number | null => ownValues(series[name], at)[0] ?? null;
  const each = Object.keys(operations).map((id): readonly [string, OperationSecond] => {
    const of = `load.${id}`;
    return [
      id,
      {
        due: rate(`${of}.scheduled`),
        answered: sumOf([rate(`${of}.ok`), rate(`${of}.rejected`)]),
        inFlight: value(`${of}.inFlight`),
        ...{ p50: own(`${of}.p50Ms`), p95: own(`${of}.p95Ms`), p99: own(`${of}.p99Ms`) },
      },
    ];
  });
  return {
    second: at[0] ?? null,
    connected: value('load.connected'),
    duePerSecond: sumOf(each.map(([, { due }]) => due)),
    answeredPerSecond: sumOf(each.map(([, { answered }]) => answered)),
    operations: Object.fromEntries(each),
  };
}

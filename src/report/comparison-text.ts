import type { Side } from '../compare/arm.ts';
import type { Comparison } from '../compare/comparison.ts';
import type { MetricComparison, Sample } from '../compare/metric-comparison.ts';
import { counted } from '../units.ts';
import { NOTHING, numberText, quantity, readableSize, withUnit } from './quantity.ts';

/** What each metric is ruled, as a sign. A metric that does not decide has none. */
export const RULING_SIGNS: Readonly<Record<MetricComparison['ruling'], string>> = {
  better: '✓',
  same: '✓',
  worse: '✗',
  underpowered: '?',
  'not comparable': '?',
};

/** `REGRESSION` */
export const comparisonWord = ({ outcome }: Pick<Comparison, 'outcome'>): string =>
  outcome === 'inconclusive' ? 'no conclusion' : outcome;

/** `reports/a (5 trials)` */
export const sideText = ({ name, trials, counted: of }: Side): string =>
  `${name} (${of === trials.length ? counted(of, 'trial') : `${of} of ${counted(trials.length, 'trial')}`})`;

/** How the trials were compared, in a sentence without a full stop. */
export function methodText({ design, thresholdPercent, confidencePercent, metrics }: Comparison): string {
  const deciding = metrics.filter(({ gated }) => gated).length;
  const how = design === 'paired' ? 'by pairs' : 'by separate trials';
  return `${how}; a regression is worse by more than ${numberText(thresholdPercent)}%, with ${numberText(confidencePercent, 4)}% confidence in all of ${counted(deciding, 'metric')} that decide`;
}

/** `182 µs`, `4.2 MB`; `–` without a figure. */
export function meanText({ mean }: Sample, unit: string): string {
  if (mean === null || unit !== 'bytes') return quantity(mean, unit);
  let [value, of] = [mean, 'bytes'];
  for (const larger of ['kB', 'MB', 'GB']) if (value >= 1024) [value, of] = [value / 1024, larger];
  const [shown, unitOf] = readableSize(value, of);
  return withUnit(numberText(shown), unitOf);
}

/** `+10.4%`, `-3.2%`, `0%` */
export function percentText(percent: number | null): string {
  if (percent === null) return NOTHING;
  // A change that rounds to nothing is none.
  const size = Math.abs(percent) < 0.005 ? 0 : Math.abs(percent);
  const digits = size >= 100 ? size.toFixed(0) : size >= 10 ? size.toFixed(1) : size.toFixed(2);
  return size === 0 ? '0%' : `${percent < 0 ? '-' : '+'}${digits}%`;
}

/** `+8.0% to +12.9%`; `–` without an interval. */
export const intervalText = ({
  lowPercent,
  highPercent,
}: Pick<MetricComparison, 'lowPercent' | 'highPercent'>): string =>
  lowPercent === null || highPercent === null
    ? NOTHING
    : `${percentText(lowPercent)} to ${percentText(highPercent)}`;

/** `3.1%` */
export const detectableText = ({ detectablePercent }: Pick<MetricComparison, 'detectablePercent'>): string =>
  percentText(detectablePercent).replace('+', '');

/** `worse`; of what does not decide in brackets. */
export const rulingWord = ({ ruling, gated }: Pick<MetricComparison, 'ruling' | 'gated'>): string =>
  gated ? ruling : `(${ruling})`;

/** Why metrics that decide have no ruling, and what stands beside the figures: a line for each. */
export const remarksOf = ({ metrics, notes }: Comparison): readonly string[] => [
  ...metrics.flatMap(({ label, gated, because }) =>
    because === null || !gated ? [] : [`${label}: ${because}`],
  ),
  ...notes,
];

/** What to do after it. */
export function comparisonAdvice(comparison: Comparison): string {
  const { outcome, notComparable, metrics, design } = comparison;
  if (outcome === 'regression') return 'look at what changed between the two versions';
  if (outcome === 'pass') return 'nothing to do';
  if (notComparable.some(({ what }) => what === 'trials with a conclusion'))
    return 'run the trials without a conclusion again';
  if (notComparable.length > 0)
    return 'run both versions on the same machine, with the same scenario and settings';
  const open = metrics.filter(({ gated, ruling }) => gated && ruling === 'underpowered');
  if (open.length === 0) return 'measure what is missing in one of the two versions';
  if (open.some((one) => Math.min(one.base.n, one.head.n) < 2))
    return 'run several trials of each version: capbench run --trials 10';
  const known = open.flatMap(({ trialsNeeded }) => trialsNeeded ?? []);
  if (known.length < open.length)
    return 'a quieter machine, or longer runs: no number of trials up to 1,000 is enough';
  return design === 'paired'
    ? `run about ${Math.max(...known)} pairs`
    : `run about ${Math.max(...known)} trials of each version, or both interleaved on one machine, which needs fewer`;
}

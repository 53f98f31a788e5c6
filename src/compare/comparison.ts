import { EXIT, type ExitCode } from '../errors.ts';
import { counted } from '../units.ts';
import { type Arm, countedOf, leftOutNote, type Side, sideOf } from './arm.ts';
import type { Design } from './change.ts';
import { type Difference, differencesOf, versionNotes } from './difference.ts';
import type { Gate } from './gate.ts';
import { type MetricComparison, type MetricRuling, rulingsOf } from './metric-comparison.ts';

/** comparison.json, schemaVersion 1. Fields may be added, never changed. */
export interface Comparison {
  readonly schemaVersion: 1;
  readonly kind: 'comparison';
  readonly scenario: string;
  readonly system: string;
  readonly base: Side;
  readonly head: Side;
  readonly design: Design;
  readonly thresholdPercent: number;
  readonly confidencePercent: number;
  readonly notComparable: readonly Difference[];
  /** In the order of metric.ts. */
  readonly metrics: readonly MetricComparison[];
  readonly outcome: 'pass' | 'regression' | 'inconclusive';
  readonly exitCode: ExitCode;
  /** One sentence: what decided. */
  readonly headline: string;
  /** What else to know: trials that were left out, versions of programs and gates that differ. */
  readonly notes: readonly string[];
}

/**
 * Compares two versions by their trials.
 *
 * Worse: the interval excludes "no change", family-wise at the confidence of the gate (Holm, over the gated metrics), and the
 * estimate is beyond the threshold. Where neither that nor an improvement is shown, and the trials would not have shown a change of
 * the threshold, the metric is underpowered. A gated metric that is worse is a regression, whatever became of the others.
 *
 * @param design `paired`: `base.trials[i]` and `head.trials[i]` were run one right after the other, and are left out together
 */
export function compare(base: Arm, head: Arm, gate: Gate, design: Design): Comparison {
  if (design === 'paired' && base.trials.length !== head.trials.length)
    throw new Error('pairs of a base and a head are expected');
  const [before, after] = [sideOf(base, head, design), sideOf(head, base, design)];
  const valid = { base: countedOf(base, before), head: countedOf(head, after) };
  const notComparable = differencesOf(valid.base, valid.head, before, after);
  const metrics = rulingsOf(valid.base, valid.head, gate, design, notComparable.length === 0);
  const { outcome, headline } = verdictOf(metrics, notComparable, gate);
  const [first] = [...head.trials, ...base.trials];
  return {
    ...{ schemaVersion: 1, kind: 'comparison', scenario: first?.scenario ?? '', system: first?.system ?? '' },
    ...{ base: before, head: after, design },
    ...{ thresholdPercent: gate.thresholdPercent, confidencePercent: gate.confidencePercent },
    ...{ notComparable, metrics, outcome, exitCode: EXIT_CODES[outcome], headline },
    notes: [...[before, after].flatMap(leftOutNote), ...versionNotes(valid.base, valid.head)],
  };
}

const EXIT_CODES = { pass: EXIT.pass, regression: EXIT.regression, inconclusive: EXIT.invalid } as const;

/** What a sentence names of what is not comparable: all of it is listed. */
const MOST_NAMED = 3;

/** The outcome, and the sentence that says why. */
function verdictOf(
  metrics: readonly MetricComparison[],
  notComparable: readonly Difference[],
  { thresholdPercent }: Gate,
): Pick<Comparison, 'outcome' | 'headline'> {
  if (notComparable.length > 0) {
    const texts = notComparable.map(({ what, base, head }) => `${what} (${base} against ${head})`);
    const more = texts.length - MOST_NAMED;
    const rest = more > 0 ? [`and ${more} more`] : [];
    const named = [...texts.slice(0, MOST_NAMED), ...rest].join(', ');
    return { outcome: 'inconclusive', headline: `not comparable: ${named}` };
  }
  const gated = metrics.filter((one) => one.gated);
  const of = (ruling: MetricRuling): readonly MetricComparison[] =>
    gated.filter((one) => one.ruling === ruling);
  const named = (all: readonly MetricComparison[]): string => all.map(({ label }) => label).join('; ');
  const [worse, better] = [of('worse'), of('better')];
  const [underpowered, apart] = [of('underpowered'), of('not comparable')];
  const open = [
    ...(underpowered.length === 0
      ? []
      : [`too few trials for a change of ${thresholdPercent}% of ${named(underpowered)}`]),
    ...(apart.length === 0 ? [] : [`not comparable: ${named(apart)}`]),
  ];
  if (worse.length > 0) {
    const texts = worse.map(
      ({ label, changePercent, better: good }) =>
        `${label} is ${Math.abs(changePercent ?? 0).toPrecision(3)}% ${good === 'lower' ? 'higher' : 'lower'}`,
    );
    return { outcome: 'regression', headline: [texts.join(', '), ...open].join('; ') };
  }
  if (open.length > 0) return { outcome: 'inconclusive', headline: open.join('; ') };
  if (gated.length === 0) return { outcome: 'inconclusive', headline: 'no metric of the gate was measured' };
  const gain = better.length === 0 ? '' : `; better: ${named(better)}`;
  return {
    outcome: 'pass',
    headline: `none of ${counted(gated.length, 'metric')} is worse by more than ${thresholdPercent}%${gain}`,
  };
}

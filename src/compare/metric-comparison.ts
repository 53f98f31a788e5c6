import { counted } from '../units.ts';
import {
  type Change,
  changeOf,
  cvPercentOf,
  type Design,
  detectableOf,
  intervalOf,
  percentOf,
  tailsOf,
  trialsNeeded,
} from './change.ts';
import { DEFAULT_GATE, type Gate, isGated } from './gate.ts';
import { holmLevels } from './holm.ts';
import { type ComparedMetric, FAMILIES, familyOf, metricOf, selects } from './metric.ts';
import type { Trial } from './trial.ts';

export type MetricRuling = 'better' | 'worse' | 'same' | 'underpowered' | 'not comparable';

/** The figures of one metric and one version. */
export interface Sample {
  readonly n: number;
  /** Arithmetic; null without any. */
  readonly mean: number | null;
  /** Standard deviation in percent of the mean; null for fewer than two. */
  readonly cvPercent: number | null;
}

/** One metric in both versions. Percentages are of the base: `changePercent` 5 is 1.05 times as much. */
export interface MetricComparison {
  readonly metric: string;
  readonly label: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** Its ruling has a part in the outcome. */
  readonly gated: boolean;
  readonly base: Sample;
  readonly head: Sample;
  /** By geometric means, of all pairs where they are paired; null where there is no ratio. */
  readonly changePercent: number | null;
  /** Its interval: of a gated metric at the level of Holm's procedure, else at the confidence of the gate. */
  readonly lowPercent: number | null;
  readonly highPercent: number | null;
  /** The smallest change for the worse that these trials show with a probability of 80%. */
  readonly detectablePercent: number | null;
  /** Trials of each version (or pairs) with which that would be the threshold; null: unknown, or more than 1,000. */
  readonly trialsNeeded: number | null;
  readonly ruling: MetricRuling;
  /** Why, where neither the numbers nor `notComparable` say it: of what is underpowered, has no ratio, or is not gated for its size. */
  readonly because: string | null;
}

/** A metric with its values, and what follows from them. */
interface Tested {
  readonly metric: ComparedMetric;
  readonly gated: boolean;
  readonly base: readonly number[];
  readonly head: readonly number[];
  readonly change: Change | null;
  /** Why there is no ratio; null: there is one. */
  readonly refused: string | null;
  /** Why it is not gated, though the gate names it. */
  readonly note: string | null;
}

/**
 * The metrics of both versions, in the order of metric.ts.
 * @param areComparable false: whatever the figures show, none is ruled
 */
export function rulingsOf(
  base: readonly Trial[],
  head: readonly Trial[],
  gate: Gate,
  design: Design,
  areComparable: boolean,
): readonly MetricComparison[] {
  const all = namesOf(base, head, gate).map((name) => testedOf(name, base, head, gate, design));
  const family = all.filter(({ gated, change }) => gated && change !== null);
  const alpha = 1 - gate.confidencePercent / 100;
  const levels = holmLevels(
    family.map(({ change }) => (change === null ? 1 : tailsOf(change))),
    alpha,
  );
  return all.map((one) => {
    const rank = family.indexOf(one);
    // Holm's level depends on what the other metrics show. What trials could have shown must not: it has the strictest one.
    const [level, strictest] = rank < 0 ? [alpha, alpha] : [levels[rank] ?? alpha, alpha / family.length];
    return ruledOf(one, gate, design, { level, strictest }, areComparable);
  });
}

/** The metrics of any trial, and those that the gate names beyond the default. */
function namesOf(base: readonly Trial[], head: readonly Trial[], { metrics }: Gate): readonly string[] {
  const measured = new Set([...base, ...head].flatMap((trial) => Object.keys(trial.metrics)));
  const lacking = metrics.filter(
    (selector) =>
      !DEFAULT_GATE.metrics.includes(selector) && ![...measured].some((name) => selects(selector, name)),
  );
  const rank = (name: string): number => Object.keys(FAMILIES).indexOf(familyOf(name));
  return [...measured, ...lacking].toSorted((a, b) => rank(a) - rank(b));
}

function testedOf(
  name: string,
  base: readonly Trial[],
  head: readonly Trial[],
  gate: Gate,
  design: Design,
): Tested {
  const of = (trials: readonly Trial[]): readonly number[] =>
    trials.flatMap(({ metrics }) => metrics[name] ?? []);
  const [before, after] = [of(base), of(head)];
  const refused = refusalOf([before, base.length, 'base'], [after, head.length, 'head']);
  const note = smallnessOf(name, base, head, gate);
  const isSame = [...before, ...after].every((value) => value === 0);
  return {
    ...{ metric: metricOf(name), gated: isGated(gate, name) && note === null, note, refused },
    ...{ base: before, head: after },
    change: refused !== null || isSame ? null : changeOf(before, after, design),
  };
}

type Figures = readonly [values: readonly number[], trials: number, of: string];

/** Why there is no ratio of two versions; null where there is one, or nothing but zeros. */
function refusalOf(...both: readonly [Figures, Figures]): string | null {
  const missing = both.flatMap(([values, trials, of]) =>
    values.length === trials
      ? []
      : [
          values.length === 0
            ? `no figure in ${of}`
            : `no figure in ${trials - values.length} of ${counted(trials, 'trial')} of ${of}`,
        ],
  );
  if (missing.length > 0) return missing.join(', ');
  if (both.every(([values]) => values.every((value) => value === 0))) return null;
  const zeros = both.flatMap(([values, trials, of]) => {
    const count = values.filter((value) => value <= 0).length;
    return count === 0
      ? []
      : [`0 in ${count === trials ? 'each' : count} of ${counted(trials, 'trial')} of ${of}`];
  });
  return zeros.length === 0 ? null : `${zeros.join(', ')}: there is no ratio`;
}

/** Of all components together: what is below it in both versions is mostly the resolution of the clock, and costs next to nothing. */
const SMALL_PERCENT = 5;
const SHARED = ['cpuPerOperation', 'memoryPerPlayer'];

/** Why a component does not decide, though the gate names its family; null: it may. */
export function smallnessOf(
  name: string,
  base: readonly Pick<Trial, 'metrics'>[],
  head: readonly Pick<Trial, 'metrics'>[],
  { metrics }: Pick<Gate, 'metrics'>,
): string | null {
  const family = familyOf(name);
  if (!SHARED.includes(family) || metrics.includes(name) || !metrics.includes(family)) return null;
  const shareOf = (trials: readonly Pick<Trial, 'metrics'>[]): number => {
    let [own, all] = [0, 0];
    for (const trial of trials)
      for (const [other, value] of Object.entries(trial.metrics))
        if (familyOf(other) === family) {
          all += value;
          if (other === name) own += value;
        }
    return all === 0 ? 0 : (100 * own) / all;
  };
  const share = Math.max(shareOf(base), shareOf(head));
  return share >= SMALL_PERCENT
    ? null
    : `below ${SMALL_PERCENT}% of all components: decides only where the gate names ${name}`;
}

/** To keep what is exactly at the threshold there. */
const rounded = (percent: number): number => Number(percent.toPrecision(12));

function ruledOf(
  { metric, gated, base, head, change, refused, note }: Tested,
  { thresholdPercent }: Gate,
  design: Design,
  { level, strictest }: { readonly level: number; readonly strictest: number },
  areComparable: boolean,
): MetricComparison {
  const facts = {
    ...{ metric: metric.name, label: metric.label, unit: metric.unit, better: metric.better, gated },
    ...{ base: sampleOf(base), head: sampleOf(head) },
  };
  const unknown = { lowPercent: null, highPercent: null, detectablePercent: null, trialsNeeded: null };
  if (refused !== null)
    return { ...facts, ...unknown, changePercent: null, ruling: 'not comparable', because: refused };
  const other: Pick<MetricComparison, 'ruling' | 'because'> | null = areComparable
    ? null
    : { ruling: 'not comparable', because: null };
  const few = Math.min(base.length, head.length) < 2;
  if (change === null) {
    const changePercent = changeOfMeans(base, head);
    if (other !== null) return { ...facts, ...unknown, changePercent, ...other };
    if (few)
      return {
        ...{ ...facts, ...unknown, changePercent, ruling: 'underpowered' },
        because: 'one trial has no interval: two or more of each version have',
      };
    // Nothing but zeros in both.
    const none = { lowPercent: 0, highPercent: 0, detectablePercent: 0, trialsNeeded: 2 };
    return { ...facts, ...none, changePercent, ruling: 'same', because: note };
  }
  const changePercent = rounded(percentOf(change.log));
  const [low, high] = intervalOf(change, level);
  const isLower = metric.better === 'lower';
  const detectable = detectableOf(change, strictest);
  const threshold = isLower ? Math.log1p(thresholdPercent / 100) : -Math.log1p(-thresholdPercent / 100);
  const detectablePercent = rounded(isLower ? percentOf(detectable) : -percentOf(-detectable));
  const isEnough = detectablePercent <= thresholdPercent;
  const needed = trialsNeeded(change, threshold, strictest, design);
  const figures = {
    ...{ changePercent, lowPercent: rounded(percentOf(low)), highPercent: rounded(percentOf(high)) },
    detectablePercent,
    // Of unequal arms, or of versions whose trials differ unequally, those that there are may be more in number and say less.
    trialsNeeded:
      needed === null || isEnough ? needed : Math.max(needed, 1 + Math.min(base.length, head.length)),
  };
  if (other !== null) return { ...facts, ...figures, ...other };
  const isShown = tailsOf(change) <= level && Math.abs(changePercent) > thresholdPercent;
  if (isShown)
    return {
      ...{ ...facts, ...figures, ruling: changePercent > 0 === isLower ? 'worse' : 'better' },
      because: note,
    };
  if (!isEnough)
    return { ...facts, ...figures, ruling: 'underpowered', because: note ?? neededText(figures, design) };
  return { ...facts, ...figures, ruling: 'same', because: note };
}

/** Of values that have no interval; null where one of the two versions has none at all. */
function changeOfMeans(base: readonly number[], head: readonly number[]): number | null {
  if (base.length === 0 || head.length === 0) return null;
  return base[0] === 0 ? 0 : rounded(percentOf(meanLogOf(head) - meanLogOf(base)));
}

const meanLogOf = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + Math.log(one), 0) / values.length;

const sampleOf = (values: readonly number[]): Sample => ({
  n: values.length,
  mean: values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length,
  cvPercent: cvPercentOf(values),
});

function neededText(
  { trialsNeeded: needed }: Pick<MetricComparison, 'trialsNeeded'>,
  design: Design,
): string {
  const of = design === 'paired' ? 'pairs' : 'trials of each version';
  return needed === null ? `more than 1,000 ${of} would be needed` : `about ${needed} ${of} would be enough`;
}

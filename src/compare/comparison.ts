import type { ExitCode } from '../errors.ts';
import { EXIT } from '../errors.ts';
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
import { isValid, type Trial } from './trial.ts';

export type MetricRuling = 'better' | 'worse' | 'same' | 'underpowered' | 'not comparable';

/** The trials of one version. Where they are paired, in the order of the pairs. */
export interface Arm {
  /** Of a version, for sentences and heads of tables: `main`, or a folder. */
  readonly name: string;
  readonly trials: readonly Trial[];
}

/** A trial as comparison.json lists it. */
export interface ComparedTrial
  extends Pick<Trial, 'name' | 'outcome' | 'exitCode' | 'headline' | 'startedAt' | 'commit' | 'seed'> {
  /** Why it has no part in the figures; null: it has. */
  readonly leftOut: string | null;
}

/** One side of a comparison. */
export interface Side {
  readonly name: string;
  readonly trials: readonly ComparedTrial[];
  /** How many of them have a part in the figures. */
  readonly counted: number;
}

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
  /** Why, where the numbers do not say it: of what is underpowered, not comparable, or not gated for its size. */
  readonly because: string | null;
}

/** What trials cannot have different and still be compared. */
export interface Difference {
  /** `CPU`, `setting shared_buffers`, `scenario: load` */
  readonly what: string;
  /** Several values of one version are joined by "and". */
  readonly base: string;
  readonly head: string;
}

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
  /** What else to know: trials that were left out, gates that differ. */
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
    notes: [before, after].flatMap(leftOutNote),
  };
}

const EXIT_CODES = { pass: EXIT.pass, regression: EXIT.regression, inconclusive: EXIT.invalid } as const;

function sideOf({ name, trials }: Arm, other: Arm, design: Design): Side {
  const listed = trials.map((trial, i): ComparedTrial => {
    const { outcome, exitCode, headline, startedAt, commit, seed } = trial;
    const partner = design === 'paired' ? other.trials[i] : undefined;
    const leftOut = !isValid(trial)
      ? headline
      : partner !== undefined && !isValid(partner)
        ? `the other trial of its pair has no conclusion`
        : null;
    return { name: trial.name, outcome, exitCode, headline, startedAt, commit, seed, leftOut };
  });
  return { name, trials: listed, counted: listed.filter(({ leftOut }) => leftOut === null).length };
}

const countedOf = ({ trials }: Arm, side: Side): readonly Trial[] =>
  trials.filter((_, i) => side.trials[i]?.leftOut === null);

const leftOutNote = ({ name, trials, counted: of }: Side): readonly string[] =>
  of === trials.length
    ? []
    : [`${name}: ${trials.length - of} of ${counted(trials.length, 'trial')} left out, without a conclusion`];

/** What differs between trials that are to be compared, also between those of one version. */
function differencesOf(
  base: readonly Trial[],
  head: readonly Trial[],
  before: Side,
  after: Side,
): readonly Difference[] {
  if (base.length === 0 || head.length === 0) {
    const shown = ({ counted: of, trials }: Side): string => `${of} of ${trials.length}`;
    return [{ what: 'trials with a conclusion', base: shown(before), head: shown(after) }];
  }
  const names = new Set([...base, ...head].flatMap(({ identity }) => Object.keys(identity)));
  return [...names].flatMap((what) => {
    const of = (trials: readonly Trial[]): readonly string[] => [
      ...new Set(trials.map(({ identity }) => identity[what] ?? 'not recorded')),
    ];
    const [b, h] = [of(base), of(head)];
    return new Set([...b, ...h]).size === 1 ? [] : [{ what, base: b.join(' and '), head: h.join(' and ') }];
  });
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

function rulingsOf(
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
  const place = (name: string): number => Object.keys(FAMILIES).indexOf(familyOf(name));
  return [...measured, ...lacking].toSorted((a, b) => place(a) - place(b));
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
            ? `not measured in ${of}`
            : `not measured in ${trials - values.length} of ${counted(trials, 'trial')} of ${of}`,
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
function smallnessOf(
  name: string,
  base: readonly Trial[],
  head: readonly Trial[],
  { metrics }: Gate,
): string | null {
  const family = familyOf(name);
  if (!SHARED.includes(family) || metrics.includes(name) || !metrics.includes(family)) return null;
  const shareOf = (trials: readonly Trial[]): number => {
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
    : { ruling: 'not comparable', because: 'the trials are not comparable' };
  const few = Math.min(base.length, head.length) < 2;
  if (change === null) {
    const isZero = base[0] === 0;
    const changePercent = isZero ? 0 : rounded(percentOf(meanLogOf(head) - meanLogOf(base)));
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
  const figures = {
    ...{ changePercent, lowPercent: rounded(percentOf(low)), highPercent: rounded(percentOf(high)) },
    detectablePercent: rounded(isLower ? percentOf(detectable) : -percentOf(-detectable)),
    trialsNeeded: trialsNeeded(change, threshold, strictest, design),
  };
  if (other !== null) return { ...facts, ...figures, ...other };
  const isShown = tailsOf(change) <= level && Math.abs(changePercent) > thresholdPercent;
  if (isShown)
    return {
      ...{ ...facts, ...figures, ruling: changePercent > 0 === isLower ? 'worse' : 'better' },
      because: note,
    };
  if (figures.detectablePercent > thresholdPercent)
    return { ...facts, ...figures, ruling: 'underpowered', because: note ?? neededText(figures, design) };
  return { ...facts, ...figures, ruling: 'same', because: note };
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

/** The outcome, and the sentence that says why. */
function verdictOf(
  metrics: readonly MetricComparison[],
  notComparable: readonly Difference[],
  { thresholdPercent }: Gate,
): Pick<Comparison, 'outcome' | 'headline'> {
  if (notComparable.length > 0) {
    const texts = notComparable.map(({ what, base, head }) => `${what} (${base} against ${head})`);
    return { outcome: 'inconclusive', headline: `not comparable: ${texts.join(', ')}` };
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

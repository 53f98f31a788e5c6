import type { Figures } from '../../measurement/figures.ts';
import type { Measurements } from '../../measurement/measurements.ts';
import { DEFAULT_RULES, type RuleLimits } from '../../scenario/rules.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Ruling } from '../ruling.ts';
import { glossOf } from './gloss.ts';

type RuleState = 'held' | 'broken' | 'not-applicable';

/**
 * What a breached rule means for the verdict.
 *
 * - `invalid`: no conclusion.
 * - `disturbed`: no conclusion, unless a breach is larger than the disturbance explains (proof.ts).
 * - `no-pass`: what was met is not proven; what was breached is breached all the same.
 * - `breached`: the system did not carry the load; no conclusion where a disturbance explains it.
 * - `data-lost`: takes precedence over all of these.
 * - `ending`: the ending of the run has a reason of its own.
 * - `note`: reported, and decides nothing.
 * - `none`: only in report.json; decides nothing.
 */
export type Consequence =
  | 'invalid'
  | 'disturbed'
  | 'no-pass'
  | 'breached'
  | 'data-lost'
  | 'ending'
  | 'note'
  | 'none';

/** The result of one rule of the run. */
export interface Rule {
  readonly id: string;
  readonly state: RuleState;
  /** Where the rule was not applicable: why. */
  readonly observed: number | string | null;
  readonly limit: number | string | null;
  /** The limit where a scenario names none. */
  readonly defaultLimit: number | string | null;
  /** The scenario's limit is easier to keep than the default. */
  readonly relaxed: boolean;
  /** What to do when it is breached. */
  readonly advice: string;
}

export interface JudgedRule extends Rule {
  readonly consequence: Consequence;
  /** Of a rule whose consequence is `breached`: the share of the load that was carried, and the least that has to be; percent. */
  readonly share?: {
    readonly carried: number;
    readonly least: number;
    /** What it is a share of, in a sentence: `requested players`. */
    readonly of: string;
  };
  /** The stage that sets the limit for itself. */
  readonly stage?: string;
  /** There were too few operations to prove it even if all of them had been in time; absent: it is not so. */
  readonly tooFew?: true;
  /** The observed number, where `observed` is a text that says more. */
  readonly figure?: number;
}

/** What the rules look at. */
export interface Evidence {
  readonly m: Measurements;
  readonly s: Scenario;
  readonly figures: Figures;
  readonly rulings: readonly Ruling[];
}

/** With the stage, where that sets the limit for itself. */
export type Limit = Pick<JudgedRule, 'limit' | 'defaultLimit' | 'relaxed' | 'stage'>;
/** A limit that is a number. */
export type NumericLimit = Limit & { readonly limit: number };
/** The limits that are single numbers. */
export type LimitName = Exclude<
  keyof RuleLimits,
  'generatorLagMs' | 'rejectedPercent' | 'lostDeliveriesPercent'
>;

/** Rules with a lower bound: a lower limit is the easier one. */
const FLOORS: ReadonlySet<LimitName> = new Set(['sentPercent', 'confidencePercent', 'calibrationPercent']);

/** The scenario's limit and the default. A limit stricter than the default is not relaxed. */
export function limitOf(limits: RuleLimits, name: LimitName): NumericLimit {
  const [limit, defaultLimit] = [limits[name], DEFAULT_RULES[name]];
  return { limit, defaultLimit, relaxed: FLOORS.has(name) ? limit < defaultLimit : limit > defaultLimit };
}

/** A limit that scenarios cannot change. */
export const fixed = (limit: Rule['limit']): Limit => ({ limit, defaultLimit: limit, relaxed: false });

/** A component that was started again has lost its counters. */
export const wasStartedAgain = ({ faults }: Pick<Measurements, 'faults'>): boolean =>
  faults.some(({ action }) => action === 'kill' || action === 'restart');

export const stateOf = (applicable: boolean, held: boolean): RuleState =>
  applicable ? (held ? 'held' : 'broken') : 'not-applicable';

/** A breached rule: what was observed, and the limit: `steal-mean: 25% (at most 2%)`. */
export function finding(rule: JudgedRule): string {
  const { id, consequence } = rule;
  const name = consequence === 'breached' && id.startsWith('load-') ? `load not sustained (${id})` : id;
  return `${name}: ${observedAndLimit(rule)}`;
}

/** A finding in words, where there is a figure: `canary: change in the time of ... is 7% (at most 5%)`. */
export function glossedFinding(rule: JudgedRule): string {
  const { title, bound } = glossOf(kindOf(rule.id), []);
  const observed = rule.figure ?? rule.observed;
  if (bound === null || typeof observed !== 'number') return finding(rule);
  return `${rule.id}: ${title} is ${observedAndLimit({ ...rule, observed })}`;
}

/** `25% (at most 2%)` */
export function observedAndLimit({ id, observed, limit }: Pick<Rule, 'id' | 'observed' | 'limit'>): string {
  const { unit, bound } = glossOf(id, []);
  const side = typeof limit === 'number' ? (bound ?? 'limit') : 'expected:';
  return `${textOf(observed, unit)} (${side} ${textOf(limit, unit)})`;
}

/** The same, and what to do. */
export const sentence = (rule: JudgedRule): string => `${finding(rule)}: ${rule.advice}`;

/** Rules that find CPU or memory taken away, rules that find what this slowed, and rules that show the effect. */
const TAKES = /^(steal-mean|steal-max|throttled|memory-pressure|cpu-pressure|foreign-cpu)$/;
const SLOWS = /^(canary|generator-)/;
const SHOWS = /^steady-/;

/** One reason for rules that were breached together: the first cause, and after it what follows from it. */
export function because(disturbed: readonly JudgedRule[]): string[] {
  // What was not read is no cause of anything.
  const level = ({ id, observed }: JudgedRule): number =>
    observed === null ? 3 : TAKES.test(id) ? 0 : SLOWS.test(id) ? 1 : SHOWS.test(id) ? 2 : 3;
  const causes = disturbed.filter((rule) => level(rule) < 3);
  const first = causes.toSorted((a, b) => level(a) - level(b))[0];
  const others = disturbed.filter((rule) => level(rule) === 3).map(sentence);
  if (first === undefined) return others;
  // Each rule that finds CPU or memory taken away has its own cause; the others follow from it, and are only named.
  const own = causes.filter((rule) => rule === first || (level(rule) === 0 && rule.id !== 'steal-max'));
  const followers = causes.filter((rule) => !own.includes(rule));
  const consequences = followers.map((rule) => `${rule.id} ${observedAndLimit(rule)}`);
  return [
    ...own.map((rule, i) =>
      i === 0 && consequences.length > 0
        ? `${sentence(rule)}; with it ${consequences.join(', ')}`
        : sentence(rule),
    ),
    ...others,
  ];
}

/** Whether a reason names the rule with this id: in its own sentence, or in that of its cause. */
export function isOfRule(id: string, reason: string): boolean {
  const [first = '', after = ''] = reason.split('; with it ');
  return (
    first.startsWith(`${id}: `) ||
    first.startsWith(`load not sustained (${id}): `) ||
    after.split(', ').some((one) => one.startsWith(`${id} `))
  );
}

/**
 * `relaxed: generator-loop-delay 500 ms (default 100 ms)`: once for a rule that exists for each operation or budget, and once
 * for each stage, or each operation, that has a limit of its own.
 */
export function relaxations(rules: readonly JudgedRule[]): string[] {
  const notes = rules.flatMap(({ id, relaxed, limit, defaultLimit, stage }) =>
    relaxed
      ? [
          `relaxed: ${limitedName(id, limit, rules)} ${textOf(limit, glossOf(id, []).unit)} (default ${textOf(defaultLimit, glossOf(id, []).unit)})${stage === undefined ? '' : ` in the stage ${stage}`}`,
        ]
      : [],
  );
  return [...new Set(notes)];
}

/** With the operation, where another one has another limit. */
function limitedName(id: string, limit: Rule['limit'], rules: readonly JudgedRule[]): string {
  const [kind = '', operation] = id.split('.');
  const ofKind = kind === 'rejected' ? rules.filter((other) => kindOf(other.id) === kind) : [];
  return ofKind.some((other) => other.relaxed && other.limit !== limit) ? `${kind}.${operation}` : kind;
}

/** The names of the relaxed rules, once for a rule that exists for each operation, budget or stage. */
export const relaxedNames = (rules: readonly Pick<Rule, 'id' | 'relaxed'>[]): string[] => [
  ...new Set(rules.flatMap(({ id, relaxed }) => (relaxed ? [kindOf(id)] : []))),
];

/** `answered` of `answered.intent.storm`. */
const kindOf = (id: string): string => id.split('.')[0] ?? id;

function textOf(value: number | string | null, unit: string): string {
  if (typeof value !== 'number') return value ?? 'no data';
  const number = Number(value.toPrecision(4)).toLocaleString('en-US');
  return unit === '%' ? `${number}%` : `${number} ${unit}`.trimEnd();
}

/** `schedule-kept.move`, or with a stage `schedule-kept.move.spike`. */
export const named = (rule: string, op: string, stage: string | null): string =>
  stage === null ? `${rule}.${op}` : `${rule}.${op}.${stage}`;

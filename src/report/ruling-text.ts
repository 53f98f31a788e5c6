import type { Percentiles } from '../measurement/figures.ts';
import { grouped } from '../units.ts';
import { plain } from './plain-text.ts';
import {
  bytesText,
  NOTHING,
  numberText,
  quantity,
  readableSize,
  readableTime,
  SIZES,
  withUnit,
} from './quantity.ts';
import type { Report, ReportRuling } from './report.ts';

/** A limit is shown with all of its digits. */
const MOST_DIGITS = 12;

/** An empty text is a value, not a gap. */
const EMPTY = "''";

const UNITLESS = new Set(['enum', 'name', 'tag', 'flag', 'text', 'version', 'setting', 'ratio', 'cost']);
const shownUnit = (unit: string): string => (UNITLESS.has(unit) ? '' : unit);

const SIGNS = {
  '<': '<',
  '<=': '≤',
  '>': '>',
  '>=': '≥',
  '=': '=',
  '~': '≈',
  is: 'is',
  between: '',
} as const;

/** Units of numbers that nobody counts with. */
const NAMES = new Set(['port', 'version']);

/** `< 20 ms`, `100,000 to 150,000 UPDATE ops/s`, `is on`. */
export function limitText({ op, limit, unit }: Pick<ReportRuling, 'op' | 'limit' | 'unit'>): string {
  if (typeof limit === 'string') return op === 'is' ? limit || EMPTY : `${SIGNS[op]} ${limit}`;
  if (typeof limit === 'object')
    return `${grouped(limit[0], MOST_DIGITS)} to ${withUnit(grouped(limit[1], MOST_DIGITS), shownUnit(unit))}`;
  if (NAMES.has(unit)) return `${SIGNS[op]} ${limit}`;
  const [value, shown] = readableTime(...readableSize(limit, shownUnit(unit)));
  return `${SIGNS[op]} ${withUnit(grouped(value, MOST_DIGITS), shown)}`;
}

/**
 * The observed figure in a unit that reads well. A breach that rounding would hide (19,999.6 of 20,000) is shown
 * with as many digits as it takes.
 */
export function observedText(ruling: ReportRuling): string {
  const { observed, limit, state } = ruling;
  if (observed === null) return state === 'breached' ? unansweredText(ruling) : NOTHING;
  if (typeof observed === 'string') return observed || EMPTY;
  const unit = shownUnit(ruling.metricUnit ?? ruling.unit);
  const shown = (value: number, digits: number): string => {
    const step = SIZES.indexOf(unit);
    return step === -1 ? quantity(value, unit, digits) : bytesText(value * 1024 ** step, false, digits);
  };
  const limits = (typeof limit === 'object' ? limit : [limit]).flatMap((one) =>
    typeof one === 'number' ? [shown(one, MOST_DIGITS)] : [],
  );
  for (let digits = 3; digits < MOST_DIGITS; digits++) {
    const text = shown(observed, digits);
    if (state !== 'breached' || !limits.includes(text)) return text;
  }
  return shown(observed, MOST_DIGITS);
}

/**
 * How far the observed figure is from its limit: `15% below the limit`, `2.3 times the limit`; of a range, from the end that is
 * nearer. Empty where there is no figure, where texts are compared, and where either is 0 or they are the same.
 */
export function marginText({ observed, limit }: Pick<ReportRuling, 'observed' | 'limit'>): string {
  if (typeof observed !== 'number' || typeof limit === 'string') return '';
  const [low, high] = typeof limit === 'object' ? limit : [limit, limit];
  if (low < observed && observed < high) return 'within the range';
  const end = observed <= low ? low : high;
  if (end <= 0 || observed <= 0 || end === observed) return '';
  const name = typeof limit === 'object' ? `the ${observed < low ? 'low' : 'high'} end` : 'the limit';
  const times = observed / end;
  if (times >= 2) return `${numberText(times)} times ${name}`;
  const percent = Math.abs(100 * (times - 1));
  const shown =
    percent < 0.1 ? 'less than 0.1' : percent > 99 && percent < 100 ? 'over 99' : numberText(percent, 2);
  return `${shown}% ${times < 1 ? 'below' : 'above'} ${name}`;
}

/** A breach without a figure: operations never answered, connections never made, an outage that never ended. */
function unansweredText({ metric, metricUnit, observedAbove }: ReportRuling): string {
  if (observedAbove !== undefined) return `over ${quantity(observedAbove, metricUnit ?? 'ms')}: not answered`;
  const [section = ''] = metric?.split('.') ?? [];
  return { network: 'not connected', outage: 'not recovered' }[section] ?? 'not answered';
}

/** A percentile in milliseconds; one that falls among operations that were never answered has no figure. */
export const percentileText = (
  all: Percentiles & { readonly unanswered?: number },
  stat: Exclude<keyof Percentiles, 'count'>,
): string => (all[stat] === null && (all.unanswered ?? 0) > 0 ? 'not answered' : quantity(all[stat], 'ms'));

/** `, p95`; empty where the title of a budget has its statistic, and for a mean. */
export const statText = ({ title, stat }: Pick<ReportRuling, 'title' | 'stat'>): string =>
  stat === null || stat === 'mean' || title.includes(stat) ? '' : `, ${stat}`;

/** `intent latency, p95` */
export const titleText = (ruling: Pick<ReportRuling, 'title' | 'stat'>): string =>
  plain(ruling.title) + statText(ruling);

/** The metric in words: `latency.intent.due p95`; empty when no figure stands for the claim. */
export const metricText = ({ metric, stat, stage }: ReportRuling): string =>
  [metric, stat, stage === undefined ? null : `of stage ${stage}`].filter((one) => one !== null).join(' ');

export const sourceText = ({ source }: ReportRuling): string =>
  source === null ? '' : `${source.document}:${source.line}, “${source.heading}”`;

const ORDER = ['breached', 'met', 'contradicted', 'unmeasured', 'untestable'] as const;

/** The rulings in the order in which they are read: what was breached first. */
export const byState = (rulings: readonly ReportRuling[]): readonly (readonly ReportRuling[])[] =>
  ORDER.map((state) => rulings.filter((ruling) => ruling.state === state));

export const NO_REASON = 'no reason given';

/** Untestable budgets by the component that is missing, the largest group first. */
export function byReason(
  rulings: readonly ReportRuling[],
): readonly (readonly [reason: string, count: number])[] {
  const groups = new Map<string, number>();
  for (const { reason } of rulings) {
    const key = reason ?? NO_REASON;
    groups.set(key, (groups.get(key) ?? 0) + 1);
  }
  return [...groups].sort(([, a], [, b]) => b - a);
}

/** The parts of a report that give the reasons of its verdict. */
export type Reasoned = Pick<Report, 'rulings' | 'breachedBecause' | 'invalidBecause'>;

/** Why a verdict is no pass, a line each: breached budgets, breached rules, and what leaves no conclusion. */
export function reasonsOf({ rulings, breachedBecause, invalidBecause }: Reasoned): readonly string[] {
  return [
    ...rulings
      .filter(({ state }) => state === 'breached')
      .map((ruling) => {
        const reason = ruling.reason === null ? '' : ` (${ruling.reason})`;
        return `breached: ${ruling.id} ${titleText(ruling)}: limit ${limitText(ruling)}, observed ${observedText(ruling)}${reason}`;
      }),
    ...breachedBecause.map((reason) => `breached: ${reason}`),
    ...invalidBecause.map((reason) => `no conclusion: ${reason}`),
  ].map((line) => plain(line));
}

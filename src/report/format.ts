import type { Percentiles } from '../measurement/figures.ts';
import { ofOperation } from '../scenario/operations.ts';
import { withoutEscapes } from '../terminal-escapes.ts';
import type { Report, ReportRule, ReportRuling } from './report.ts';

const NOTHING = '–';
/** An empty text is a value, not a gap. */
const EMPTY = "''";

/** Three significant digits; from 1,000 on a whole number with separators. `–` for no figure. */
export function numberText(value: number | null, digits = 3): string {
  if (value === null) return NOTHING;
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  if (size >= 1000) {
    return value.toLocaleString('en-US', { maximumFractionDigits: Math.max(0, digits - 4) });
  }
  if (Number.isInteger(value)) return String(value);
  return size !== 0 && size < 0.001 ? rounded.toExponential() : String(rounded);
}

/** The same for a column of figures: `10.0` below `9.76`. */
export function cellText(value: number | null): string {
  if (value === null || value === 0) return value === null ? NOTHING : '0';
  return Math.abs(value) >= 999.5 || Math.abs(value) < 0.01 ? numberText(value) : value.toPrecision(3);
}

/**
 * A number with its unit: `34.1 ms`, `99.8%`, `10.3x`. A time is shown in the unit that keeps it readable (1,200 ms as
 * `1.2 s`), and what is not quite 100% is not shown as 100%.
 */
export function quantity(value: number | null, unit: string, digits = 3): string {
  if (value === null) return NOTHING;
  if (unit === '%' && value < 100 && digits < 6 && numberText(value, digits) === '100') {
    return quantity(value, unit, digits + 1);
  }
  const [shown, of] = readableTime(value, unit);
  return withUnit(numberText(shown, digits), of);
}

const withUnit = (text: string, unit: string): string =>
  `${text}${unit === 'x' || /^[%/]/.test(unit) ? '' : ' '}${unit === 'us' ? 'µs' : unit}`.trimEnd();

/** From the smallest to the largest, each a thousand times the one before. */
const TIME_UNITS = ['us', 'ms', 's'];
/** Below this, the next smaller unit reads better. */
const SMALL = 0.1;

function readableTime(value: number, unit: string): readonly [value: number, unit: string] {
  const at = TIME_UNITS.indexOf(unit);
  const [larger, smaller] = [TIME_UNITS[at + 1], TIME_UNITS[at - 1]];
  const size = Math.abs(value);
  if (at === -1) return [value, unit];
  if (size >= 999.5 && larger !== undefined) return readableTime(value / 1000, larger);
  if (size > 0 && size < SMALL && smaller !== undefined) return readableTime(1000 * value, smaller);
  return [value, unit];
}

const SIZES = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** Half a GB as 512 MB. */
function readableSize(value: number, unit: string): readonly [value: number, unit: string] {
  const smaller = SIZES[SIZES.indexOf(unit) - 1];
  return smaller === undefined || value === 0 || Math.abs(value) >= 1
    ? [value, unit]
    : readableSize(1024 * value, smaller);
}

/** Bytes in the unit that keeps them readable: 2^30 is `1 GB`, as PostgreSQL writes it. */
export function bytesText(bytes: number | null, perSecond = false, digits = 3): string {
  if (bytes === null) return NOTHING;
  let size = bytes;
  let step = 0;
  while (Math.abs(size) >= 1000 && step < SIZES.length - 1) {
    size /= 1024;
    step += 1;
  }
  return quantity(size, `${SIZES[step]}${perSecond ? '/s' : ''}`, digits);
}

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

/** `< 20 ms`, `100,000 to 150,000 UPDATE ops/s`, `is on`. */
export function limitText({ op, limit, unit }: Pick<ReportRuling, 'op' | 'limit' | 'unit'>): string {
  if (typeof limit === 'string') return op === 'is' ? limit || EMPTY : `${SIGNS[op]} ${limit}`;
  if (typeof limit === 'object') return `${exact(limit[0])} to ${withUnit(exact(limit[1]), shownUnit(unit))}`;
  const [value, shown] = readableTime(...readableSize(limit, shownUnit(unit)));
  return `${SIGNS[op]} ${withUnit(exact(value), shown)}`;
}

/** A limit is shown with all of its digits. */
const exact = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 12 });

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

const MOST_DIGITS = 12;

/** A breach without a figure: too many operations were never answered, or connections never made. */
function unansweredText({ metric, metricUnit, observedAbove }: ReportRuling): string {
  if (observedAbove !== undefined) return `over ${quantity(observedAbove, metricUnit ?? 'ms')}: not answered`;
  return metric?.startsWith('network.') === true ? 'not connected' : 'not answered';
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

/** `scale 1`, or `scale 0.5, altered: load.players=400`: what was run instead of what the file says. */
export const scaleText = ({
  load,
  altered,
}: Pick<Report, 'altered'> & { readonly load: Pick<Report['load'], 'scale'> }): string =>
  [
    `scale ${numberText(load.scale)}`,
    ...(altered.length === 0 ? [] : [`altered: ${altered.join(', ')}`]),
  ].join(', ');

/** Who made the load: `native, 2 workers`, `k6, one process, whose clock has whole milliseconds`. */
export const engineText = ({ engine, workers, clockMs }: Report['generator']): string =>
  clockMs < 1
    ? `${engine}, ${workers} workers`
    : `${engine}, one process, whose clock has whole milliseconds`;

/** What the generator did against servers that do nothing. */
export function calibrationText(calibration: Report['generator']['calibration']): string {
  const { of, seconds, answeredPercent, ratePerSecond, targetPerSecond, utilisationPercent } = calibration;
  if (seconds === null) return 'not calibrated';
  return [
    `${quantity(answeredPercent, '%')} of ${numberText(ratePerSecond)}/s against null servers (target ${numberText(targetPerSecond)}/s)`,
    ...(utilisationPercent === null ? [] : [`${quantity(utilisationPercent, '%')} busy`]),
    ...(of === null ? [] : [of]),
  ].join(', ');
}

/** Endings of a run as report.json names them. */
const ENDINGS: ReadonlyMap<unknown, string> = new Map([
  ['stoppedEarly', 'stopped early'],
  ['stackFailed', 'the stack failed'],
]);

/** A value that a rule observed or its limit, a number to four digits with the unit of the rule. */
export const ruleText = (value: ReportRule['limit'], { unit }: Pick<ReportRule, 'unit'>): string =>
  typeof value === 'number' ? quantity(value, unit, 4) : (ENDINGS.get(value) ?? value ?? NOTHING);

/** `at most 25%`, and of a relaxed limit what it is by default. */
export function ruleLimitText({ limit, defaultLimit, relaxed, unit, bound }: ReportRule): string {
  const side = typeof limit === 'number' && bound !== null ? `${bound} ` : '';
  return `${side}${ruleText(limit, { unit })}${relaxed ? ` (relaxed, default ${ruleText(defaultLimit, { unit })})` : ''}`;
}

/** `2026-11-21 11:30:00 UTC` */
export const timeText = (iso: string): string => `${iso.slice(0, 19).replace('T', ' ')} UTC`;

/** `Commands` for `commands`. */
export const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** Without characters that a terminal, XML or a table would interpret. */
export const plain = (text: string): string =>
  withoutEscapes(text)
    .replace(/[\ufffe\uffff]/g, '')
    .replace(/[\t\n]+/g, ' ');

/** As text within the elements of HTML and XML, and within quotes. */
export const markup = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

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

/** The others are in report.json and report.html. */
const MOST = 3;
/** The end of an error that happened more than once (load/error-counts.ts). */
const TIMES = / \((\d+) times\)$/;

const timesOf = (error: string): number => Number(TIMES.exec(error)?.[1] ?? 1);

/** A probe with gaps in the measure phase. */
function gapNote({ name, lastError, measured }: Report['probes'][number]): string[] {
  if (measured === undefined || measured.gaps === 0) return [];
  const seconds = measured.samples + measured.gaps;
  const because = lastError === null ? '' : ` (${lastError})`;
  return [`probe ${name}: no data in ${measured.gaps} of ${seconds} seconds of the measure phase${because}`];
}

/** The notes, gaps of probes, and the most frequent errors that no note or reason has already. */
export function notesOf({
  notes,
  errors,
  breachedBecause,
  invalidBecause,
  probes,
}: Pick<Report, 'notes' | 'errors' | 'breachedBecause' | 'invalidBecause' | 'probes'>): string[] {
  const shown = [...notes, ...breachedBecause, ...invalidBecause];
  const others = errors
    .filter((error) => !shown.some((one) => one.includes(error)))
    .toSorted((a, b) => timesOf(b) - timesOf(a));
  const rest = others.length - MOST;
  return [
    ...notes,
    ...probes.flatMap(gapNote),
    ...others.slice(0, MOST).map((error) => `error: ${error}`),
    ...(rest > 0
      ? [`and ${rest} more ${rest === 1 ? 'kind of error' : 'kinds of errors'} in report.html`]
      : []),
  ];
}

type Stage = Report['stages'][number];

/** The share of due operations that was sent, of the operation with the smallest share. */
export function sentPercentOf({ load }: Stage): number | null {
  const known = Object.values(load.sentPercent).filter((one) => one !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** The rate a stage holds; with an arrow where it took a while to get there. */
export const rateText = ({ rate, ramped }: Pick<Stage, 'rate' | 'ramped'>): string =>
  `${ramped ? '→' : ''}${numberText(rate)}x`;

/** Connections that were made, ended or cut in a stage; null where there were none. */
export function connectionsText({ network }: Stage): string | null {
  const { cut, disconnects, reconnects, left, joined, connectMs, reconnectMs, fullStrengthMs } = network;
  const words = [
    ...(cut === 0 ? [] : [`${cut} cut off, full strength after ${quantity(fullStrengthMs, 'ms')}`]),
    ...(disconnects === 0 && reconnects === 0
      ? []
      : [`${disconnects} disconnects, ${reconnects} reconnects`]),
    ...(left === 0 && joined === 0 ? [] : [`${left} left, ${joined} joined`]),
    ...(connectMs.count === 0
      ? []
      : [`connect p95 ${quantity(connectMs.p95, 'ms')}, reconnect p95 ${quantity(reconnectMs.p95, 'ms')}`]),
  ];
  return words.length === 0 ? null : words.join('; ');
}

/** What became of the operations, and what of it is allowed. */
export interface Shares extends Pick<Report, 'rules'> {
  readonly load: Pick<Report['load'], 'rejectedPercent' | 'unansweredPercent' | 'errorPercent'>;
}

/** `1.35% rejected (limit 20%), 0% unanswered (limit 1%)`; with stages, the limits are theirs. */
export function sharesText({ load, rules }: Shares, op: string): string {
  const limitOf = (id: string): string => {
    const rule = rules.find((one) => one.id === id);
    return rule === undefined || rule.state === 'not-applicable'
      ? ''
      : ` (limit ${quantity(Number(rule.limit), '%')})`;
  };
  const errors = ofOperation(load.errorPercent, op);
  return [
    `${quantity(ofOperation(load.rejectedPercent, op), '%')} rejected${limitOf(`rejected.${op}`)}`,
    `${quantity(ofOperation(load.unansweredPercent, op), '%')} unanswered${limitOf(`answered.${op}`)}`,
    ...(errors ? [`of them ${quantity(errors, '%')} errors`] : []),
  ].join(', ');
}

import { GENERATOR_FAILED } from '../judge/rules/load.ts';
import { ofOperation } from '../scenario/operations.ts';
import { bytesText, NOTHING, numberText, quantity } from './quantity.ts';
import type { Report, ReportRule } from './report.ts';

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
    `${quantity(answeredPercent, '%')} of ${numberText(ratePerSecond)}/s against null servers${targetPerSecond === 0 ? '' : ` (target ${numberText(targetPerSecond)}/s)`}`,
    ...(utilisationPercent === null ? [] : [`${quantity(utilisationPercent, '%')} busy`]),
    ...(of === null ? [] : [of]),
  ].join(', ');
}

/** Endings of a run as report.json names them. */
const ENDINGS: ReadonlyMap<unknown, string> = new Map([
  ['stoppedEarly', 'stopped early'],
  ['stackFailed', 'the stack failed'],
  [GENERATOR_FAILED, 'the generator failed'],
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

/** The most frequent errors that no note or reason has already. */
export function errorNotes({
  notes,
  errors,
  breachedBecause,
  invalidBecause,
}: Pick<Report, 'notes' | 'errors' | 'breachedBecause' | 'invalidBecause'>): string[] {
  const shown = [...notes, ...breachedBecause, ...invalidBecause];
  const others = errors
    .filter((error) => !shown.some((one) => one.includes(error)))
    .toSorted((a, b) => timesOf(b) - timesOf(a));
  const rest = others.length - MOST;
  return [
    ...others.slice(0, MOST).map((error) => `error: ${error}`),
    ...(rest > 0
      ? [`and ${rest} more ${rest === 1 ? 'kind of error' : 'kinds of errors'} in report.html`]
      : []),
  ];
}

/** The notes, seconds in which a probe had no data, and errors. */
export const notesOf = (
  report: Pick<Report, 'notes' | 'errors' | 'breachedBecause' | 'invalidBecause' | 'probes'>,
): string[] => [...report.notes, ...report.probes.flatMap(gapNote), ...errorNotes(report)];

type Stage = Report['stages'][number];
type Operation = Report['operations'][number];

/** Reports name the first of so many operations; of more, the slowest. */
const FEW_OPERATIONS = 2;

export const areMany = (operations: readonly unknown[]): boolean => operations.length > FEW_OPERATIONS;

/**
 * The operation whose latency stands for all: the first of a few, of many the one with the highest p95 from the
 * scheduled time. A p95 among the unanswered is the highest. Undefined where there is none, or of many nothing was due.
 */
export function foremost(operations: readonly Operation[], latency: Stage['latency']): Operation | undefined {
  if (!areMany(operations)) return operations[0];
  const p95Of = ({ id }: Operation): number => {
    const { due } = ofOperation(latency, id);
    return due.count + due.unanswered === 0 ? -1 : (due.p95 ?? Number.POSITIVE_INFINITY);
  };
  const [slowest] = operations.filter((one) => p95Of(one) >= 0).toSorted((a, b) => p95Of(b) - p95Of(a));
  return slowest;
}

/** `after answers, without a schedule: ready`: the closed part of the load; null where there is none. */
export function closedText(operations: readonly Operation[]): string | null {
  const closed = operations.flatMap(({ due, label }) => (due === 'answer' ? [label] : []));
  return closed.length === 0 ? null : `after answers, without a schedule: ${closed.join(', ')}`;
}

/** The share of due operations that was sent, of the operation with the smallest share. */
export function sentPercentOf({ load }: Stage): number | null {
  const known = Object.values(load.sentPercent).filter((one) => one !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** The rate a stage holds; with an arrow where it took a while to get there. */
export const rateText = ({ rate, ramped }: Pick<Stage, 'rate' | 'ramped'>): string =>
  `${ramped ? '→' : ''}${numberText(rate)}x`;

/** Whether the stages have different numbers of players, so that a column is worth its place. */
export const haveNumbers = (stages: readonly Pick<Stage, 'players'>[]): boolean =>
  new Set(stages.map(({ players }) => players)).size > 1;

/** The players of a stage; with an arrow where they had to join or to leave. */
export const playersText = ({ players, playersBefore }: Pick<Stage, 'players' | 'playersBefore'>): string =>
  `${players === playersBefore ? '' : '→'}${numberText(players)}`;

/** What one player more costs, each with its 95% interval: `105 kB of memory (98.2 kB to 112 kB)`. */
export function perPlayerTexts({ perPlayer }: Pick<Report, 'perPlayer'>): string[] {
  const { memoryBytes, cpuPercentOfCore, bytesPerSecond } = perPlayer;
  const text = (
    { slope, low, high }: Report['perPlayer']['memoryBytes'],
    of: string,
    shown: (value: number | null) => string,
  ): string[] => (slope === null ? [] : [`${shown(slope)}${of} (${shown(low)} to ${shown(high)})`]);
  return [
    ...text(memoryBytes, ' of memory', (bytes) => bytesText(bytes)),
    ...text(cpuPercentOfCore, ' of a core', (percent) => quantity(percent, '%')),
    ...text(bytesPerSecond, '', (bytes) => bytesText(bytes, true)),
  ];
}

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
  readonly load: Pick<
    Report['load'],
    'rejectedPercent' | 'unansweredPercent' | 'errorPercent' | 'idlePercent'
  >;
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
  const idle = ofOperation(load.idlePercent, op);
  return [
    `${quantity(ofOperation(load.rejectedPercent, op), '%')} rejected${limitOf(`rejected.${op}`)}`,
    `${quantity(ofOperation(load.unansweredPercent, op), '%')} unanswered${limitOf(`answered.${op}`)}`,
    ...(errors ? [`of them ${quantity(errors, '%')} errors`] : []),
    ...(idle ? [`${quantity(idle, '%')} idle`] : []),
  ].join(', ');
}

/** An outage may cost something, as the system states. */
export const losesInWindow = (faults: Report['faults']): boolean =>
  faults.some(({ lostInWindow }) => lostInWindow !== undefined);

/** What went wrong with a fault; null where nothing did. */
export const faultNote = ({ error, forced, forGood, ...fault }: Report['faults'][number]): string | null =>
  error ??
  (forced === true ? 'it did not end when it was asked to, and was killed' : null) ??
  (forGood !== true
    ? null
    : fault.recoverySeconds === null
      ? 'capbench does not start it again, and the load never recovered'
      : 'the load recovered, although capbench did not start it again: something else did');

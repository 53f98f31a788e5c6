import type { Figure } from '../scenario/plan.ts';
import { grouped } from '../units.ts';
import { unitBeside } from './noun.ts';

/** Of floating point. */
const EPSILON = 1e-9;

/** Equal is not more. */
export const exceeds = (one: number, other: number): boolean =>
  one - other > EPSILON * Math.max(Math.abs(one), Math.abs(other));

const SMALL = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

/** With as many digits as tell it from others: `420,000`, `11.09`, `0.035`. */
export function numberText(value: number): string {
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 1 : 2;
  return Math.abs(value) >= 1 ? grouped(value, digits) : SMALL.format(value);
}

const withUnit = (text: string, unit: string): string => {
  if (unit === '') return text;
  return /^[%/]/.test(unit) ? `${text}${unit}` : `${text} ${unitBeside(text === '1', unit)}`;
};

/** `1 address`, `2,000 addresses` */
export const countText = (value: number, things: string): string => withUnit(numberText(value), things);

/** From one number to another, which may be the same, in a unit. */
export const rangeText = (low: number, high: number, unit: string): string =>
  withUnit(exceeds(high, low) ? `${numberText(low)} to ${numberText(high)}` : numberText(low), unit);

/** A figure as it is written: `150,000 UPDATE ops/s`; @param things what is counted, where it is a number without a unit */
export const text = ({ low, high, factor, unit, approximate }: Figure, things = ''): string =>
  (approximate ? '~' : '') + rangeText(low / factor, high / factor, unit === '' ? things : unit);

/** What was computed, in base units, in the unit of a figure that it is held against, unless that is far too small or large. */
export function like({ base, factor, unit }: Figure, low: number, high = low): string {
  const size = Math.abs(high / factor);
  const isMeasured = base === 's' || base === 'bytes';
  return isMeasured && high > 0 && (size < 0.1 || size >= 100_000)
    ? measureText(low, base, high)
    : rangeText(low / factor, high / factor, unit);
}

/** Units from the largest down. */
const SCALES: Readonly<Record<string, readonly (readonly [unit: string, factor: number])[]>> = {
  s: [
    ['days', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
    ['ms', 1e-3],
    ['us', 1e-6],
  ],
  bytes: [
    ['TB', 2 ** 40],
    ['GB', 2 ** 30],
    ['MB', 2 ** 20],
    ['kB', 2 ** 10],
    ['B', 1],
  ],
};

/** A time or a size that was computed, in the unit that suits it. */
export function measureText(low: number, base: 's' | 'bytes', high = low): string {
  const scales = SCALES[base] ?? [];
  const [unit, factor] = scales.find(([, one]) => high >= one) ?? scales.at(-1) ?? ['', 1];
  return rangeText(low / factor, high / factor, unit);
}

/** `280%` */
export const percentText = (value: number): string => `${numberText(value * 100)}%`;

/** A tenth of the number where a claim says "about" it. */
export const about = (value: number, { approximate }: Figure): number => (approximate ? value / 10 : 0);

/** Half of the last digit in which a number is written, or what is "about" it. */
function tolerance(value: number, figure: Figure): number {
  const [, decimals = ''] = String(Number((value / figure.factor).toPrecision(12))).split('.');
  return Math.max((figure.factor * 10 ** -decimals.length) / 2, about(value, figure));
}

/** Whether a stated figure lies within what was computed, to the digits in which it is stated. */
export const agrees = (stated: Figure, low: number, high: number): boolean =>
  !exceeds(low - tolerance(stated.low, stated), stated.low) &&
  !exceeds(stated.high, high + tolerance(stated.high, stated));

/** Whether what was computed is no more than a figure promises, to the digits in which it is stated. */
export const atMost = (stated: Figure, high: number): boolean =>
  !exceeds(high, stated.high + tolerance(stated.high, stated));

/** Whether what was computed is no less than what a figure promises, to the digits in which it is stated. */
export const promises = (stated: Figure, low: number): boolean =>
  !exceeds(stated.low - tolerance(stated.low, stated), low);

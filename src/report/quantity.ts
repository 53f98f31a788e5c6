import { grouped } from '../units.ts';

/** Where there is no figure. */
export const NOTHING = '–';

/** Three significant digits; from 1,000 on a whole number with separators. `–` for no figure. */
export function numberText(value: number | null, digits = 3): string {
  if (value === null) return NOTHING;
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  if (size >= 1000) return grouped(value, Math.max(0, digits - 4));
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

export const withUnit = (text: string, unit: string): string =>
  `${text}${unit === 'x' || /^[%/]/.test(unit) ? '' : ' '}${unit === 'us' ? 'µs' : unit}`.trimEnd();

/** From the smallest to the largest, each a thousand times the one before. */
const TIME_UNITS = ['us', 'ms', 's'];
/** Below this, the next smaller unit reads better. */
const SMALL = 0.1;

export function readableTime(value: number, unit: string): readonly [value: number, unit: string] {
  const at = TIME_UNITS.indexOf(unit);
  const [larger, smaller] = [TIME_UNITS[at + 1], TIME_UNITS[at - 1]];
  const size = Math.abs(value);
  if (at === -1) return [value, unit];
  if (size >= 999.5 && larger !== undefined) return readableTime(value / 1000, larger);
  if (size > 0 && size < SMALL && smaller !== undefined) return readableTime(1000 * value, smaller);
  return [value, unit];
}

export const SIZES = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** Half a GB as 512 MB. */
export function readableSize(value: number, unit: string): readonly [value: number, unit: string] {
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

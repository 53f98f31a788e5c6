import type { Measurements } from '../measurement/measurements.ts';
import { valuesAt } from '../measurement/readings.ts';

/** A run of more than four hours has a line for every second, third, .. second. */
const MOST_LINES = 14_400;

/**
 * series.csv: a line for each second after GO, a column for each series. Counters are as they were read,
 * interpolated to the second, and go on where a restarted server began again at 0; an empty field is a second without data. The scale stands in every line.
 */
export function seriesCsv({ series }: Measurements, scale: number): string {
  const names = Object.keys(series).sort();
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { points } of Object.values(series)) {
    first = Math.min(first, Math.ceil(points.at(0)?.[0] ?? Number.POSITIVE_INFINITY));
    last = Math.max(last, Math.floor(points.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY));
  }
  const length = Math.max(0, last - first + 1);
  const step = Math.max(1, Math.ceil(length / MOST_LINES));
  const seconds = Array.from({ length: Math.ceil(length / step) || 0 }, (_, i) => first + i * step);
  const columns = names.map((name) => valuesAt(series[name], seconds));
  const field = (value: number | null | undefined): string =>
    value === null || value === undefined ? '' : String(Math.round(value * 1e6) / 1e6);
  return [
    ['second', 'scale', ...names.map(quoted)].join(','),
    ...seconds.map((second, i) => [second, scale, ...columns.map((column) => field(column[i]))].join(',')),
    '',
  ].join('\n');
}

const quoted = (name: string): string => (/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

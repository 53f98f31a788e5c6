import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from 'd3-scale';
import type { Axis } from './drawing.ts';
import { numberText } from './quantity.ts';

/** Where values lie on an axis. */
export interface Scale {
  /** 0 at the beginning of the axis, 1 at its end; what lies outside is put on the nearer end. */
  readonly at: (value: number) => number;
  readonly ticks: readonly Tick[];
}

interface Tick {
  readonly value: number;
  readonly at: number;
  readonly label: string;
}

/** On an axis that is as short as on a telephone, so many still have room. */
const TICKS = 6;

export function scaleOf({ scale, from, to }: Axis): Scale {
  if (scale === 'linear') {
    const linear = scaleLinear([from, to], [0, 1]).clamp(true);
    return scaled(linear, linear.ticks(TICKS), (value) => numberText(value));
  }
  const log = scaleLog([from, to], [0, 1]).clamp(true);
  const all = log.ticks();
  const decades = all.filter(isDecade);
  if (scale === 'percentile') return scaled(log, decades, percentText);
  return scaled(log, decades.length <= 3 ? all.filter(isRound) : decades, (value) => numberText(value));
}

const scaled = (
  scale: ScaleContinuousNumeric<number, number>,
  ticks: readonly number[],
  label: (value: number) => string,
): Scale => ({
  at: (value) => scale(value),
  ticks: ticks.map((value) => ({ value, at: scale(value), label: label(value) })),
});

const mantissa = (value: number): number => Number(value.toExponential().split('e')[0]);
const isDecade = (value: number): boolean => mantissa(value) === 1;
const isRound = (value: number): boolean => [1, 2, 5].includes(mantissa(value));

/** 1 / (1 - quantile) as a percentile: 10 is 90%, 1,000 is 99.9%. */
function percentText(inverse: number): string {
  const decades = Math.round(Math.log10(inverse));
  return `${Number((100 * (1 - 10 ** -decades)).toFixed(Math.max(0, decades - 2)))}%`;
}

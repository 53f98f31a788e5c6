import { CONFIDENCE } from '../../../src/model/interval.ts';
import { bytesText, numberText } from '../../../src/report/quantity.ts';
import { columnsOf } from '../../columns.ts';
import type { Check, Summary } from './prediction-check.ts';

const HEAD = ['world', 'cores', 'figure', 'players', 'predicted', 'interval', 'measured', 'error', 'from'];

const TEXT: Readonly<Record<Check['figure'], (value: number) => string>> = {
  CPU: (value) => `${numberText(value)} cores`,
  memory: (value) => bytesText(value),
  traffic: (value) => bytesText(value, true),
  capacity: (value) => `${numberText(Math.round(value))} players`,
};

function rowOf({ world, machine, figure, players, from, measured, outcome }: Check): readonly string[] {
  const text = TEXT[figure];
  const cells = (): readonly string[] => {
    if ('refused' in outcome) return ['refused', '', text(measured), ''];
    if ('bounds' in outcome) {
      const [low, high] = outcome.bounds;
      return ['bounds only', high === null ? `from ${text(low)}` : between(low, high), text(measured), ''];
    }
    const { value, low, high } = outcome;
    const percent = 100 * (value / measured - 1);
    const isHeld = low <= measured && measured <= high;
    return [
      ...[text(value), between(low, high), text(measured)],
      `${percent < 0 ? '' : '+'}${percent.toFixed(1)}%${isHeld ? '' : ' outside'}`,
    ];
  };
  const between = (low: number, high: number): string => `${text(low)} to ${text(high)}`;
  return [world, String(machine), figure, figure === 'capacity' ? '' : String(players), ...cells(), from];
}

/** For a terminal. */
export const textOf = (checks: readonly Check[]): string =>
  columnsOf([HEAD, ...checks.map(rowOf)], (column) => [0, 2, 4, 5, 8].includes(column));

/** For the README. */
export const markdownOf = (checks: readonly Check[]): string =>
  [HEAD, HEAD.map(() => '---'), ...checks.map(rowOf)].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** One line. */
export function summaryText(summary: Summary): string {
  const { predictions, machines, medianErrorPercent, coveragePercent, medianFactor } = summary;
  const { boundsOnly, boundsHeld, refused } = summary;
  return [
    `${predictions} predictions with intervals, on ${machines} machines`,
    `median error ${medianErrorPercent.toFixed(1)}%`,
    `${coveragePercent.toFixed(0)}% of the ${100 * CONFIDENCE}% intervals hold what was measured`,
    `median interval factor ${medianFactor.toFixed(2)}`,
    ...(boundsOnly === 0 ? [] : [`${boundsHeld} of ${boundsOnly} bounds hold what was measured`]),
    `${refused} refused`,
  ]
    .join('; ')
    .concat('.');
}

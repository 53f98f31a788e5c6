import { columnsOf } from '../columns.ts';
import { median } from './figures.ts';

/** What is aimed at for a ratio. */
export interface Aim {
  readonly operator: '<=' | '>=';
  readonly limit: number;
}

/** One measure of capbench's beside the same of a yardstick, round by round: A B A B .. in one run. */
export interface Comparison {
  readonly measure: string;
  readonly unit: string;
  readonly yardstick: string;
  /** One for each round; round i of both makes ratio i. */
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  readonly aim: Aim | null;
  /** What the figures do not say by themselves; below the table. */
  readonly note?: string;
}

/** A comparison in one line of the table, and of --json. */
export interface Line extends Omit<Comparison, 'ours' | 'theirs' | 'note'> {
  readonly ours: number;
  readonly theirs: number;
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
  readonly rounds: number;
}

/** Medians over the rounds; the ratio is the median of the rounds' ratios, which noise of both sides shares. */
export function lineOf({ ours, theirs, note: _, ...rest }: Comparison): Line {
  const ratios = ours.map((value, round) => value / theirs[round]!);
  return {
    ...rest,
    ours: median(ours),
    theirs: median(theirs),
    ratio: median(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    rounds: ratios.length,
  };
}

const HEAD = ['measure', 'capbench', 'yardstick', 'ratio', 'min..max', 'aim', ''];

/** Plain columns: text to the left, figures to the right. */
export function tableOf(lines: readonly Line[]): string {
  const rows = [
    HEAD,
    ...lines.map((line) => [
      line.measure,
      `${round(line.ours)} ${line.unit}`,
      `${round(line.theirs)} ${line.unit}`,
      line.ratio.toFixed(2),
      `${line.least.toFixed(2)}..${line.most.toFixed(2)}`,
      line.aim === null ? '' : `${line.aim.operator} ${line.aim.limit}`,
      line.yardstick,
    ]),
  ];
  return columnsOf(rows, (column) => column === 0 || column === HEAD.length - 1);
}

/** Three digits are more than a shared machine repeats. */
function round(value: number): string {
  if (value >= 1000) return Number(value.toPrecision(3)).toLocaleString('en-US');
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

import type { HistogramData } from '../histogram.ts';

/** What players measured under one name, of the measure phase. */
export interface PlayerFigureTally {
  /** Null: a counter. */
  readonly unit: string | null;
  readonly count: number;
  readonly total: number;
  /** The values, in buckets of three significant digits; null for a counter. */
  readonly values: HistogramData | null;
}

const NAME = /^[a-z][A-Za-z0-9]{0,31}$/;
const UNIT = /^[A-Za-z%][A-Za-z0-9%/ ]{0,15}$/;
const MOST_NAMES = 50;
/** Products and sums of such values stay exact enough to be added. */
const LARGEST = 1e15;
/** Smaller values with a unit count as 0. */
const SMALLEST = 1e-9;

/** The 1,024 buckets of each power of two are told apart by the first ten bits of the fraction. */
const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;
const BITS_BELOW = 10;

/** The highest value of the bucket of a value, within 0.1% of it. */
function bucketEnd(value: number): number {
  if (value === 0) return 0;
  double[0] = value;
  const [high = 0, low = 0] = [words[HIGH], words[1 - HIGH]];
  const isEnd = (high & ((1 << BITS_BELOW) - 1)) === 0 && low === 0;
  if (isEnd) return value;
  words[1 - HIGH] = 0;
  words[HIGH] = ((high >>> BITS_BELOW) + 1) << BITS_BELOW;
  return double[0];
}

class Figure {
  readonly unit: string | null;
  private count = 0;
  private total = 0;
  private min = Number.POSITIVE_INFINITY;
  private max = 0;
  private readonly counts = new Map<number, number>();

  constructor(unit: string | null) {
    this.unit = unit;
  }

  record(given: number): void {
    this.count += 1;
    if (this.unit === null) {
      this.total += given;
      return;
    }
    const value = given < SMALLEST ? 0 : given;
    this.total += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const end = bucketEnd(value);
    this.counts.set(end, (this.counts.get(end) ?? 0) + 1);
  }

  tally(): PlayerFigureTally {
    const { unit, count, total, max } = this;
    const counts = [...this.counts].sort(([a], [b]) => a - b);
    const values = { counts, min: count === 0 ? 0 : this.min, max, sum: total };
    return { unit, count, total, values: unit === null ? null : values };
  }
}

/** The figures that the players of one worker measure themselves: histograms where they have a unit, else counters. */
export class PlayerFigures {
  private readonly figures = new Map<string, Figure>();
  private readonly from: number;
  private readonly to: number;

  /** The measure phase, microseconds after GO: only what is measured in it counts. */
  constructor({ measureStart: from, end: to }: { readonly measureStart: number; readonly end: number }) {
    this.from = from;
    this.to = to;
  }

  /** @throws an Error that says what is wrong with a name, a value or a unit */
  measure(name: unknown, value: unknown, unit: unknown, now: number): void {
    if (typeof value !== 'number' || !(value >= 0 && value <= LARGEST))
      throw refusal(`${shown(value)} for ${shown(name)}`, 'a number of 0 to 1e15');
    const figure = this.figureOf(name, unit ?? null);
    if (now >= this.from && now < this.to) figure.record(value);
  }

  private figureOf(name: unknown, unit: unknown): Figure {
    const { figures } = this;
    if (typeof name !== 'string' || !(figures.has(name) || NAME.test(name)))
      throw refusal(`the name ${shown(name)}`, 'a letter a-z, and then up to 31 letters and digits');
    const known = figures.get(name);
    if (known !== undefined) {
      if (known.unit === unit) return known;
      const got = `${unit === null ? 'no unit' : `the unit ${shown(unit)}`} for ${name}`;
      throw refusal(got, `${known.unit ?? 'no unit'} as before: a name has one unit`);
    }
    if (unit !== null && (typeof unit !== 'string' || !UNIT.test(unit)))
      throw refusal(
        `the unit ${shown(unit)} for ${name}`,
        'up to 16 letters, such as ms; none for a counter',
      );
    if (figures.size >= MOST_NAMES) throw refusal(`the name ${name}`, `${MOST_NAMES} names at most`);
    const figure = new Figure(unit);
    figures.set(name, figure);
    return figure;
  }

  tally(): Readonly<Record<string, PlayerFigureTally>> {
    return Object.fromEntries([...this.figures].map(([name, figure]) => [name, figure.tally()]));
  }
}

const refusal = (got: string, expected: string): Error =>
  new Error(`context.measure: got ${got}, expected ${expected}`);

const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  return typeof value === 'number' || value === undefined || value === null
    ? String(value)
    : `a ${typeof value}`;
};

/** A set of sequence numbers: ranges from the first to the last number of each, in order, with a gap between any two. */
export type NumberRanges = readonly Range[];
type Range = readonly [from: number, to: number];

export const NO_NUMBERS: NumberRanges = [];

/** Whether something that was read is such a set. */
export function isNumberRanges(value: unknown): value is NumberRanges {
  if (!Array.isArray(value)) return false;
  let last = -1;
  return value.every((range) => {
    if (!Array.isArray(range) || range.length !== 2 || !range.every(Number.isSafeInteger)) return false;
    const [from, to] = range as [number, number];
    const isInOrder = from > last + 1 && from <= to;
    last = to;
    return isInOrder;
  });
}

export const hasNumber = (ranges: NumberRanges, number: number): boolean =>
  ranges.some(([from, to]) => from <= number && number <= to);

/** Whether the first set has all numbers of the second. */
export const contains = (ranges: NumberRanges, others: NumberRanges): boolean =>
  others.every(([from, to]) => ranges.some(([first, last]) => first <= from && to <= last));

export const united = (one: NumberRanges, other: NumberRanges): NumberRanges =>
  [...one, ...other]
    .toSorted(([a], [b]) => a - b)
    .reduce<Range[]>((ranges, [from, to]) => {
      const last = ranges.at(-1);
      if (last === undefined || from > last[1] + 1) ranges.push([from, to]);
      else ranges[ranges.length - 1] = [last[0], Math.max(last[1], to)];
      return ranges;
    }, []);

/** The part of the first set that the second does not have. */
export const beyond = (ranges: NumberRanges, others: NumberRanges): NumberRanges =>
  others.reduce(
    (rest, [first, last]) =>
      rest.flatMap(([from, to]) => {
        const parts: Range[] = [
          [from, Math.min(to, first - 1)],
          [Math.max(from, last + 1), to],
        ];
        return parts.filter(([start, end]) => start <= end);
      }),
    ranges,
  );

/** The numbers of the first set that the second does not have, in order. */
export const numbersBeyond = (ranges: NumberRanges, others: NumberRanges): readonly number[] =>
  beyond(ranges, others).flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));

/** The highest number, or 0. */
export const lastOf = (ranges: NumberRanges): number => ranges.at(-1)?.[1] ?? 0;

export const countOf = (ranges: NumberRanges): number =>
  ranges.reduce((count, [from, to]) => count + to - from + 1, 0);

export const sumOf = (ranges: NumberRanges): number =>
  ranges.reduce((sum, [from, to]) => sum + ((from + to) * (to - from + 1)) / 2, 0);

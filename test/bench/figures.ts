/** A flat message of numbers, which is all that a process of the benchmark sends. */
export type Figures = Readonly<Record<string, number>>;

export const isFigures = (message: unknown): message is Figures =>
  typeof message === 'object' &&
  message !== null &&
  Object.values(message).every((value) => typeof value === 'number');

/** @throws an Error when it is not there: a bug of the benchmark's. */
export function figure(figures: Figures, name: string): number {
  const value = figures[name];
  if (value === undefined) throw new Error(`no ${name} in ${JSON.stringify(figures)}`);
  return value;
}

/** The middle one; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
}

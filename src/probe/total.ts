/** Labels that change with every request would grow without limit. */
const MOST_KEPT = 20_000;

/**
 * The total growth of counters that come and go: processes, interfaces, the samples of a page. Takes the current values
 * and returns by how much all have grown since the first reading; the growth of one that disappeared stays. One that
 * appears later counts from zero, and so does one that falls. `remembers`: one that reappears continues from its last
 * value instead of zero. The total throws an Error where the number of labels grows without limit.
 */
export function openTotal({
  remembers = false,
} = {}): (readings: Iterable<readonly [key: string, value: number]>) => number {
  let known = new Map<string, number>();
  let isFirst = true;
  let total = 0;
  return (readings) => {
    const now = remembers ? known : new Map<string, number>();
    for (const [key, value] of readings) {
      const before = known.get(key) ?? (isFirst ? value : 0);
      total += value < before ? value : value - before;
      now.set(key, value);
    }
    if (remembers && now.size > MOST_KEPT)
      throw new Error(`it has more than ${MOST_KEPT} label sets: select by label`);
    known = now;
    isFirst = false;
    return total;
  };
}

/** Keeps a counter of the host from falling, which steal may do by a tick. */
export function openRising(): (series: string, value: number) => number {
  const highest = new Map<string, number>();
  return (series, value) => {
    const risen = Math.max(value, highest.get(series) ?? value);
    highest.set(series, risen);
    return risen;
  };
}

/** Labels that change with every request never end: no page of ours to keep. */
const MOST_KEPT = 20_000;

/**
 * A counter over things that come and go: processes, interfaces, the samples of a page. Takes what each of them says now
 * and tells by how much all of them have grown since the first reading; what one counted stays when it is gone. One that
 * appears later counts from zero, and so does one that says less than before. `remembers`: one that was not there for a
 * while goes on from where it was, and does not begin again. The total throws an Error where there is no end of those.
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
    if (remembers && now.size > MOST_KEPT) throw new Error('its labels have no end: choose by label');
    known = now;
    isFirst = false;
    return total;
  };
}

/** A counter of the host that may slip back by a tick (steal does): it then stays where it was. */
export function openRising(): (series: string, value: number) => number {
  const highest = new Map<string, number>();
  return (series, value) => {
    const risen = Math.max(value, highest.get(series) ?? value);
    highest.set(series, risen);
    return risen;
  };
}

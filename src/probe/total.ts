/**
 * A counter over things that come and go (processes, interfaces). Takes what each of them says now and tells by how
 * much all of them have grown since they were first seen; what one counted stays when it is gone. One that appears
 * later counts from zero, and so does one that says less than before.
 */
export function openTotal(): (readings: Iterable<readonly [key: string, value: number]>) => number {
  let known: Map<string, number> | null = null;
  let total = 0;
  return (readings) => {
    const now = new Map<string, number>();
    for (const [key, value] of readings) {
      const before = known === null ? value : (known.get(key) ?? 0);
      total += value < before ? value : value - before;
      now.set(key, value);
    }
    known = now;
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

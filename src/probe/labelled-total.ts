/** Labels that change with every request never end: no page of ours to keep. */
const MOST_LABELS = 20_000;

/**
 * By how much the counters of a page have grown since it was first read, all together. One that appears later counts from
 * zero, and so does one that says less than before; one that is not there for a while goes on from where it was.
 * @throws an Error when there is no end of them
 */
export function openLabelledTotal(): (
  readings: Iterable<readonly [labels: string, value: number]>,
) => number {
  const known = new Map<string, number>();
  let isFirst = true;
  let total = 0;
  return (readings) => {
    for (const [labels, value] of readings) {
      const before = known.get(labels) ?? (isFirst ? value : 0);
      total += value < before ? value : value - before;
      known.set(labels, value);
    }
    if (known.size > MOST_LABELS) throw new Error('its labels have no end: choose by label');
    isFirst = false;
    return total;
  };
}

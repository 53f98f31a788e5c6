import type { Sample } from './probe.ts';

/** A busy session of PostgreSQL publishes its counts at most this often (PGSTAT_MIN_INTERVAL), in milliseconds. */
const PUBLISHED_EVERY_MS = 1_000;

/** One reading, by series. */
interface Reading {
  readonly at: number;
  readonly values: ReadonlyMap<string, number>;
}

/**
 * Evens out counts that their writers publish only once a second, each at another moment: a single reading is late by
 * anything up to a second, which is 5% of 20 s. The mean over the last second is late by one second, always, so that the
 * growth between two of them is right; once nothing is written it is the count itself. Times in milliseconds.
 */
export function openPublishedCounts(): (at: number, samples: readonly Sample[]) => readonly Sample[] {
  let recent: readonly Reading[] = [];
  return (at, samples) => {
    const values = new Map(samples.map(({ series, value }) => [series, value]));
    const last = recent.at(-1)?.values ?? values;
    // A database that lost its statistics counts from 0 again.
    if ([...values].some(([series, value]) => value < (last.get(series) ?? value))) recent = [];
    const from = at - PUBLISHED_EVERY_MS;
    // The last one before the second is needed at its beginning.
    const first = recent.findLastIndex((one) => one.at <= from);
    recent = [...recent.slice(Math.max(0, first)), { at, values }];
    return samples.map((one) => ({ ...one, value: meanSince(from, recent, one) }));
  };
}

/** The mean over time of a series since an instant, between readings along a line. */
function meanSince(from: number, readings: readonly Reading[], { series, value: now }: Sample): number {
  let [area, span] = [0, 0];
  for (const [i, { at, values }] of readings.entries()) {
    const before = readings[i - 1];
    if (before === undefined || at === before.at) continue;
    const [low, high] = [before.values.get(series) ?? now, values.get(series) ?? now];
    const left = Math.max(from, before.at);
    const start = low + ((high - low) * (left - before.at)) / (at - before.at);
    area += ((start + high) / 2) * (at - left);
    span += at - left;
  }
  return span === 0 ? now : area / span;
}

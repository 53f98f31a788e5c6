import type { Sample } from './probe.ts';

/** A busy session of PostgreSQL publishes its counts at most this often (PGSTAT_MIN_INTERVAL), in milliseconds. */
const PUBLISHED_EVERY_MS = 1_000;

/**
 * Evens out counts that their writers publish only once a second, each at another moment: a single reading is late by
 * anything up to a second, which is 5% of 20 s. The mean over the readings of the last second is late by one second,
 * always, so that the growth between two of them is right; once nothing is written it is the count itself.
 */
export function openPublishedCounts(): (at: number, samples: readonly Sample[]) => readonly Sample[] {
  let recent: { readonly at: number; readonly samples: readonly Sample[] }[] = [];
  const of = (samples: readonly Sample[], series: string): number | undefined =>
    samples.find((one) => one.series === series)?.value;
  return (at, samples) => {
    const last = recent.at(-1)?.samples ?? [];
    // A database that lost its statistics counts from 0 again.
    if (last.some(({ series, value }) => (of(samples, series) ?? 0) < value)) recent = [];
    recent = [...recent.filter((one) => at - one.at < PUBLISHED_EVERY_MS), { at, samples }];
    return samples.map((one) => {
      const values = recent.map((each) => of(each.samples, one.series) ?? one.value);
      return { ...one, value: values.reduce((sum, value) => sum + value, 0) / values.length };
    });
  };
}

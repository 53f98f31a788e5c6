import { readNumber } from '../scenario/sample-head.ts';
import type { Micros } from '../units.ts';
import { BucketHistory } from './bucket-history.ts';
import type { PageSample } from './metrics-page.ts';
import { openTotal } from './total.ts';

const MOST_BOUNDS = 500;

const boundOf = (text: string): number => readNumber(text) ?? Number.NaN;

export function openHistogramGrowth() {
  let bounds: readonly number[] | null = null;
  let totals: readonly ReturnType<typeof openTotal>[] = [];
  const history = new BucketHistory();
  let problem: string | null = null;
  /** The last reading before the first bucket appeared. */
  let emptyAt: Micros | null = null;

  return {
    /** Why the buckets cannot be used; null where they can. */
    get problem() {
      return problem;
    },
    /** No reading had a bucket. */
    get isEmpty() {
      return bounds === null;
    },
    /** The `_bucket` samples of one reading; one at a boundary is kept however long the run is. */
    add(at: Micros, samples: readonly PageSample[], isBoundary?: boolean) {
      if (samples.length === 0 && bounds === null) emptyAt = at;
      if (samples.length === 0 || problem !== null) return;
      const groups = new Map<string, Map<number, number>>();
      for (const { labels, value } of samples) {
        const bound = boundOf(labels.get('le') ?? '');
        if (Number.isNaN(bound)) continue;
        const rest = [...labels].filter(([name]) => name !== 'le');
        const key = JSON.stringify(rest);
        groups.set(key, (groups.get(key) ?? new Map<number, number>()).set(bound, value));
      }
      const sets = [...groups].map(([key, buckets]) => ({
        key,
        buckets: [...buckets].sort(([a], [b]) => a - b),
      }));
      bounds ??= sets[0]?.buckets.map(([bound]) => bound) ?? null;
      if (bounds === null) return;
      if (bounds.length > MOST_BOUNDS) {
        problem = `it has more than ${MOST_BOUNDS} buckets`;
        return;
      }
      const same = sets.every(
        ({ buckets }) =>
          buckets.length === bounds?.length && buckets.every(([bound], i) => bound === bounds?.[i]),
      );
      if (!same || bounds.at(-1) !== Number.POSITIVE_INFINITY) {
        problem = same
          ? 'its last bucket is not +Inf'
          : 'its buckets differ between label sets: select one by label';
        return;
      }
      if (totals.length === 0) {
        totals = bounds.map(() => openTotal({ remembers: true }));
        // A histogram that appears after the first reading counts from 0 at the reading before.
        if (emptyAt !== null) history.add(emptyAt, { bounds, cumulative: totals.map((total) => total([])) });
      }
      const cumulative = totals.map((total, i) =>
        total(sets.map(({ key, buckets }) => [key, buckets[i]?.[1] ?? 0] as const)),
      );
      history.add(at, { bounds, cumulative }, isBoundary);
    },
    /** Upper bounds, the last one infinite, and by how much each bucket grew between the two instants. */
    between(from: Micros, to: Micros) {
      const found = problem === null ? history.between(from, to) : null;
      if (found === null) return null;
      if (found.counts.some((count) => !Number.isSafeInteger(count) || count < 0)) {
        problem = 'its buckets are not cumulative counts';
        return null;
      }
      return found;
    },
  };
}

/** By how much the buckets of a histogram grow, summed over all selected label sets. */
export type HistogramGrowth = ReturnType<typeof openHistogramGrowth>;

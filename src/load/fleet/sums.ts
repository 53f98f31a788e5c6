import { type HistogramData, mergeHistograms } from '../../histogram.ts';
import type { Counts } from '../engine.ts';

/** Some figures of all of these, each added up. */
export function sumOf<K extends string>(
  figures: readonly K[],
  all: readonly Readonly<Record<K, number>>[],
): Record<K, number> {
  const sum = (figure: K): number => all.reduce((total, one) => total + one[figure], 0);
  return Object.fromEntries(figures.map((figure) => [figure, sum(figure)])) as Record<K, number>;
}

/** Some histograms of all of these, each merged; one that is not there holds nothing. */
export function mergeOf<K extends string>(
  histograms: readonly K[],
  all: readonly Readonly<Record<K, HistogramData | null>>[],
): Record<K, HistogramData> {
  const merged = (name: K): HistogramData => mergeHistograms(all.flatMap((one) => one[name] ?? []));
  return Object.fromEntries(histograms.map((name) => [name, merged(name)])) as Record<K, HistogramData>;
}

/** What became of operations; those that were sent and not answered end with the run. */
export const OUTCOMES = [
  'scheduled',
  'ok',
  'rejected',
  'failed',
  'failedUnsent',
  'timedOut',
  'skipped',
] as const;

/** Outcome by outcome. */
export const addCounts = (all: readonly Counts[]): Counts => sumOf([...OUTCOMES, 'unfinished'], all);

import { z } from 'zod';
import { bucketMean, bucketQuantile, largestBucket } from '../../buckets.ts';
import { figure, type Read, spread } from '../../measurement/figure-kinds.ts';
import { UNDERSTOOD } from '../../measurement/figures.ts';
import type { BucketData, Measurements } from '../../measurement/measurements.ts';
import {
  increaseOf,
  measuredOf,
  percentOf,
  rateOf,
  ratio,
  spreadOf,
  sumOf,
  togetherOf,
} from '../../measurement/readings.ts';
import type { SystemFigures } from '../../measurement/system-figures.ts';

const sections = {
  throughput: z.object({
    rowWritesPerSecond: figure('rows/s'),
    batchesPerSecond: figure('batches/s'),
    rowsPerBatch: figure('rows/batch'),
    operationsPerBatch: figure('ops/batch'),
    largestBatch: figure('ops/batch', 'The upper bound of its bucket.'),
    flushedOnTimePercent: figure('%'),
    coalescing: figure('ops/row', 'Operations per row write.'),
  }),
  world: z.object({
    entities: spread('entities'),
    ...UNDERSTOOD.world,
  }),
  database: z.object(UNDERSTOOD.database),
};

/** Figures from the servers' metrics: batches, rows and times. */
export const fluxFigures: SystemFigures = {
  sections,
  of: (m) => ({
    throughput: throughputOf(m),
    world: {
      entities: togetherOf(measuredOf(m, 'world').each('entities'), measuredOf(m, 'world').window),
      responseMs: quantilesOf(m.worlds?.responseMs),
    },
    database: { queryMs: quantilesOf(m.worlds?.flushMs), writersBusyPercent: writersBusy(m) },
  }),
};

const quantilesOf = (data: BucketData | undefined) => ({
  p50: data === undefined ? null : bucketQuantile(data, 50),
  p95: data === undefined ? null : bucketQuantile(data, 95),
  p99: data === undefined ? null : bucketQuantile(data, 99),
});

function throughputOf(m: Measurements): Read<typeof sections.throughput> {
  const { window, each } = measuredOf(m, 'world');
  const grown = (name: string) => sumOf(each(name).map((series) => increaseOf(series, window)));
  const rate = (name: string) => sumOf(each(name).map((series) => rateOf(series, window)));
  const [operations, batches, rowWrites] = [grown('operations'), grown('batches'), grown('rowWrites')];
  return {
    rowWritesPerSecond: rate('rowWrites'),
    batchesPerSecond: rate('batches'),
    rowsPerBatch: ratio(rowWrites, batches),
    operationsPerBatch: ratio(operations, batches),
    largestBatch: m.worlds?.batchOperations === undefined ? null : largestBucket(m.worlds.batchOperations),
    flushedOnTimePercent: percentOf(grown('batchesOnTime'), batches),
    coalescing: ratio(operations, rowWrites),
  };
}

/** The utilisation law, U = X S: X is the rate of flushes of one server, S the mean duration of a flush. */
function writersBusy(m: Measurements): number | null {
  const { window, each } = measuredOf(m, 'world');
  const { mean } = spreadOf(each('batches').map((series) => rateOf(series, window)));
  const flush = m.worlds?.flushMs === undefined ? null : bucketMean(m.worlds.flushMs);
  return mean === null || flush === null ? null : Math.min(100, (mean * flush) / 10);
}

import { z } from 'zod';
import { figure, quantiles, spread } from '../../measurement/figure-kinds.ts';

/** What the servers of this world tell of themselves. */
export const sections = {
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
    responseMs: quantiles('ms', 'Received to acknowledged, inside the servers.'),
  }),
  database: z.object({
    queryMs: quantiles('ms', 'Round trip of a flush, as the world servers see it.'),
    writersBusyPercent: figure(
      '%',
      'Of the time with a flush in flight: flushes a second of a server times the median round trip.',
    ),
  }),
};

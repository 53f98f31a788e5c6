import { FARTHEST } from './interval.ts';
import { type Line, lineThrough, type Point, valueAt } from './line.ts';

/** What one run says of the batches that its servers write. */
export interface BatchPoint {
  readonly servers: number;
  /** Of all servers. */
  readonly batchesPerSecond: number;
  readonly rowsPerBatch: number;
  /** Several operations of a row are written at once. */
  readonly operationsPerBatch: number;
  /** Mean round trip of a flush, ms. */
  readonly meanMs: number;
  /** Of the time of a server's writer, with a flush in flight. */
  readonly busyPercent: number;
  /** How the servers were set: the most operations of a batch, and the time after which a batch is written; null: unknown. */
  readonly limit: number | null;
  readonly intervalMs: number | null;
}

/**
 * What begins a batch at the largest load: its time has come (`rate`), it is full (`size`), or the one before it has ended
 * (`writer`). Null: less comes in than an operation for each interval, or the settings are unknown.
 */
export type Binding = 'rate' | 'size' | 'writer' | null;

/** What a batch costs, and where batches end. */
export interface BatchCost {
  /** Milliseconds of a flush over its rows. */
  readonly line: Line;
  readonly binds: Binding;
  /** Operations a second and server from which on batches are full before their time has come; null: settings unknown. */
  readonly fullFrom: number | null;
  /**
   * Operations a second that one writer does at most, in batches that are full. Null: the settings are unknown, or a full batch is
   * more than twice the largest one that was measured.
   */
  readonly ceiling: number | null;
  /** p95 of the time to an acknowledgement is not below this: the wait for the batch, uniform, and its flush. Null: settings unknown. */
  readonly leastAckP95Ms: number | null;
}

const FEWEST_RUNS = 3;
/** The largest batch is at least so much larger than the smallest, or its cost by the row cannot be told from the fixed one. */
const LEAST_RANGE = 1.5;
/** A limit is reached where so much of it is used, as means are below it. */
const REACHED = 0.9;
/** The 95th percentile of a wait that is uniform up to the interval. */
const UNIFORM_P95 = 0.95;

/**
 * The cost of a batch of B rows by runs whose batches had different sizes: t = a + b B.
 * @returns in words, why there is none
 */
export function batchCostOf(points: readonly BatchPoint[]): BatchCost | { readonly because: string } {
  const usable = points.filter(({ batchesPerSecond, rowsPerBatch, meanMs }) =>
    [batchesPerSecond, rowsPerBatch, meanMs].every((value) => value > 0),
  );
  if (usable.length < FEWEST_RUNS)
    return { because: `${usable.length} runs wrote batches, and this needs ${FEWEST_RUNS}` };
  const line = lineThrough(usable.map(({ rowsPerBatch, meanMs }): Point => [rowsPerBatch, meanMs]));
  if (line === null || line.to < LEAST_RANGE * line.from)
    return {
      because: `the batches of all runs had nearly the same size, and the largest has to have ${LEAST_RANGE} times the rows of the smallest`,
    };
  const [busiest = usable[0]] = usable.toSorted((one, other) => perServer(other) - perServer(one));
  if (busiest === undefined) return { because: 'no run wrote batches' };
  return { line, ...boundsOf(line, busiest) };
}

/** Operations a second. */
const perServer = ({ servers, batchesPerSecond, operationsPerBatch }: BatchPoint): number =>
  (batchesPerSecond * operationsPerBatch) / servers;

function boundsOf(line: Line, busiest: BatchPoint): Omit<BatchCost, 'line'> {
  const { limit, intervalMs, rowsPerBatch, operationsPerBatch } = busiest;
  if (limit === null || intervalMs === null)
    return { binds: null, fullFrom: null, ceiling: null, leastAckP95Ms: null };
  const fullRows = (limit * rowsPerBatch) / operationsPerBatch;
  return {
    binds: bindingOf(busiest, limit, intervalMs),
    fullFrom: (1e3 * limit) / intervalMs,
    ceiling: fullRows > FARTHEST * line.to ? null : (1e3 * limit) / valueAt(line, fullRows),
    leastAckP95Ms: UNIFORM_P95 * intervalMs + line.base,
  };
}

function bindingOf(
  { busyPercent, operationsPerBatch, batchesPerSecond, servers }: BatchPoint,
  limit: number,
  intervalMs: number,
): Binding {
  if (busyPercent >= 100 * REACHED) return 'writer';
  if (operationsPerBatch >= REACHED * limit) return 'size';
  return batchesPerSecond / servers >= (REACHED * 1e3) / intervalMs ? 'rate' : null;
}

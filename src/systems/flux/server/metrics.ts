import { FixedHistogram, geometricBounds } from '../../../server/fixed-histogram.ts';
import { counter, counters, gauge, openProcessMetrics } from '../../../server/page.ts';
import type { FlushReason } from './batcher.ts';

const BATCH_BOUNDS = [1, 2, 5, 10, 20, 50, 100, 168, 250, 500, 750, 1000, 1050, 1250, 1500, 1663];
/** Seconds, from 0.1 ms to about 30 s. */
const LATENCY_BOUNDS = geometricBounds(0.0001, 1.15, 30);

/** Gauges that are read when the page is rendered; `connections` are those of players. */
type Gauges = Readonly<Record<'connections' | 'queued' | 'entities', number>>;

/** The server's metrics: counters are plain fields that other parts increment; `render` makes `GET /metrics`. */
export class Metrics {
  operations = 0;
  rejected = 0;
  rowWrites = 0;
  databaseReconnects = 0;
  /** WebSocket frames sent. */
  frames = 0;
  /** Payloads and the headers of WebSocket frames; HTTP headers are not counted. */
  bytesOut = 0;
  bytesIn = 0;
  readonly batches: Record<FlushReason, number> = { size: 0, time: 0 };
  readonly batchOperations = new FixedHistogram(BATCH_BOUNDS);
  /** Round trip of the batch's statement. */
  readonly flushSeconds = new FixedHistogram(LATENCY_BOUNDS);
  /** From the receipt of an operation to its answer. */
  readonly responseSeconds = new FixedHistogram(LATENCY_BOUNDS);
  readonly #process = openProcessMetrics();

  /** Prometheus text, in base units. */
  render(gauges: Gauges): string {
    return [
      counter('capbench_world_operations_total', this.operations),
      counter('capbench_world_rejected_total', this.rejected),
      counters('capbench_world_batches_total', 'reason', this.batches),
      counter('capbench_world_row_writes_total', this.rowWrites),
      counter('capbench_world_database_reconnects_total', this.databaseReconnects),
      counter('capbench_world_frames_total', this.frames),
      counter('capbench_world_sent_bytes_total', this.bytesOut),
      counter('capbench_world_received_bytes_total', this.bytesIn),
      gauge('capbench_world_queued_operations', gauges.queued),
      gauge('capbench_world_entities', gauges.entities),
      this.#process.render(gauges.connections),
      this.batchOperations.render('capbench_world_batch_operations'),
      this.flushSeconds.render('capbench_world_flush_seconds'),
      this.responseSeconds.render('capbench_world_response_seconds'),
    ].join('');
  }
}

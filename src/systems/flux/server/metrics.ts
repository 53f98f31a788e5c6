import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FlushReason } from './batcher.ts';
import { FixedHistogram, geometricBounds } from './fixed-histogram.ts';

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
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 10 });

  constructor() {
    this.#loopDelay.enable();
  }

  /** Prometheus text, in base units. The loop delay is reset: each reading has the longest since the reading before. */
  render(gauges: Gauges): string {
    const loopDelaySeconds = this.#loopDelay.max / 1e9;
    this.#loopDelay.reset();
    const cpu = process.cpuUsage();
    return [
      line('counter', 'capbench_world_operations_total', this.operations),
      line('counter', 'capbench_world_rejected_total', this.rejected),
      '# TYPE capbench_world_batches_total counter\n',
      `capbench_world_batches_total{reason="size"} ${this.batches.size}\n`,
      `capbench_world_batches_total{reason="time"} ${this.batches.time}\n`,
      line('counter', 'capbench_world_row_writes_total', this.rowWrites),
      line('counter', 'capbench_world_database_reconnects_total', this.databaseReconnects),
      line('counter', 'capbench_world_frames_total', this.frames),
      line('counter', 'capbench_world_sent_bytes_total', this.bytesOut),
      line('counter', 'capbench_world_received_bytes_total', this.bytesIn),
      line('counter', 'process_cpu_seconds_total', (cpu.user + cpu.system) / 1e6),
      line('gauge', 'capbench_world_connections', gauges.connections),
      line('gauge', 'capbench_world_queued_operations', gauges.queued),
      line('gauge', 'capbench_world_entities', gauges.entities),
      line('gauge', 'process_resident_memory_bytes', process.memoryUsage.rss()),
      line('gauge', 'capbench_world_loop_delay_seconds', loopDelaySeconds),
      this.batchOperations.render('capbench_world_batch_operations'),
      this.flushSeconds.render('capbench_world_flush_seconds'),
      this.responseSeconds.render('capbench_world_response_seconds'),
    ].join('');
  }
}

const line = (type: 'counter' | 'gauge', name: string, value: number): string =>
  `# TYPE ${name} ${type}\n${name} ${value}\n`;

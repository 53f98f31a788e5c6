import { Worker } from 'node:worker_threads';
import { exactMonotonic } from '../../clock.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';

const CELLS_BYTES = 16;

/**
 * What the alarm shares with its thread: a moment, in microseconds of the host's monotonic clock, Infinity when it is not set;
 * and a count of the times it was set.
 */
export const alarmCells = (buffer: SharedArrayBuffer) => ({
  moment: new Float64Array(buffer, 0, 1),
  sets: new Int32Array(buffer, 8, 1),
});

/**
 * A timer for fractions of a millisecond, which the event loop's own has not: a thread that sleeps until the
 * moment and then says so. It rings some 50 us late, and costs a few times what a timer costs. HOT.
 */
export class Alarm {
  private readonly cells: ReturnType<typeof alarmCells>;
  private readonly thread: Worker;

  /** Should the thread end, it never rings: whoever waits for it has a timer beside it. */
  constructor(ring: () => void) {
    const buffer = new SharedArrayBuffer(CELLS_BYTES);
    this.cells = alarmCells(buffer);
    this.cells.moment[0] = Number.POSITIVE_INFINITY;
    this.thread = new Worker(bundleFile('fleet-alarm'), { workerData: buffer });
    this.thread.unref();
    this.thread.on('message', ring);
    this.thread.on('error', () => undefined);
  }

  /** Rings once in so many microseconds, instead of when it was set to ring before. */
  set(wait: number): void {
    const { moment, sets } = this.cells;
    moment[0] = exactMonotonic() + wait;
    Atomics.add(sets, 0, 1);
    Atomics.notify(sets, 0);
  }

  stop(): void {
    this.thread.removeAllListeners('message');
    void this.thread.terminate();
  }
}

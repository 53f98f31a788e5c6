import { Worker } from 'node:worker_threads';
import { exactMonotonic } from '../../clock.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';

const CELLS_BYTES = 16;

/**
 * The memory that the timer shares with its thread: the time to wake at, in microseconds of the host's monotonic clock
 * (Infinity when none is set), and the number of times that it was set.
 */
export const wakeTimerCells = (buffer: SharedArrayBuffer) => ({
  time: new Float64Array(buffer, 0, 1),
  sets: new Int32Array(buffer, 8, 1),
});

/**
 * A timer with sub-millisecond precision, which the event loop's timers do not have: a thread that sleeps until the time
 * and then posts a message. It fires about 50 us late, and costs several times as much as an ordinary timer. HOT.
 */
export class WakeTimer {
  private readonly cells: ReturnType<typeof wakeTimerCells>;
  private readonly thread: Worker;

  /** If the thread ends, the timer never fires: the caller needs an ordinary timer as a fallback. */
  constructor(onWake: () => void) {
    const buffer = new SharedArrayBuffer(CELLS_BYTES);
    this.cells = wakeTimerCells(buffer);
    this.cells.time[0] = Number.POSITIVE_INFINITY;
    this.thread = new Worker(bundleFile('fleet-wake-timer'), { workerData: buffer });
    this.thread.unref();
    this.thread.on('message', onWake);
    this.thread.on('error', () => undefined);
  }

  /** Fires once after `wait` microseconds; this replaces an earlier setting. */
  set(wait: number): void {
    const { time, sets } = this.cells;
    time[0] = exactMonotonic() + wait;
    Atomics.add(sets, 0, 1);
    Atomics.notify(sets, 0);
  }

  stop(): void {
    this.thread.removeAllListeners('message');
    void this.thread.terminate();
  }
}

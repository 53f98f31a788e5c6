import { parentPort, workerData } from 'node:worker_threads';
import { exactMonotonic } from '../../clock.ts';
import { wakeTimerCells } from './wake-timer.ts';

/** The entry of a wake timer's thread: sleeps until the time that is set, posts a message, and sleeps again. */
if (workerData instanceof SharedArrayBuffer) {
  const { time, sets } = wakeTimerCells(workerData);
  for (;;) {
    const seen = Atomics.load(sets, 0);
    const wait = time[0]! - exactMonotonic();
    if (wait > 0) {
      // Returns early when the timer is set again.
      Atomics.wait(sets, 0, seen, wait / 1e3);
    } else {
      time[0] = Number.POSITIVE_INFINITY;
      parentPort?.postMessage(null);
    }
  }
}

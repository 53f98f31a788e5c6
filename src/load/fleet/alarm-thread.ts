import { parentPort, workerData } from 'node:worker_threads';
import { exactMonotonic } from '../../clock.ts';
import { alarmCells } from './alarm.ts';

/** The entry of an alarm's thread: sleeps until the moment that is set, says so, and sleeps again. */
if (workerData instanceof SharedArrayBuffer) {
  const { moment, sets } = alarmCells(workerData);
  for (;;) {
    const seen = Atomics.load(sets, 0);
    const wait = moment[0]! - exactMonotonic();
    if (wait > 0) {
      // Ends early when it is set anew.
      Atomics.wait(sets, 0, seen, wait / 1e3);
    } else {
      moment[0] = Number.POSITIVE_INFINITY;
      parentPort?.postMessage(null);
    }
  }
}

import type { Host } from '../host.ts';
import type { StopSignals } from '../run.ts';
import type { LiveProgress } from './progress.ts';

/**
 * A first Ctrl-C (SIGTERM and SIGHUP count the same) ends the load: what is in flight is drained and the
 * rows are verified. A second one leaves everything and closes.
 */
export function stopSignals(
  host: Host,
  progress: Pick<LiveProgress, 'say'>,
): StopSignals & { readonly dispose: () => void } {
  const stop = new AbortController();
  const abort = new AbortController();
  const dispose = host.onSignal((signal) => {
    if (stop.signal.aborted) {
      abort.abort();
      progress.say(`${signal} again: closing at once`);
    } else {
      stop.abort();
      progress.say(`${signal}: draining and closing; once more to leave at once`);
    }
  });
  return { stop: stop.signal, abort: abort.signal, dispose };
}

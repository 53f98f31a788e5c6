import type { Host } from '../host.ts';
import type { StopSignals } from '../run/steps.ts';
import { onAbort } from '../supervision/time-limit.ts';
import type { LiveProgress } from './progress.ts';

/**
 * A first Ctrl-C, SIGTERM or SIGHUP ends the load; operations in flight are drained and the rows verified. A second one
 * closes everything at once. A complete run keeps its verdict.
 */
export function stopSignals(
  host: Host,
  progress: Pick<LiveProgress, 'say'>,
): StopSignals & { readonly complete: () => void; readonly dispose: () => void } {
  let completed = false;
  const stop = new AbortController();
  const abort = new AbortController();
  const dispose = host.onSignal((signal) => {
    if (completed) {
      progress.say(`${signal}: the run is complete, its reports are being written`);
    } else if (stop.signal.aborted) {
      abort.abort();
      progress.say(`${signal} again: closing at once`);
    } else {
      stop.abort();
      progress.say(`${signal}: draining, then closing; send it again to close at once`);
    }
  });
  const complete = (): void => {
    completed = true;
  };
  return { stop: stop.signal, abort: abort.signal, complete, dispose };
}

/** Signals of one run among several, which go with it: what ends all ends it, too. */
export function ownSignals(all: StopSignals): StopSignals & { readonly dispose: () => void } {
  const [stop, abort] = [new AbortController(), new AbortController()];
  const forget = [onAbort(all.stop, () => stop.abort()), onAbort(all.abort, () => abort.abort())];
  return {
    ...{ stop: stop.signal, abort: abort.signal },
    dispose: () => {
      for (const each of forget) each();
    },
  };
}

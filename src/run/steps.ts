import { setTimeout as sleep } from 'node:timers/promises';
import { CapbenchError, EXIT, interrupted, isBug, messageOf, refusalOf, stackFailed } from '../errors.ts';
import type { LoadSecond } from '../load/engine.ts';
import type { Ending } from '../measurement/measurements.ts';
import { aborted } from '../supervision/time-limit.ts';
import type { StackFailure } from '../supervision/watchdog.ts';

/** The steps of a run, in order (load/README.md). */
export type Phase =
  | 'calibrate'
  | 'stack'
  | 'ceilings'
  | 'connect'
  | 'ramp'
  | 'warm-up'
  | 'measure'
  | 'drain'
  | 'verify'
  | 'close';

/** Who wants to see the run while it goes on. */
export interface Observer {
  phase(phase: Phase): void;
  second(second: LoadSecond): void;
}

/** `stop`: no more load, drain and verify. `abort`: leave everything and close. */
export interface StopSignals {
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
}

/** What ends a run from outside of its story; `crash` settles with what was thrown where nobody could catch it. */
export interface RunSignals extends StopSignals {
  readonly crash: Promise<unknown>;
}

/** How long the end of a component may take to be seen after a connection to it broke. */
const EXPLAIN_MS = 500;

export function openSteps(signals: RunSignals) {
  let lost: Promise<never> = new Promise(() => {});
  const left = aborted(signals.abort).then((): never => {
    throw interrupted('left at once');
  });
  // A connection that breaks while nobody waits for its answer.
  const crashed = signals.crash.then((thrown): Promise<never> => {
    if (isBug(thrown) || !isOfConnection(thrown)) throw thrown;
    return explain('a connection', thrown, lost);
  });
  for (const end of [left, crashed]) end.catch(() => undefined);
  return {
    step: <T>(what: string, doing: Promise<T>): Promise<T> =>
      Promise.race([doing.catch((thrown) => explain(what, thrown, lost)), lost, left, crashed]),
    /** From now on the end of a component ends every step. The signal aborts then. */
    standOn(failure: Promise<StackFailure>) {
      const gone = new AbortController();
      lost = failure.then(({ component, message, hint }): never => {
        throw stackFailed(`${component}: ${message}`, hint);
      });
      lost.catch(() => gone.abort());
      return gone.signal;
    },
    /** Rejects with what breaks off the run without anybody waiting for it. */
    broken: () => Promise.race([lost, crashed]),
  };
}

/**
 * A driver's own error ("Connection terminated unexpectedly") becomes a failure of the stack; where a component
 * turns out to be lost within a moment, that is the better reason. What can only be a bug stays one.
 */
async function explain(what: string, thrown: unknown, lost: Promise<never>): Promise<never> {
  const refused = refusalOf(thrown);
  if (refused !== null) throw refused;
  const known = thrown instanceof CapbenchError;
  if (isBug(thrown) || (known && thrown.exitCode !== EXIT.stackFailed)) throw thrown;
  await Promise.race([lost, sleep(EXPLAIN_MS)]);
  if (known) throw thrown;
  throw stackFailed(
    `${what}: ${messageOf(thrown)}`,
    'a component of the stack no longer answers: see the logs in the bundle',
    thrown,
  );
}

/** The system and PostgreSQL give their errors a code; of a connection that ended, pg gives none. */
const isOfConnection = (thrown: unknown): boolean =>
  thrown instanceof Error && ('code' in thrown || /^Connection terminated/.test(thrown.message));

/** How a run ended with what a step threw; null for what is a bug, or bad input. */
export function endingOf(error: unknown, phase: Phase): Ending | null {
  const thrown = refusalOf(error) ?? error;
  if (!(thrown instanceof CapbenchError)) return null;
  if (thrown.exitCode === EXIT.interrupted) return { state: 'interrupted', phase };
  if (thrown.exitCode !== EXIT.stackFailed) return null;
  return { state: 'stackFailed', because: thrown.message, hint: thrown.hint ?? '' };
}

/** Of a bug. */
export const brokenOff = (thrown: unknown, phase: Phase): Ending => ({
  state: 'stackFailed',
  because: `capbench itself failed in the ${phase} phase, and the run ended with it: ${messageOf(thrown)}`,
  hint: 'report it; what was measured until then is in the bundle',
});

/** What the steps of a run are done with: each ends with whatever ends the run. */
export type Steps = ReturnType<typeof openSteps>;

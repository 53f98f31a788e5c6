import { setTimeout as sleep } from 'node:timers/promises';
import {
  CapbenchError,
  EXIT,
  GeneratorFailed,
  interrupted,
  isBug,
  messageOf,
  refusalOf,
  stackFailed,
} from '../errors.ts';
import type { LoadSecond } from '../load/engine.ts';
import type { Ending, Measurements } from '../measurement/measurements.ts';
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

/** Receives the progress of a run. */
export interface Observer {
  phase(phase: Phase): void;
  second(second: LoadSecond): void;
  /** Called once, before anything is measured, with what gives the measurements so far. Absent: nobody asks for them. */
  follow?(soFar: () => Measurements): void;
}

/** `stop`: end the load, drain and verify. `abort`: skip these and close. */
export interface StopSignals {
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
}

/** Events outside a run that end it; `crash` settles with an uncaught error. */
export interface RunSignals extends StopSignals {
  readonly crash: Promise<unknown>;
}

/** The end of a component may be seen this long after a connection to it broke. */
const EXPLAIN_MS = 500;

export function openSteps(signals: RunSignals) {
  let lost: Promise<never> = new Promise(() => {});
  const left = aborted(signals.abort).then((): never => {
    throw interrupted('aborted by a second interrupt');
  });
  // An idle connection that breaks is an uncaught error.
  const crashed = signals.crash.then((thrown): Promise<never> => {
    if (isBug(thrown) || !isOfConnection(thrown)) throw thrown;
    return explain('a connection', thrown, lost);
  });
  for (const end of [left, crashed]) end.catch(() => undefined);
  return {
    step: <T>(what: string, doing: Promise<T>): Promise<T> =>
      Promise.race([doing.catch((thrown) => explain(what, thrown, lost)), lost, left, crashed]),
    /** From now on the end of a component ends every step. The returned signal aborts then. */
    dependOn(failure: Promise<StackFailure>) {
      const gone = new AbortController();
      lost = failure.then(({ component, message, hint }): never => {
        throw stackFailed(`${component}: ${message}`, hint);
      });
      lost.catch(() => gone.abort());
      return gone.signal;
    },
    /** Rejects with an error that ends the run and that no step awaits. */
    broken: () => Promise.race([lost, crashed]),
  };
}

/**
 * A driver's error ("Connection terminated unexpectedly") becomes a failure of the stack; if a component turns out to be
 * lost within a moment, that is the better reason. A bug stays a bug.
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
    'a component of the stack does not answer any more: see the logs in the bundle',
    thrown,
  );
}

/** Errors of the system and of PostgreSQL have a code; pg's error for an ended connection has none. */
const isOfConnection = (thrown: unknown): boolean =>
  thrown instanceof Error && ('code' in thrown || /^Connection terminated/.test(thrown.message));

/** How an error of a step ends the run; null for a bug or bad input. */
export function endingOf(error: unknown, phase: Phase): Ending | null {
  const thrown = refusalOf(error) ?? error;
  if (!(thrown instanceof CapbenchError)) return null;
  if (thrown.exitCode === EXIT.interrupted) return { state: 'interrupted', phase };
  if (thrown.exitCode !== EXIT.stackFailed) return null;
  return {
    ...{ state: 'stackFailed', because: thrown.message, hint: thrown.hint ?? '' },
    ...(thrown instanceof GeneratorFailed ? { of: 'generator' } : {}),
  };
}

/** How a bug ends the run. */
export const endedByBug = (thrown: unknown, phase: Phase): Ending => ({
  state: 'stackFailed',
  because: `a bug in capbench ended the run in the ${phase} phase: ${messageOf(thrown)}`,
  hint: 'report this bug; the measurements until then are in the bundle',
});

/** Runs the steps of a run so that each ends with whatever ends the run. */
export type Steps = ReturnType<typeof openSteps>;

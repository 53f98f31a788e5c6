/** Time limits of the steps of a start, in milliseconds. */
export interface StartLimits {
  /** For one call of a program (`postgres --version`), one connection or one statement. */
  readonly answer: number;
  /** For initdb, and for PostgreSQL until it accepts connections. */
  readonly postgres: number;
  /** For a world server, which loads its entities first. */
  readonly world: number;
}

/** Several times as long as a small, busy host needs. */
export const START_LIMITS: StartLimits = { answer: 20_000, postgres: 60_000, world: 30_000 };

/** `within 20 s` */
export const within = (milliseconds: number): string => `within ${milliseconds / 1e3} s`;

/** True when the promise resolves or rejects within the time limit, else false. */
export function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    const settled = () => {
      clearTimeout(timer);
      resolve(true);
    };
    promise.then(settled, settled);
  });
}

/**
 * A signal that is aborted after so long, for `AbortSignal.any`: on Node 20 an `AbortSignal.timeout` to which only that refers is
 * collected, and never fires. It keeps no process alive.
 */
export function timeoutSignal(milliseconds: number): AbortSignal {
  const late = new AbortController();
  const reason = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  setTimeout(() => late.abort(reason), milliseconds).unref();
  return late.signal;
}

/** All listeners of a signal share one event listener, since Node warns of a leak at more than ten. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls the listener when the signal is aborted; returns a function that removes it. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const all = waiting.get(signal) ?? new Set();
  if (!waiting.has(signal)) {
    waiting.set(signal, all);
    const callAll = (): void => {
      for (const each of [...all]) each();
    };
    signal.addEventListener('abort', callAll, { once: true });
  }
  all.add(listener);
  return () => void all.delete(listener);
}

/** Resolves after the given time; rejects when aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(() => {
      forget?.();
      resolve();
    }, milliseconds);
    const forget =
      signal &&
      onAbort(signal, () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
  });
}

/** Resolves when the signal is aborted, or already was. */
export const aborted = (signal: AbortSignal): Promise<null> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });

/** The promise's outcome, or a rejection as soon as the signal is aborted. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    const forget = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(forget);
  });
}

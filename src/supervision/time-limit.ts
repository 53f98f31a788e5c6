/** How long each step of a start is waited for before it is said to be stuck, in milliseconds. */
export interface StartLimits {
  /** One question to a program (`postgres --version`) or to PostgreSQL (a connection, a statement). */
  readonly answer: number;
  /** initdb, and then PostgreSQL until it answers. */
  readonly postgres: number;
  /** A world server, which loads its entities first. */
  readonly world: number;
}

/** Several times what a busy small host needs. */
export const START_LIMITS: StartLimits = { answer: 20_000, postgres: 60_000, world: 30_000 };

/** `within 20 s` */
export const within = (milliseconds: number): string => `within ${milliseconds / 1e3} s`;

/** True when the promise settles, either way, within so many milliseconds; false when the time is up first. */
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

/** Who waits for a signal, behind the one listener that it has: Node takes more than ten for a leak, and servers may be more. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls the listener when the signal is aborted from now on; returns what undoes that. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const all = waiting.get(signal) ?? new Set();
  if (!waiting.has(signal)) {
    waiting.set(signal, all);
    const tell = (): void => {
      for (const each of [...all]) each();
    };
    signal.addEventListener('abort', tell, { once: true });
  }
  all.add(listener);
  return () => void all.delete(listener);
}

/** So many milliseconds between two questions to somebody who is not ready yet; rejects when aborted. */
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

/** Resolves when the signal is aborted, or was before. */
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

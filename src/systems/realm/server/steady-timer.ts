/**
 * Acts every `interval` milliseconds, for the first time after `first`. One that was late does not delay those after it; those
 * that were missed altogether are left out. Returns a function that ends it.
 */
export function every(interval: number, act: () => void, first = interval): () => void {
  let due = performance.now() + first;
  const run = (): void => {
    const late = performance.now() - due;
    due += interval * Math.max(1, Math.floor(late / interval) + 1);
    timer = setTimeout(run, due - performance.now());
    act();
  };
  let timer = setTimeout(run, first);
  return () => clearTimeout(timer);
}

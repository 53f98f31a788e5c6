import { readFileSync } from 'node:fs';

/**
 * Seconds that the main thread of this process, the event loop's, has spent ready to run and waiting for a CPU:
 * the second field of /proc/self/schedstat. Null where the kernel keeps no such account.
 */
export function readWaitedSeconds(): number | null {
  try {
    return waitedSecondsIn(readFileSync('/proc/self/schedstat', 'utf8'));
  } catch {
    return null;
  }
}

/** `<ns on the CPU> <ns waiting> <time slices>`; null for anything else, and where the account was never begun. */
export function waitedSecondsIn(schedstat: string): number | null {
  const match = /^(\d+) (\d+) (\d+)\s*$/.exec(schedstat);
  if (match === null || Number(match[1]) === 0) return null;
  return Number(match[2]) / 1e9;
}

import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { codeOf } from '../errors.ts';
import { childrenOf } from './process-tree.ts';

/**
 * Niceness: a weight of 335 against 1,024 where both want the same CPU. A generator that needs less than its share
 * is let in at once with that; with 10 (a weight of 110) strangers on a busy host starve the servers.
 */
const BELOW = 5;
const LOWEST = 19;
const LOOK_EVERY_MS = 250;

/** Of what is under test, below our own. */
const niceness = (): number => Math.min(LOWEST, getPriority() + BELOW);

/**
 * Lets a process wait for a CPU where the generator, which shares the host, wants it too: a generator that is late
 * measures itself. Only ever lower, which needs no privilege; where it is refused the process stays as it is.
 *
 * Linux may also weigh sessions (autogroups) against one another before it looks at processes. Each of ours leads a
 * session, as every backend of PostgreSQL does, and niceness means nothing outside of it: so the session is lowered
 * alike. See sched(7).
 */
export function lowerPriority(pid: number): void {
  try {
    setPriority(pid, niceness());
  } catch {
    // Told by stepsBehind.
  }
  lowerSession(pid);
}

/** False when the kernel is to be asked again: it takes one such change in 100 ms from an ordinary user. */
function lowerSession(pid: number): boolean {
  try {
    if (sessionNiceness(pid) !== BELOW) writeFileSync(`/proc/${pid}/autogroup`, String(BELOW));
    return true;
  } catch (error) {
    return codeOf(error) !== 'EAGAIN';
  }
}

function sessionsCount(): boolean {
  try {
    return readFileSync('/proc/sys/kernel/sched_autogroup_enabled', 'latin1').trim() === '1';
  } catch {
    return false;
  }
}

/** Null where the kernel does not say. */
function sessionNiceness(pid: number): number | null {
  try {
    const [, nice] = /nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'latin1')) ?? [];
    return nice === undefined ? null : Number(nice);
  } catch {
    return null;
  }
}

/** Keeps the processes of now, and their children as they come, behind. Returns what ends it. */
export function keepBehind(pids: () => readonly number[]): () => void {
  if (!sessionsCount()) return () => {};
  let done: ReadonlySet<number> = new Set();
  const look = (): void => {
    const now = pids().flatMap((pid) => [pid, ...childrenOf(pid)]);
    done = new Set(now.filter((pid) => done.has(pid) || lowerSession(pid)));
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** By how much the least of them is behind, read back from the processes; 0: none is. */
export const stepsBehind = (pids: readonly number[]): number => Math.min(...pids.map(behindOf));

function behindOf(pid: number): number {
  try {
    const steps = getPriority(pid) - getPriority();
    // The generator's processes lead sessions, too, which begin at 0.
    return sessionsCount() ? Math.min(steps, sessionNiceness(pid) ?? steps) : steps;
  } catch {
    return 0;
  }
}

import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { codeOf } from '../errors.ts';
import { childrenOf } from './process-tree.ts';

/**
 * The niceness of the servers relative to the generator: a weight of 335 against 1,024 where both compete for a CPU. The
 * generator, which needs less than its share, is then scheduled at once. With 10 (a weight of 110) unrelated processes
 * on a busy host would starve the servers.
 */
const NICE_STEPS = 5;
const LOWEST = 19;
const POLL_MS = 250;

const niceness = (): number => Math.min(LOWEST, getPriority() + NICE_STEPS);

/**
 * Lowers the priority of a process under test below that of the generator on the same host: a generator that waits for
 * a CPU measures its own delay. Lowering needs no privilege; where it is refused the process keeps its priority.
 *
 * Linux may schedule sessions (autogroups) against one another before it compares processes. Each of our processes
 * leads a session, as every backend of PostgreSQL does, and niceness has no effect between sessions: so the session's
 * own niceness is lowered as well. See sched(7).
 */
export function lowerPriority(pid: number): void {
  try {
    setPriority(pid, niceness());
  } catch {
    // niceStepsBelow reads back what was achieved.
  }
  lowerSession(pid);
}

/** False when it has to be retried: the kernel accepts one such change in 100 ms from an ordinary user. */
function lowerSession(pid: number): boolean {
  try {
    if (sessionNiceness(pid) !== NICE_STEPS) writeFileSync(`/proc/${pid}/autogroup`, String(NICE_STEPS));
    return true;
  } catch (error) {
    return codeOf(error) !== 'EAGAIN';
  }
}

function hasAutogroups(): boolean {
  try {
    return readFileSync('/proc/sys/kernel/sched_autogroup_enabled', 'latin1').trim() === '1';
  } catch {
    return false;
  }
}

/** Null where it cannot be read. */
function sessionNiceness(pid: number): number | null {
  try {
    const [, nice] = /nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'latin1')) ?? [];
    return nice === undefined ? null : Number(nice);
  } catch {
    return null;
  }
}

/** Keeps lowering the sessions of the current processes and of their new children. Returns a function that ends this. */
export function keepPriorityLow(pids: () => readonly number[]): () => void {
  if (!hasAutogroups()) return () => {};
  let done: ReadonlySet<number> = new Set();
  const lowerAll = (): void => {
    const now = pids().flatMap((pid) => [pid, ...childrenOf(pid)]);
    done = new Set(now.filter((pid) => done.has(pid) || lowerSession(pid)));
  };
  lowerAll();
  const timer = setInterval(lowerAll, POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The smallest number of nice steps by which one of the processes is below the generator, read back from the kernel. */
export const niceStepsBelow = (pids: readonly number[]): number => Math.min(...pids.map(stepsOf));

function stepsOf(pid: number): number {
  try {
    const steps = getPriority(pid) - getPriority();
    // The generator's processes lead sessions, too, whose niceness begins at 0.
    return hasAutogroups() ? Math.min(steps, sessionNiceness(pid) ?? steps) : steps;
  } catch {
    return 0;
  }
}

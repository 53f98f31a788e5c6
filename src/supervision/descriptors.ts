import { readFileSync } from 'node:fs';

/** The soft limit of open descriptors in a `limits` file of /proc. */
export function descriptorsIn(procLimits: string): number | null {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(procLimits)?.[1];
  if (soft === undefined) return null;
  return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft);
}

/**
 * The descriptor limit of a process of this host; null without /proc. Node raises its soft limit to the hard one when it
 * starts, so this process has the limit that its children will have.
 */
export function readDescriptors(pid: number | 'self'): number | null {
  try {
    return descriptorsIn(readFileSync(`/proc/${pid}/limits`, 'utf8'));
  } catch {
    return null;
  }
}

import { readFileSync } from 'node:fs';
import type { ProcessSecond } from '../engine.ts';

/** USER_HZ: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** What a process uses, call by call, as the kernel tells; nulls where there is no /proc, or no such process any more. */
export function usageOf(pid: number): () => ProcessSecond {
  let before = cpuSecondsIn(read(pid, 'stat'));
  return () => {
    const now = cpuSecondsIn(read(pid, 'stat'));
    // After its end nobody tells: what it used last is lost, and no negative second is told.
    const cpuSeconds = now === null || before === null ? null : now - before;
    before = now ?? before;
    return { pid, cpuSeconds, memoryBytes: residentBytesIn(read(pid, 'status')) };
  };
}

/** Fields 14 and 15 of /proc/<pid>/stat: user and system. The command before them may hold blanks and parentheses. */
export function cpuSecondsIn(stat: string): number | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : null;
}

export function residentBytesIn(status: string): number | null {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

import { readFileSync } from 'node:fs';
import type { ProcessSecond } from '../engine.ts';

/** USER_HZ: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * What a process uses, as the kernel tells. It is looked at often: after its end nobody tells any more, and its last
 * second is known as far as the last look.
 */
export class Usage {
  private readonly pid: number;
  private cpuSeconds: number | null;
  private told: number | null;
  private memoryBytes: number | null = null;

  constructor(pid: number) {
    this.pid = pid;
    this.cpuSeconds = cpuSecondsIn(read(pid, 'stat'));
    this.told = this.cpuSeconds;
  }

  look(): void {
    this.cpuSeconds = cpuSecondsIn(read(this.pid, 'stat')) ?? this.cpuSeconds;
    this.memoryBytes = residentBytesIn(read(this.pid, 'status')) ?? this.memoryBytes;
  }

  /** Since the last call; nulls where there is no /proc. */
  take(): ProcessSecond {
    const { pid, cpuSeconds, told, memoryBytes } = this;
    this.told = cpuSeconds;
    return { pid, cpuSeconds: cpuSeconds === null || told === null ? null : cpuSeconds - told, memoryBytes };
  }
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

import { readProcess, residentBytes } from '../../supervision/proc.ts';
import type { ProcessSecond } from '../engine.ts';

/**
 * What a process uses, as the kernel tells. It is looked at often: after its end nobody tells any more, and its last
 * second is known as far as the last look.
 */
export class Usage {
  private readonly pid: number;
  private cpuSeconds: number | null = null;
  private told: number | null;
  private memoryBytes: number | null = null;

  constructor(pid: number) {
    this.pid = pid;
    this.look();
    this.told = this.cpuSeconds;
  }

  look(): void {
    this.cpuSeconds = readProcess(this.pid)?.ownSeconds ?? this.cpuSeconds;
    this.memoryBytes = residentBytes(this.pid) ?? this.memoryBytes;
  }

  /** Since the last call; nulls where there is no /proc. */
  take(): ProcessSecond {
    const { pid, cpuSeconds, told, memoryBytes } = this;
    this.told = cpuSeconds;
    return { pid, cpuSeconds: cpuSeconds === null || told === null ? null : cpuSeconds - told, memoryBytes };
  }
}

import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { WorkerSecond } from '../engine.ts';

/** CPU, memory and event loop of one worker, second by second. */
export class WorkerHealth {
  private readonly own: NodeJS.Process;
  private cpu: number;
  private loop = performance.eventLoopUtilization();
  private waited = readWaitedSeconds();

  constructor(own: NodeJS.Process) {
    this.own = own;
    this.cpu = this.cpuMicros();
  }

  /** Figures since the last call. `longestBlock` and `stalled` of the event loop are in microseconds. */
  take(longestBlock: number, stalled: number): WorkerSecond {
    const cpu = this.cpuMicros();
    const loop = performance.eventLoopUtilization();
    const waited = readWaitedSeconds();
    const second = {
      pid: this.own.pid,
      maxLoopDelayMs: longestBlock / 1e3,
      stalledMs: stalled / 1e3,
      waitedSeconds: waited === null || this.waited === null ? null : waited - this.waited,
      utilisation: performance.eventLoopUtilization(loop, this.loop).utilization,
      cpuSeconds: (cpu - this.cpu) / 1e6,
      memoryBytes: this.own.memoryUsage.rss(),
    };
    this.cpu = cpu;
    this.loop = loop;
    this.waited = waited;
    return second;
  }

  private cpuMicros(): number {
    const { user, system } = this.own.cpuUsage();
    return user + system;
  }
}

/**
 * Seconds that the main thread of this process, which runs the event loop, has spent runnable and waiting for a CPU:
 * the second field of /proc/self/schedstat. Null where the kernel does not count it.
 */
export function readWaitedSeconds(): number | null {
  try {
    return waitedSecondsIn(readFileSync('/proc/self/schedstat', 'utf8'));
  } catch {
    return null;
  }
}

/** `<ns on the CPU> <ns waiting> <time slices>`; null for anything else, and where the kernel counts nothing (all 0). */
export function waitedSecondsIn(schedstat: string): number | null {
  const match = /^(\d+) (\d+) (\d+)\s*$/.exec(schedstat);
  if (match === null || Number(match[1]) === 0) return null;
  return Number(match[2]) / 1e9;
}

import { performance } from 'node:perf_hooks';
import type { WorkerSecond } from '../engine.ts';
import { readWaitedSeconds } from './schedstat.ts';

/** What a worker may ask of its process. */
export interface OwnProcess {
  readonly pid: number;
  cpuUsage(): { readonly user: number; readonly system: number };
  memoryUsage: { rss(): number };
}

/** The health of one worker, second by second. */
export class Vitals {
  private readonly own: OwnProcess;
  private cpu: number;
  private loop = performance.eventLoopUtilization();
  private waited = readWaitedSeconds();

  constructor(own: OwnProcess) {
    this.own = own;
    this.cpu = this.cpuMicros();
  }

  /** Since the last call. The loop's longest block, and by how much it was stalled, in microseconds. */
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

import os from 'node:os';
import type { Probe, Sample } from './probe.ts';
import { cpuTimes, memoryAvailable, networkBytes, treeUse } from './proc.ts';

/** Busy seconds over all CPUs, where there is no /proc: Node's own account, without steal. */
const busySeconds = (): number =>
  os
    .cpus()
    .map(({ times }) => (times.user + times.nice + times.sys + times.irq) / 1e3)
    .reduce((sum, own) => sum + own, 0);

/**
 * The machine and, through its postmaster, PostgreSQL. What this platform does not tell (steal, network,
 * the CPU of another process) is left out, and its figures are then unmeasured.
 */
export function openHostProbe(postmaster: number | null): Probe {
  return {
    name: 'host',
    sample() {
      const samples: Sample[] = [];
      const counter = (series: string, value: number): void =>
        void samples.push({ series, kind: 'counter', value });
      const gauge = (series: string, value: number): void =>
        void samples.push({ series, kind: 'gauge', value });

      const times = cpuTimes();
      counter('host.cpuBusySeconds', times?.busySeconds ?? busySeconds());
      if (times !== null) counter('host.cpuStealSeconds', times.stealSeconds);
      const network = networkBytes();
      if (network !== null) counter('host.networkBytes', network);
      gauge('host.memoryAvailableBytes', memoryAvailable() ?? os.freemem());
      const own = process.cpuUsage();
      counter('runner.cpuSeconds', (own.user + own.system) / 1e6);
      const postgres = postmaster === null ? null : treeUse(postmaster);
      if (postgres !== null) {
        counter('postgres.cpuSeconds', postgres.cpuSeconds);
        gauge('postgres.memoryBytes', postgres.memoryBytes);
      }
      return Promise.resolve(samples);
    },
    close: () => Promise.resolve(),
  };
}

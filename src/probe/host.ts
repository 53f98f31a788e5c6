import os from 'node:os';
import { monotonic } from '../clock.ts';
import type { Endpoints } from '../stack/stack.ts';
import {
  type CpuTimes,
  cpuTimes,
  memoryAvailable,
  memoryOf,
  networkBytes,
  readSmall,
  waitedSeconds,
} from '../supervision/proc.ts';
import { childrenOf } from '../supervision/process-tree.ts';
import { openThrottling } from './cgroup.ts';
import { type ForeignProcess, type Owner, openCpuAccount } from './cpu-account.ts';
import type { Probe, Sample } from './probe.ts';
import { openProcessTable } from './process-table.ts';
import { openRising, openTotal } from './total.ts';

interface HostProbe extends Probe {
  /** The busiest processes outside the run, as of the last reading; none without /proc. */
  foreignProcesses(): readonly ForeignProcess[];
}

/** How many foreign processes are reported. */
const NAMED = 3;

/** Busy seconds over all CPUs for hosts without /proc, from Node, without steal. */
const busySeconds = (): number =>
  os
    .cpus()
    .map(({ times }) => (times.user + times.nice + times.sys + times.irq) / 1e3)
    .reduce((sum, own) => sum + own, 0);

/**
 * Probes the machine, and how much of it the run and other processes use. The run is this process, `others` (pids that may be
 * added later), and their descendants.
 * Figures that this platform does not provide (steal, network, the CPU of another process) are unmeasured. A target's
 * processes are not descendants and would count as foreign: beside a target only the processes in `foreign` (pids) count
 * as such, and without these foreign CPU is unmeasured.
 */
export function openHostProbe(
  { worlds, database, partlyGiven }: Endpoints,
  foreign: ReadonlySet<number> | null = null,
  others: ReadonlySet<number> = new Set(),
): HostProbe {
  const throttledPeriods = openThrottling();
  const table = openProcessTable();
  const account = openCpuAccount();
  const foreignSeconds = openForeignSeconds(table.complete);
  const rising = openRising();
  const network = openTotal();
  const waitedWorlds = worlds.map(() => openTotal());
  const waitedPostgres = openTotal();
  const ourPostgres = database !== null && database.pid !== null;
  const ours =
    worlds.every(({ pid }) => pid !== null) && (database === null || ourPostgres) && partlyGiven !== true;
  const countsWaits = waitedSeconds(process.pid) !== null;
  const foreignNow = (): readonly ForeignProcess[] =>
    account.foreign().filter(({ pid }) => ours || foreign?.has(pid) === true);
  let lastScan = monotonic();

  const scan = async (): Promise<boolean> => {
    const processes = await table.scan();
    if (processes.length === 0) return false;
    const roots = new Map<number, Owner>([process.pid, ...others].map((pid) => [pid, 'run']));
    if (database !== null && database.pid !== null) roots.set(database.pid, 'postgres');
    const now = monotonic();
    account.add(processes, roots, (os.cpus().length * (now - lastScan)) / 1e6);
    lastScan = now;
    return true;
  };

  return {
    name: 'host',
    async sample() {
      const samples: Sample[] = [];
      const counter = (series: string, value: number | null): void => {
        if (value !== null) samples.push({ series, kind: 'counter', value: rising(series, value) });
      };
      const gauge = (series: string, value: number): void =>
        void samples.push({ series, kind: 'gauge', value });

      const times = cpuTimes();
      counter('host.cpuBusySeconds', times?.busySeconds ?? busySeconds());
      counter('host.cpuStealSeconds', times?.stealSeconds ?? null);
      counter('host.throttledPeriods', throttledPeriods());
      const { memoryFullSeconds, cpuSomeSeconds } = pressure();
      counter('host.memoryFullSeconds', memoryFullSeconds);
      counter('host.cpuSomeSeconds', cpuSomeSeconds);
      const sent = networkBytes();
      if (sent !== null) counter('host.networkBytes', network(sent));
      gauge('host.memoryAvailableBytes', memoryAvailable() ?? os.freemem());
      const own = process.cpuUsage();
      counter('runner.cpuSeconds', (own.user + own.system) / 1e6);

      if (await scan()) {
        const run = account.seconds('run') + account.seconds('postgres');
        counter('host.runCpuSeconds', run);
        if (ours) counter('host.foreignCpuSeconds', foreignSeconds(account.seconds('foreign'), run, times));
        else if (foreign !== null) {
          counter(
            'host.foreignCpuSeconds',
            foreignNow().reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
          );
        }
        if (countsWaits) {
          for (const [index, { pid }] of worlds.entries()) {
            if (pid !== null)
              counter(`world.${index + 1}.waitedSeconds`, waitedWorlds[index]!(waits(treeOf(pid))));
          }
        }
        if (ourPostgres) {
          const pids = account.pids('postgres');
          counter('postgres.cpuSeconds', account.seconds('postgres'));
          if (pids.length > 0) gauge('postgres.memoryBytes', memoryOf(pids));
          if (countsWaits) counter('postgres.waitedSeconds', waitedPostgres(waits(pids)));
        }
      }
      return samples;
    },
    foreignProcesses: () => foreignNow().slice(0, NAMED),
    close: () => Promise.resolve(),
  };
}

/** A server and the processes that it has started. */
const treeOf = (pid: number): readonly number[] => [pid, ...childrenOf(pid).flatMap(treeOf)];

/** For how long each living process has waited for a CPU. */
const waits = (pids: readonly number[]): (readonly [key: string, seconds: number])[] =>
  pids.flatMap((pid) => {
    const waited = waitedSeconds(pid);
    return waited === null ? [] : [[String(pid), waited] as const];
  });

/**
 * CPU seconds of processes outside the run. Where every process of the host is visible, it is their sum, exact to a tick
 * each. In a container other processes show only in the totals of /proc/stat, which are sampled: the total minus the
 * run's CPU, and never less than that of the visible processes. Softirq time that the kernel charges to the run's
 * processes is not in that total, so the result may be too low, and is never too high.
 *
 * @param complete whether every process of the host is visible
 */
export function openForeignSeconds(
  complete: boolean,
): (seen: number, run: number, times: CpuTimes | null) => number {
  let start: number | null = null;
  return (seen, run, times) => {
    if (complete || times === null) return seen;
    const others = times.processSeconds - run;
    start ??= others;
    return Math.max(seen, others - start);
  };
}

/** `full avg10=0.00 avg60=0.00 avg300=0.00 total=51018256`: the total is in microseconds. */
export function stalledSeconds(text: string | null, line: 'some' | 'full'): number | null {
  const total = new RegExp(`^${line} .*total=(\\d+)$`, 'm').exec(text ?? '')?.[1];
  return total === undefined ? null : Number(total) / 1e6;
}

export const pressure = () => ({
  memoryFullSeconds: stalledSeconds(readSmall('/proc/pressure/memory'), 'full'),
  cpuSomeSeconds: stalledSeconds(readSmall('/proc/pressure/cpu'), 'some'),
});

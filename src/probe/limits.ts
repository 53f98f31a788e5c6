import { readGroups } from '../stack/control-groups.ts';
import type { LimitedComponent } from '../stack/stack.ts';
import { memoryOf, type ProcessReading, readProcess } from '../supervision/proc.ts';
import type { Probe, Sample } from './probe.ts';
import { idOf, livingBelow } from './server-family.ts';
import { openTotal } from './total.ts';

/**
 * Reads what components use of their limits, each with its child processes: CPU since the first reading, memory that is its
 * own (a cache of files, which the kernel takes back, is not), and what the kernel counted in its groups. While one is down
 * it has no reading.
 */
export function openLimitsProbe(limited: readonly LimitedComponent[]): Probe {
  const totals = limited.map(() => openTotal());
  const read = (component: LimitedComponent, total: ReturnType<typeof openTotal>): readonly Sample[] => {
    const { name, pids, groups } = component;
    const roots = pids.flatMap((pid) => readProcess(pid) ?? []).filter(({ state }) => state !== 'Z');
    if (roots.length === 0) return [];
    const family: readonly ProcessReading[] = roots.flatMap((root) => [root, ...livingBelow(root.pid)]);
    const counter = (series: string, value: number | null): Sample[] =>
      value === null ? [] : [{ series: `limits.${name}.${series}`, kind: 'counter', value }];
    const counts = readGroups(groups);
    return [
      ...counter('cpuSeconds', total(family.map((one) => [idOf(one), one.ownSeconds]))),
      {
        series: `limits.${name}.memoryBytes`,
        kind: 'gauge',
        value: memoryOf(family.map((one) => one.pid)),
      },
      ...counter('periods', counts.periods),
      ...counter('throttledPeriods', counts.throttledPeriods),
      ...counter('outOfMemoryKills', counts.outOfMemoryKills),
    ];
  };
  return {
    name: 'limits',
    sample: async () => limited.flatMap((component, i) => read(component, totals[i]!)),
    close: async () => undefined,
  };
}

import { limitsOf } from '../scenario/component-limits.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Figures, LimitFigures } from './figures.ts';
import type { Measurements } from './measurements.ts';
import { measuredOf, NO_SPREAD, percentOf } from './readings.ts';

/** What each component with limits used of them, in the measure phase. */
export function limitFigures(m: Measurements, s: Scenario): Pick<Figures, 'limits'> {
  const names = Object.keys(m.series).flatMap((key) => /^limits\.([^.]+)\.cpuSeconds$/.exec(key)?.[1] ?? []);
  if (names.length === 0) return {};
  return { limits: Object.fromEntries(names.map((name) => [name, figuresOfOne(name, m, s)])) };
}

function figuresOfOne(name: string, m: Measurements, s: Scenario): LimitFigures {
  const { gauge, percents, increase } = measuredOf(m, `limits.${name}`);
  const { cpus = null, memory } = limitsOf(s, name) ?? {};
  const memoryBytes = memory === undefined ? null : memory * 2 ** 20;
  const used = gauge('memoryBytes');
  const share = (bytes: number | null): number | null => percentOf(bytes, memoryBytes);
  return {
    ...{ cpus, memoryBytes },
    cpuPercent: cpus === null ? NO_SPREAD : percents('cpuSeconds', cpus),
    memoryPercent: { mean: share(used.mean), min: share(used.min), max: share(used.max) },
    throttledPercent: percentOf(increase('throttledPeriods'), increase('periods')),
    outOfMemoryKills: increase('outOfMemoryKills'),
  };
}

import { expect, test } from 'vitest';
import type { Series } from '../../src/measurement/measurements.ts';
import { fluxFiguresOf, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { counter, gauge, withSeries } from '../judge/measured.ts';

const figuresWith = (
  series: Readonly<Record<string, Series>>,
  limits: { cpus?: number; memory?: number },
) => {
  const scenario = scenarioOf();
  const world = { ...scenario.world, limits };
  return fluxFiguresOf(measurementsOf(withSeries(series)), { ...scenario, world }).limits;
};

const MB = 2 ** 20;

test('what a component used is in percent of its own limits', () => {
  const limits = figuresWith(
    {
      'limits.world-1.cpuSeconds': counter(0.25),
      'limits.world-1.memoryBytes': gauge((second) => (second < 20 ? 64 * MB : 96 * MB)),
      'limits.world-1.periods': counter(10),
      'limits.world-1.throttledPeriods': counter(2.5),
      'limits.world-1.outOfMemoryKills': gauge(0),
      'limits.world-2.cpuSeconds': counter(0.1),
      'limits.world-2.memoryBytes': gauge(32 * MB),
    },
    { cpus: 0.5, memory: 128 },
  );
  expect(limits?.['world-1']).toMatchObject({ cpus: 0.5, memoryBytes: 128 * MB, outOfMemoryKills: 0 });
  expect(limits?.['world-1']?.cpuPercent.mean).toBeCloseTo(50, 6);
  expect(limits?.['world-1']?.cpuPercent.max).toBeCloseTo(50, 6);
  expect(limits?.['world-1']?.memoryPercent).toMatchObject({ min: 50, max: 75 });
  expect(limits?.['world-1']?.throttledPercent).toBeCloseTo(25, 6);
  expect(limits?.['world-2']?.cpuPercent.mean).toBeCloseTo(20, 6);
  // Without a control group nothing counts them.
  expect(limits?.['world-2']).toMatchObject({ throttledPercent: null, outOfMemoryKills: null });
});

test('what is not limited has no share', () => {
  const series = {
    'limits.world-1.cpuSeconds': counter(0.25),
    'limits.world-1.memoryBytes': gauge(64 * MB),
  };
  const none = { mean: null, min: null, max: null };
  expect(figuresWith(series, { memory: 128 })?.['world-1']).toMatchObject({ cpus: null, cpuPercent: none });
  expect(figuresWith(series, { cpus: 1 })?.['world-1']).toMatchObject({
    memoryBytes: null,
    memoryPercent: none,
  });
  expect(figuresWith({}, { cpus: 1 })).toBeUndefined();
});

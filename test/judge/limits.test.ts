import { expect, test } from 'vitest';
import { budget, scenarioOf } from '../fixtures/recorded-run.ts';
import { counter, gauge, recorded, verdictOf, withSeries } from './measured.ts';

/** The recorded run, whose probe of limits read this of a server with half a CPU and 128 MB. */
const verdict = (
  series: Parameters<typeof withSeries>[0],
  metric: string,
  stat: string | null,
  limit = 60,
) => {
  const { world } = scenarioOf();
  const read = { samples: 28, gaps: 0, lastError: null, measured: { samples: 21, gaps: 0 } };
  return verdictOf(
    { ...withSeries(series), probes: [...recorded.probes, { name: 'limits', ...read }] },
    {
      world: { ...world, limits: { cpus: 0.5, memory: 128 } },
      budgets: [budget({ id: 'fits', metric, stat, op: '<', limit, unit: '%', metricUnit: '%' })],
    },
  );
};

const USED = {
  'limits.world-1.cpuSeconds': counter(0.25),
  'limits.world-1.memoryBytes': gauge(96 * 2 ** 20),
};

test('a budget on a share of a limit is judged', () => {
  expect(verdict(USED, 'limits.world-1.cpuPercent', 'mean').rulings).toMatchObject([
    { state: 'met', observed: expect.closeTo(50, 6) },
  ]);
  expect(verdict(USED, 'limits.world-1.memoryPercent', 'max')).toMatchObject({
    exitCode: 99,
    rulings: [{ state: 'breached', observed: 75 }],
  });
});

test('in a run without any limits, too', () => {
  expect(verdict({}, 'limits.world-1.cpuPercent', 'mean').rulings).toMatchObject([
    { state: 'unmeasured', reason: expect.stringMatching(/^no limits of world-1 were watched/) },
  ]);
});

test.each([
  ['limits.world-1.throttledPercent', null, /^no quota of a control group held its CPUs/],
  ['limits.world-1.outOfMemoryKills', null, /^no control group held its memory/],
  ['limits.redis.cpuPercent', 'mean', /^no limits of redis were watched: the scenario has none/],
])('%s is unmeasured, and says why', (metric, stat, reason) => {
  expect(verdict(USED, metric, stat).rulings).toMatchObject([
    { state: 'unmeasured', reason: expect.stringMatching(reason) },
  ]);
});

import { expect, test } from 'vitest';
import type { Measurements } from '../../src/measurement/measurements.ts';
import { limitFacts } from '../../src/report/facts.ts';
import { html } from '../../src/report/html.ts';
import { summary } from '../../src/report/summary.ts';
import { budget, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from '../report/report-of.ts';
import { counter, gauge, recorded, slowed, withSeries } from './measured.ts';

type Series = Parameters<typeof withSeries>[0];

const MB = 2 ** 20;
const read = { samples: 28, gaps: 0, lastError: null, measured: { samples: 21, gaps: 0 } };

/** The recorded run, of whose server and stack the probe of limits read this. */
const report = (series: Series, more: Partial<Measurements> = {}) => {
  const scenario = scenarioOf();
  return reportFrom(
    {
      ...{ ...recorded, ...withSeries(series), ...more },
      probes: [...recorded.probes, { name: 'limits', ...read }],
    },
    {
      ...scenario,
      world: { ...scenario.world, limits: { cpus: 0.5, memory: 128 } },
      limits: { stack: { cpus: 2 } },
      budgets: [budget({ id: 'p95', metric: 'latency.intent.due', stat: 'p95', limit: 50 })],
    },
  );
};

const FITS: Series = {
  'limits.world-1.cpuSeconds': counter(0.25),
  'limits.world-1.memoryBytes': gauge(96 * MB),
  'limits.stack.cpuSeconds': counter(0.4),
  'limits.stack.memoryBytes': gauge(300 * MB),
};

test('limits that were not used up hold the players, and what is left is said of the one used most', () => {
  const { boxes } = report(FITS);
  expect(boxes).toMatchObject([
    {
      name: 'world-1',
      limits: '0.5 CPUs, 128MB',
      state: 'holds',
      because: '25% of what is used most is left',
    },
    { name: 'stack', limits: '2 CPUs', state: 'holds', because: '80% of what is used most is left' },
  ]);
  expect(boxes?.map(({ sparePercent }) => sparePercent)).toEqual([25, expect.closeTo(80, 6)]);
});

test.each<[string, Series, string, number]>([
  [
    'memory beyond the limit, which nothing held',
    { 'limits.world-1.memoryBytes': gauge(160 * MB) },
    'memory of up to 125% of its limit',
    -25,
  ],
  ['CPUs that are used up', { 'limits.world-1.cpuSeconds': counter(0.48) }, '96% of its 0.5 CPUs used', 4],
  [
    'a kill by the kernel',
    { 'limits.world-1.outOfMemoryKills': counter(1) },
    expect.stringMatching(/^the kernel killed .* at its limit of memory$/),
    25,
  ],
])('%s: they do not hold', (_what, series, because, spare) => {
  const [server, stack] = report({ ...FITS, ...series }).boxes ?? [];
  expect(server).toMatchObject({ state: 'does not hold', because });
  expect(server?.sparePercent).toBeCloseTo(spare, 6);
  expect(stack?.state).toBe('holds');
});

test('a load that was not sustained within the limits is not held, and of a run without a conclusion nothing is known', () => {
  const slow = report(FITS, { operations: slowed('intent', 10, 2000).operations });
  expect(slow.boxes?.[0]).toMatchObject({
    state: 'does not hold',
    because: 'within its limits the load was not sustained, or answers were slow',
  });
  const ended = report(FITS, {
    ending: { state: 'stackFailed', because: 'world-1: it ended' } as Measurements['ending'],
  });
  expect(ended.boxes?.map(({ state, because }) => [state, because])).toEqual([
    ['unknown', 'the run has no conclusion'],
    ['unknown', 'the run has no conclusion'],
  ]);
});

test('terminal, page and summary have what report.json has, and nothing without limits', () => {
  const one = report({ ...FITS, 'limits.world-1.memoryBytes': gauge(160 * MB) });
  expect(limitFacts(one)['limits world-1']?.[0]).toBe(
    'does not hold 1,000 players in 0.5 CPUs, 128MB: memory of up to 125% of its limit',
  );
  expect(limitFacts(one)['limits stack']?.[0]).toMatch(
    /^holds 1,000 players in 2 CPUs: 80% of what is used most is left$/,
  );
  const page = html(one, []);
  expect(page).toContain('does not hold: memory of up to 125% of its limit');
  expect(page).toContain('id="limits"');
  expect(summary(one)).toMatch(
    /\| world-1 \| 0\.5 CPUs, 128MB \| not known \| 1,000 \| 50%, peak 50% \| up to 125% \| \\-25% \| does not hold: memory of up to 125% of its limit \|/,
  );
  const without = reportFrom(recorded, scenarioOf());
  expect(without.boxes).toBeUndefined();
  expect(html(without, [])).not.toContain('id="limits"');
  expect(summary(without)).not.toContain('limits of');
});

import { expect, test } from 'vitest';
import type { HistogramData } from '../../src/histogram.ts';
import type { Counts } from '../../src/load/engine.ts';
import type { Measurements, Series } from '../../src/measurement/measurements.ts';
import { budget, partOf, type Recorded } from '../fixtures/recorded-run.ts';
import { counter, gauge, recorded, slowed, verdictOf, withSeries } from './measured.ts';

/** So many of the 20,000 intents were answered; the rest timed out. */
function answering(ok: number): Recorded['operations'] {
  const { intent } = recorded.operations;
  const measured: Counts = { ...intent.measured, ok, rejected: 0, timedOut: 20_000 - ok };
  const sized = (of: typeof intent.due) => partOf(of, ok);
  const timed = {
    due: sized(intent.due),
    net: sized(intent.due),
    service: sized(intent.service),
    lag: sized(intent.lag),
  };
  return {
    ...recorded.operations,
    intent: { ...intent, measured, ...timed, rejected: partOf(intent.due, 0) },
  };
}

/** An own lag of 10.3 ms, where 5 are allowed. */
function slightlyLate({ intent, monsterCommand }: Recorded['operations']): Recorded['operations'] {
  const ownLag = { counts: [[10_303, 1000] as const], min: 10_303, max: 10_303, sum: 10_303_000 };
  return { intent: { ...intent, ownLag }, monsterCommand: { ...monsterCommand, ownLag } };
}

const idle = withSeries({ 'generator.0.loopDelayMs': gauge(5), 'generator.1.loopDelayMs': gauge(5) }).series;
const taken = (over: Readonly<Record<string, Series>>) => ({ ...idle, ...over });
/** Of the two cores: cores that others took. */
const foreign = (cores: number) => taken({ 'host.foreignCpuSeconds': counter(cores) });
const stolen = (cores: number) => taken({ 'host.cpuStealSeconds': counter(cores) });
const blocked = (ms: number) => taken({ 'generator.0.loopDelayMs': gauge(ms) });

const p95 = [budget({ id: 'p95', metric: 'latency.intent.due', stat: 'p95', limit: 20 })];
/** No budget on a latency: the generator's lag is held against 5 ms. */
const others = [budget({ id: 'ccu', metric: 'load.peakCcu', op: '>=', limit: 1000, metricUnit: 'players' })];

test.each<[string, Partial<Measurements>, number, RegExp]>([
  [
    'a collapse with a slightly late generator',
    { operations: slightlyLate(answering(0)) },
    99,
    /^overloaded or failing: 0% of the intents were answered/,
  ],
  [
    'a third answered under 2.6% of steal',
    { operations: answering(6000), series: stolen(0.052) },
    99,
    /30% of the intents were answered.*latency not judged, because steal-mean/,
  ],
  [
    '97% answered while others took 17% of the host',
    { operations: answering(19_400), series: foreign(0.34) },
    90,
    /^no conclusion: foreign-cpu/,
  ],
  [
    '80% answered while others took 17% of the host',
    { operations: answering(16_000), series: foreign(0.34) },
    99,
    /80% of the intents were answered/,
  ],
  [
    '97% answered by a generator that was blocked half of the time',
    { operations: answering(19_400), series: blocked(500) },
    90,
    /^no conclusion: generator-loop-delay/,
  ],
  [
    'half answered under a block of 0.2 s a second',
    { operations: answering(10_000), series: blocked(200) },
    99,
    /50% of the intents were answered/,
  ],
  [
    'slow answers while others took half of the host',
    { ...slowed('intent', 10), series: foreign(1) },
    90,
    /^no conclusion: foreign-cpu/,
  ],
  [
    'everything held, and others took half of the host',
    { series: foreign(1) },
    90,
    /^no conclusion: foreign-cpu/,
  ],
])('%s', (_, m, exitCode, headline) => {
  const verdict = verdictOf(m, { budgets: [...p95, ...others] });
  expect(verdict.headline).toMatch(headline);
  expect(verdict.exitCode).toBe(exitCode);
  expect(
    verdict.rules.some(({ state, consequence }) => state === 'broken' && consequence === 'disturbed'),
  ).toBe(true);
  if (exitCode === 99) expect(verdict.invalidBecause).toEqual([]);
  else expect(verdict.invalidBecause).not.toEqual([]);
});

test('a latency stands where it would have been too long with a punctual generator, too', () => {
  const slow = slowed('intent', 10).operations;
  const late = { counts: [[15_000, 20_000] as const], min: 15_000, max: 15_000, sum: 300_000_000 };
  const times = (by: number) => ({
    counts: recorded.operations.intent.due.counts.map(([value, n]) => [by * value, n] as const),
    ...{ min: by * recorded.operations.intent.due.min, max: by * recorded.operations.intent.due.max },
    sum: by * recorded.operations.intent.due.sum,
  });
  const judged = (net: typeof late | ReturnType<typeof times> | null) =>
    verdictOf({ operations: { ...slow, intent: { ...slow.intent, ownLag: late, net } } }, { budgets: p95 });
  expect(judged(times(9))).toMatchObject({ exitCode: 99, headline: '1 of 1 budget breached: p95' });
  expect(judged(times(1))).toMatchObject({ exitCode: 90 });
  // An engine that does not tell.
  expect(judged(null)).toMatchObject({ exitCode: 90 });
});

test('what the disturbance may explain is not judged beside a breach that stands', () => {
  const { rulings, notes, bottleneck } = verdictOf(
    { operations: answering(6000), series: stolen(0.052) },
    { budgets: [...p95, ...others] },
  );
  expect(rulings.map(({ state }) => state)).toEqual(['unmeasured', 'met']);
  expect(rulings[0]?.reason).toContain('not judged, because of steal-mean');
  expect(notes.join()).toContain('steal-mean');
  expect(bottleneck.resource).not.toBe('host');
});

test('rules that are broken together name one cause', () => {
  const { invalidBecause } = verdictOf(
    {
      operations: slightlyLate(recorded.operations),
      series: foreign(0.34),
      canary: { beforeMs: 20, afterMs: 30 },
      foreign: [{ name: 'spinner', pid: 7, cpuSeconds: 9 }],
    },
    { budgets: others },
  );
  expect(invalidBecause).toHaveLength(1);
  expect(invalidBecause[0]).toMatch(
    /^foreign-cpu: 17.*spinner \(pid 7\).*; with it canary 50.*generator-lag 10\.3/,
  );
});

test('what the generator itself came too late for is held against no budget on what was sent', () => {
  const { intent } = recorded.operations;
  // A tenth was skipped, all of it by a worker that was late by more than a second.
  const measured: Counts = { ...intent.measured, ok: intent.measured.ok - 2000, skipped: 2000 };
  const sized = (of: typeof intent.due) => partOf(of, 18_000);
  const late: HistogramData = {
    counts: [[500, 18_000] as const, [1_500_000, 2000] as const],
    ...{ min: 500, max: 1_500_000, sum: 3_009_000_000 },
  };
  const ownLag: HistogramData = { ...late, counts: [[1_500_000, 400_000]], min: 1_500_000 };
  const timed = {
    ...{
      due: sized(intent.due),
      net: sized(intent.due),
      service: sized(intent.service),
      lag: sized(intent.lag),
    },
    rejected: partOf(sized(intent.due), intent.measured.rejected),
  };
  const budgets = [
    budget({ id: 'sent', metric: 'load.sentPercent.intent', op: '>=', limit: 99, metricUnit: '%' }),
    budget({ id: 'rate', metric: 'throughput.intentsPerSecond', op: '>=', limit: 990, metricUnit: 'ops/s' }),
  ];
  const judged = (own: HistogramData) =>
    verdictOf(
      {
        operations: {
          intent: { ...intent, measured, ...timed, ownLag: own },
          monsterCommand: { ...recorded.operations.monsterCommand, ownLag },
        },
      },
      { budgets },
    );
  expect(judged(late)).toMatchObject({ exitCode: 90, breachedBecause: [] });
  // The server held it back.
  const punctual = { ...late, counts: [[500, 20_000] as const] as const, max: 500, sum: 10_000_000 };
  expect(judged(punctual).exitCode).toBe(99);
});

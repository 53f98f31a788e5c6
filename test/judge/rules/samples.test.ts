import { expect, test } from 'vitest';
import type { HistogramData } from '../../../src/histogram.ts';
import type { Measurements } from '../../../src/measurement/measurements.ts';
import { DEFAULT_RULES } from '../../../src/scenario/rules.ts';
import { budget, scenarioOf } from '../../fixtures/recorded-run.ts';
import { counter, recorded, ruleOf, verdictOf, withSeries } from '../measured.ts';

const p95 = (over: Partial<Parameters<typeof budget>[0]> = {}) =>
  budget({ id: 'p95', metric: 'latency.intent.due', stat: 'p95', limit: 10, ...over });

const histogram = (under: number, over: number): HistogramData => ({
  counts: [
    ...(under === 0 ? [] : [[5000, under] as const]),
    ...(over === 0 ? [] : [[20_000, over] as const]),
  ],
  min: under === 0 ? 20_000 : 5000,
  max: over === 0 ? 5000 : 20_000,
  sum: 5000 * under + 20_000 * over,
});

/** Intents in 20 windows, so many of them over 10 ms. */
function intents(windows: readonly (readonly [under: number, over: number])[]): Partial<Measurements> {
  const facts = recorded.operations.intent;
  const sum = (side: 0 | 1): number => windows.reduce((total, one) => total + one[side], 0);
  const scheduled = sum(0) + sum(1);
  const counts = { ...facts.measured, scheduled, ok: scheduled, rejected: 0 };
  const all = histogram(sum(0), sum(1));
  const intent = { ...facts, measured: counts, due: all, service: all, lag: all };
  return {
    operations: {
      ...recorded.operations,
      intent: { ...intent, windows: windows.map(([under, over]) => histogram(under, over)) },
    },
  };
}

const even = (each: number, over: number) => Array.from({ length: 20 }, () => [each - over, over] as const);
const sampled = (m: Partial<Measurements>, over: Partial<Parameters<typeof budget>[0]> = {}) =>
  verdictOf(m, { load, budgets: [p95(over)] });
/** As many intents come due as the windows hold. */
const whole = scenarioOf().load;
const load = { ...whole, operations: { ...whole.operations, intent: { perSecond: 4 } } };
const samples = (m: Partial<Measurements>, over: Partial<Parameters<typeof budget>[0]> = {}) =>
  ruleOf(sampled(m, over), 'samples.p95');

test('ninety operations without one over the limit prove a p95, eighty do not', () => {
  expect(samples(intents([...even(4, 0), [10, 0]])).state).toBe('held');
  const few = samples(intents(even(4, 0)));
  expect(few.state).toBe('broken');
  expect(Number(few.observed)).toBeCloseTo(98.35, 1);
  expect(few.advice).toMatch(
    /^measure about [345] s longer \(--duration 2[345]s\): 0 of 80 operations were over the limit$/,
  );
});

test('a p99 asks for more than a p95', () => {
  expect(samples(intents(even(20, 0))).state).toBe('held');
  expect(samples(intents(even(20, 0)), { stat: 'p99' }).state).toBe('broken');
  expect(samples(intents(even(23, 0)), { stat: 'p99' }).state).toBe('held');
});

test('what comes in bursts is worth less', () => {
  expect(samples(intents(even(50, 1))).state).toBe('held');
  const bursts = even(50, 0).map((window, i) => (i === 7 ? ([30, 20] as const) : window));
  const rule = samples(intents(bursts));
  expect(rule.state).toBe('broken');
  expect(rule.advice).toMatch(/in bursts, so that all together count as \d\d independent ones$/);
});

test('operations without an answer are bursts, too', () => {
  const facts = intents(even(50, 0)).operations?.intent;
  if (facts === undefined) throw new Error('no intents');
  const measured = { ...facts.measured, ok: facts.measured.ok, scheduled: 1020, skipped: 20 };
  const skipped = (perSecond: (second: number) => number) => ({
    ...withSeries({
      'load.intent.skipped': {
        ...counter(0),
        points: Array.from({ length: 28 }, (_, second) => [second, perSecond(second)] as const),
      },
    }),
    operations: { ...recorded.operations, intent: { ...facts, measured } },
  });
  expect(samples(skipped((second) => Math.max(0, Math.min(20, second - 5)))).state).toBe('held');
  expect(samples(skipped((second) => (second > 12 ? 20 : 0))).state).toBe('broken');
});

test('what the document says is at the limit counts as over it where it has to be below', () => {
  const at = { limit: 20 };
  expect(samples(intents(even(50, 1)), { ...at, op: '<=' }).observed).toBe(100);
  expect(Number(samples(intents(even(500, 20)), { ...at, op: '<' }).observed)).toBeLessThan(100);
});

test('fewer windows are trusted less, and one tells nothing', () => {
  const halves = (n: number) => Array.from({ length: n }, (_, i) => [500, i % 2 === 0 ? 6 : 10] as const);
  const worth = (n: number): number => Number(samples(intents(halves(n))).observed);
  expect(worth(20)).toBeGreaterThan(99.9);
  expect(samples(intents([[980, 20]])).state).toBe('broken');
  expect(samples(intents([[980, 0]])).state).toBe('held');
});

test('too close to what is allowed is not a question of time', () => {
  const close = samples(intents(even(100, 5)), { op: '<=' });
  expect(close.state).toBe('broken');
  expect(close.advice).toMatch(/^lower --scale, since no longer run can prove this: 100 of 2,000 operations/);
});

test('only what was met has to be proven, and a breach needs no proof of the rest', () => {
  const few = intents(even(4, 0));
  expect(sampled(few)).toMatchObject({ outcome: 'invalid', exitCode: 90 });
  const tight = budget({ id: 'tight', metric: 'latency.intent.due', stat: 'p95', limit: 1 });
  const both = verdictOf(few, { load, budgets: [p95(), tight] });
  expect(both).toMatchObject({ outcome: 'fail', exitCode: 99, invalidBecause: [] });
  expect(both.notes.join()).toContain('samples.p95');
  expect(both.rules.map(({ id }) => id)).not.toContain('samples.tight');
});

test('the size of the sample may be left unjudged, and that is told', () => {
  const left = verdictOf(intents(even(4, 0)), {
    load,
    budgets: [p95()],
    rules: { ...DEFAULT_RULES, confidencePercent: 0 },
  });
  expect(left.exitCode).toBe(0);
  expect(left.notes).toEqual(['relaxed: samples 0% (default 99%)']);
});

test('service times hang together as the latencies do', () => {
  const bursts = even(50, 0).map((window, i) => (i === 7 ? ([30, 20] as const) : window));
  expect(samples(intents(bursts), { metric: 'latency.intent.service' }).state).toBe('broken');
  expect(samples(intents(even(50, 1)), { metric: 'latency.intent.service' }).state).toBe('held');
});

import { expect, test } from 'vitest';
import { DEFAULT_RULES } from '../../../src/scenario/rules.ts';
import { BUDGETS, budget } from '../../fixtures/recorded-run.ts';
import { gauge, lateBy, recorded, ruleOf, verdictOf, without, withSeries } from '../measured.ts';

test('the limit of the own lag is a tenth of the tightest p95 budget, 5 ms at least, or what the scenario says', () => {
  const p95 = (limit: number, unit = 'ms') =>
    budget({ id: `p95-${limit}`, metric: 'latency.intent.due', stat: 'p95', limit, metricUnit: unit });
  const limitOf = (budgets: Parameters<typeof verdictOf>[1]) =>
    ruleOf(verdictOf({}, budgets), 'generator-lag').limit;
  expect(limitOf({ budgets: BUDGETS })).toBe(5);
  expect(limitOf({ budgets: [p95(400), p95(300)] })).toBe(30);
  expect(limitOf({ budgets: [p95(2, 's')] })).toBe(200);
  const rules = { ...DEFAULT_RULES, generatorLagMs: 12 };
  expect(ruleOf(verdictOf({}, { rules }), 'generator-lag')).toMatchObject({
    limit: 12,
    defaultLimit: 5,
    relaxed: true,
  });
  const stricter = { ...DEFAULT_RULES, generatorLagMs: 3 };
  expect(ruleOf(verdictOf({}, { rules: stricter }), 'generator-lag').relaxed).toBe(false);
});

test('an own lag beyond it leaves no conclusion', () => {
  const late = verdictOf(lateBy(9));
  expect(late.exitCode).toBe(90);
  expect(ruleOf(late, 'generator-lag')).toMatchObject({ state: 'broken', observed: 9 });
  expect(verdictOf(lateBy(4)).exitCode).toBe(0);
});

test('stalls are weighed by their time, of the worst worker', () => {
  // 80 ms of each second for one worker, the other hardly any.
  const stalled = verdictOf(withSeries({ 'generator.1.stalledMs': gauge(80) }));
  expect(ruleOf(stalled, 'generator-stalled')).toMatchObject({ state: 'broken', observed: 8, limit: 5 });
  expect(stalled.exitCode).toBe(90);
  // One stall of 600 ms in 20 s is a loop delay, and 3% of the time.
  const once = withSeries({ 'generator.1.stalledMs': gauge((second) => (second === 12 ? 600 : 0)) });
  const stall = ruleOf(verdictOf(once), 'generator-stalled');
  expect(stall.state).toBe('held');
  expect(Number(stall.observed)).toBeCloseTo(3, 6);
});

test('of a stall that ends after the measure phase, what is within it counts', () => {
  const { from, to } = recorded.measured ?? { from: 0, to: 0 };
  const points = [
    [to - 0.05 * (to - from), 0],
    [to + 30, 1e9],
  ] as const;
  const late = verdictOf(withSeries({ 'generator.0.stalledMs': { kind: 'gauge', points } }));
  expect(Number(ruleOf(late, 'generator-stalled').observed)).toBeCloseTo(5, 6);
});

test('the calibration is told with its figures, and must keep its schedule', () => {
  expect(ruleOf(verdictOf({}), 'generator-calibration')).toMatchObject({
    state: 'held',
    observed: '100% of 31,500/s (the target is 21,000/s), the busiest worker 40% busy, own lag p99 1.2 ms',
    limit: '99% answered at 1.5x the target',
  });
  const { calibration } = recorded;
  if (calibration === null) throw new Error('the recorded run was not calibrated');
  const short = verdictOf({ calibration: { ...calibration, answeredPercent: 98.4 } });
  expect(ruleOf(short, 'generator-calibration').state).toBe('broken');
  expect(short.exitCode).toBe(90);
});

test('a calibration that was planned and did not happen is missed; one that was left out is told', () => {
  const missed = verdictOf({ calibration: null });
  expect(ruleOf(missed, 'generator-calibration').state).toBe('broken');
  expect(missed.exitCode).toBe(90);
  const left = verdictOf({ calibration: null }, { calibration: { seconds: 0, factor: 1.5 } });
  expect(left.exitCode).toBe(0);
  expect(left.notes).toEqual([
    'relaxed: generator-calibration left out (default 99% answered at 1.5x the target)',
  ]);
  const slower = verdictOf({}, { calibration: { seconds: 2, factor: 1.2 } });
  expect(ruleOf(slower, 'generator-calibration').relaxed).toBe(true);
});

test('facts that are missing are no facts that held', () => {
  const none = { counts: [], min: 0, max: 0, sum: 0 };
  const { intent, monsterCommand } = recorded.operations;
  const verdict = verdictOf({
    ...without('generator.0.stalledMs'),
    ...{ canary: null, calibration: null },
    operations: {
      intent: { ...intent, ownLag: none, windows: [] },
      monsterCommand: { ...monsterCommand, ownLag: none, windows: [] },
    },
  });
  for (const id of ['generator-lag', 'generator-calibration', 'samples.FLX-151', 'canary'])
    expect(ruleOf(verdict, id).state, id).toBe('broken');
  expect(verdict.exitCode).toBe(90);
});

test("k6 has no event loop to watch: that is no pass and no fault, and its lag and its calibration are judged like any engine's", () => {
  const series = Object.fromEntries(
    Object.entries(recorded.series).filter(
      ([name]) => !/^generator\..*(loopDelay|stalled|utilisation)/.test(name),
    ),
  );
  const { calibration } = recorded;
  if (calibration === null) throw new Error('the recorded run was not calibrated');
  const k6 = { engine: 'k6', workers: 1, series, calibration: { ...calibration, utilisationPercent: null } };
  const quiet = verdictOf(k6);
  for (const id of ['generator-loop-delay', 'generator-stalled', 'generator-utilisation']) {
    expect(ruleOf(quiet, id)).toMatchObject({
      state: 'not-applicable',
      observed: 'k6 runs on many threads, and has no event loop to watch',
    });
  }
  expect(ruleOf(quiet, 'generator-lag').state).toBe('held');
  expect(ruleOf(quiet, 'generator-calibration')).toMatchObject({
    state: 'held',
    observed: '100% of 31,500/s (the target is 21,000/s), own lag p99 1.2 ms',
  });
  expect(quiet.exitCode).toBe(0);
  expect(verdictOf({ ...k6, ...lateBy(9) }).exitCode).toBe(90);
  // The same from an engine that has a loop is a worker that did not tell.
  expect(verdictOf({ ...k6, engine: 'native' }).exitCode).toBe(90);
});

const agent = (over: object = {}) => ({
  ...{ address: '10.0.0.5:7400', workers: 1, onThisHost: false, clockOffsetMs: -3e8 },
  ...{ clockUncertaintyMs: 0.4, driftMs: 0.1, roundTripMs: 0.6 },
  ...over,
});

test('the clocks of agents: more than the limit of the lag, or one that was not read again, leaves no conclusion', () => {
  const ids = verdictOf({}).rules.map(({ id }) => id);
  expect(ids).not.toContain('agent-clocks');
  const held = verdictOf({ agents: [agent(), agent({ clockUncertaintyMs: 5 })] });
  expect(ruleOf(held, 'agent-clocks')).toMatchObject({ state: 'held', observed: 5, limit: 5 });
  expect(held.exitCode).toBe(0);

  const off = verdictOf({ agents: [agent(), agent({ address: '10.0.0.6:7400', clockUncertaintyMs: 5.1 })] });
  expect(ruleOf(off, 'agent-clocks')).toMatchObject({ state: 'broken', observed: 5.1 });
  expect(off.exitCode).toBe(90);
  expect(off.invalidBecause.join()).toContain(
    'agent-clocks: 5.1 ms (at most 5 ms): what the agent 10.0.0.6:7400 did',
  );

  const unread = verdictOf({ agents: [agent({ driftMs: null }), agent()] });
  expect(ruleOf(unread, 'agent-clocks')).toMatchObject({ state: 'broken', observed: null });
  expect(unread.exitCode).toBe(90);
});

test('who waits for a CPU here is not the generator where agents of other machines are', () => {
  const elsewhere = verdictOf({ agents: [agent()], colocated: false });
  expect(ruleOf(elsewhere, 'cpu-pressure')).toMatchObject({
    ...{ state: 'not-applicable', observed: 'the generator is on other machines' },
  });
});

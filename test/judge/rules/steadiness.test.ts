import { expect, test } from 'vitest';
import { DEFAULT_RULES } from '../../../src/scenario/rules.ts';
import { seconds } from '../../../src/units.ts';
import { budget, slices } from '../../fixtures/recorded-run.ts';
import { recorded, ruleOf, slowed, verdictOf, without, withSeries } from '../measured.ts';

/** From 0 at the beginning of the measure phase to 1 at its end. */
const along = (second: number): number => (second - 5) / 20;
const p95 = (level: number, shape: (second: number) => number) =>
  withSeries({ 'load.intent.slice.p95Ms': slices(level, 3, 0.2, shape) });
const throughput = (shape: (second: number) => number) =>
  withSeries({ 'load.intent.slice.answered': slices(200, 4, 0.02, shape) });

test('a p95 that doubles is no pass, and says that it gets worse', () => {
  const worse = verdictOf(p95(20, (second) => 1 + along(second)));
  const rule = ruleOf(worse, 'steady-p95.intent');
  expect(rule).toMatchObject({ state: 'broken', limit: 25 });
  expect(rule.advice).toMatch(/from 2\d(\.\d)? ms to 3\d(\.\d)? ms .* the backlog grows/);
  expect(worse).toMatchObject({ outcome: 'invalid', exitCode: 90 });
  expect(ruleOf(worse, 'steady-throughput.intent').state).toBe('held');
});

test('what was breached on the way up stays breached; on the way down it was the warm-up', () => {
  const budgets = [budget({ id: 'tight', metric: 'latency.intent.due', stat: 'p95', limit: 1 })];
  const worse = verdictOf(
    p95(20, (second) => 1 + along(second)),
    { budgets },
  );
  expect(worse.exitCode).toBe(99);
  expect(worse.notes.join()).toContain('steady-p95.intent');
  const better = verdictOf(
    p95(20, (second) => 3 - 2 * along(second)),
    { budgets },
  );
  expect(better.exitCode).toBe(90);
  expect(better.invalidBecause.join()).toContain('a longer load.warmUp');
});

test('a neighbour that went away meanwhile is the cause, and no warm-up', () => {
  const better = p95(20, (second) => 3 - 2 * along(second));
  // 17% of two cores until the middle of the measure phase.
  const points = Array.from({ length: 28 }, (_, second) => [second, 0.34 * Math.min(second, 15)] as const);
  const series = { ...better.series, 'host.foreignCpuSeconds': { kind: 'counter', points } as const };
  const foreign = [{ name: 'backup', pid: 99, cpuSeconds: 5 }];
  const judged = (rules: Partial<typeof DEFAULT_RULES>) =>
    verdictOf({ series, foreign }, { rules: { ...DEFAULT_RULES, ...rules } });
  const { invalidBecause } = judged({});
  expect(invalidBecause).toHaveLength(1);
  expect(invalidBecause[0]).toMatch(/^foreign-cpu.*backup.*with it steady-p95\.intent/);
  // The mean is within the limit of the rule, and yet it was the neighbour.
  const short = judged({ foreignCpuPercent: 10 });
  expect(ruleOf(short, 'steady-p95.intent').advice).toContain('backup (pid 99) took 17% of the host');
  expect(short.exitCode).toBe(90);
  // As much of it is allowed: so is what follows.
  const relaxed = ruleOf(judged({ foreignCpuPercent: 20 }), 'steady-p95.intent');
  expect(relaxed).toMatchObject({ state: 'held' });
  expect(relaxed.observed).toContain('follows from foreign-cpu, which is relaxed');
});

test('a throughput that sinks by a tenth is no pass', () => {
  const sinking = verdictOf(throughput((second) => 1 - 0.1 * along(second)));
  expect(ruleOf(sinking, 'steady-throughput.intent').state).toBe('broken');
  expect(sinking.exitCode).toBe(90);
});

test('players who are idle more and more are no server that answers less and less', () => {
  const shape = (second: number) => 1 - 0.1 * along(second);
  // What is not answered of 1,000 a second, from the beginning of the measure phase on.
  let sum = 0;
  const points = Array.from({ length: 21 }, (_, i) => {
    if (i > 0) sum += 100 * along(4.5 + i);
    return [5 + i, sum] as const;
  });
  const { series } = throughput(shape);
  const idle = verdictOf({ series: { ...series, 'load.intent.idle': { kind: 'counter', points } } });
  expect(ruleOf(idle, 'steady-throughput.intent').state).toBe('held');
});

test('overload is never steady, and is told as a load that was not sustained', () => {
  const overload = verdictOf({
    ...slowed('intent', 20, 2000),
    ...p95(100, (second) => 1 + 5 * along(second)),
  });
  expect(ruleOf(overload, 'steady-p95.intent').state).toBe('broken');
  expect(overload).toMatchObject({ outcome: 'fail', exitCode: 99, invalidBecause: [] });
  expect(overload.breachedBecause.join()).toContain('load not sustained');
});

test('a few milliseconds more are nobody’s problem, and noise is no drift', () => {
  const few = ruleOf(verdictOf(p95(4, (second) => 1 + along(second))), 'steady-p95.intent');
  expect(few).toMatchObject({ state: 'held', observed: expect.stringMatching(/^\d\d%, under 5 ms$/) });
  const noisy = withSeries({ 'load.intent.slice.p95Ms': slices(20, 5, 2, (s) => (s % 4 < 1 ? 6 : 1)) });
  expect(ruleOf(verdictOf(noisy), 'steady-p95.intent').state).toBe('held');
});

test.each([
  ['faults are planned in the measure phase', {}, { faults: true }, /faults/],
  ['the run is short', { measured: { from: 5, to: 19 } }, {}, /^14 means of a second, 15 are needed/],
])('not applicable where %s', (_, m, { faults = false }: { faults?: boolean }, why) => {
  const fault = {
    action: 'drop',
    of: 'players',
    at: seconds(3),
    phase: 'measure',
    lasting: seconds(1),
    sharePercent: 5,
    times: 1,
    every: seconds(10),
  } as const;
  const verdict = verdictOf(m, faults ? { faults: [fault] } : {});
  for (const id of ['steady-p95.intent', 'steady-throughput.intent']) {
    expect(ruleOf(verdict, id)).toMatchObject({
      state: 'not-applicable',
      observed: expect.stringMatching(why),
    });
  }
});

test('slices that are missing are no steady state', () => {
  const verdict = verdictOf(without('load.intent.slice'));
  expect(ruleOf(verdict, 'steady-p95.intent')).toMatchObject({ state: 'broken', observed: 'no slices' });
  expect(verdict.exitCode).toBe(90);
});

test('an operation of which nothing was due is not judged', () => {
  const { intent, monsterCommand } = recorded.operations;
  const none = Object.fromEntries(Object.keys(intent.measured).map((key) => [key, 0])) as never;
  const verdict = verdictOf({
    operations: { intent, monsterCommand: { ...monsterCommand, measured: none, whole: none } },
  });
  expect(ruleOf(verdict, 'steady-p95.monsterCommand').observed).toBe('nothing was due');
});

import { expect, test } from 'vitest';
import { judgeK6 } from '../../src/judge/k6-verdict.ts';
import { readK6Summary } from '../../src/measurement/k6-summary.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { type FluxLoad, fluxLoad } from '../../src/systems/flux/scenario.ts';
import {
  counter,
  k6Scenario,
  k6SummaryOf,
  PER_SAMPLE,
  rate,
  type Spread,
  type SummaryChanges,
  trend,
} from '../fixtures/k6-summary-of.ts';
import { budget } from '../fixtures/recorded-run.ts';

function judged(changes: SummaryChanges | readonly SummaryChanges[] = {}, over: Partial<Scenario> = {}) {
  const s = k6Scenario(over);
  const all = 'length' in changes ? changes : [changes];
  const summaries = all.map((one) =>
    readK6Summary('one.json', JSON.stringify(k6SummaryOf(s, one)), PER_SAMPLE),
  );
  const verdict = judgeK6(summaries, s);
  const states = Object.fromEntries(verdict.rulings.map(({ budget: { id }, state }) => [id, state]));
  const ruling = (id: string) => verdict.rulings.find((one) => one.budget.id === id);
  const broken = verdict.rules.filter(({ state }) => state === 'broken').map(({ id }) => id);
  return { ...verdict, states, ruling, broken };
}

const within = (passes: number, fails: number): NonNullable<SummaryChanges['metrics']> => ({
  capbench_within_fast: rate(passes, fails),
});
const SLOW: Spread = [1, 40, 60, 80, 100, 120, 200];

test('what k6 tells is ruled; what it does not tell is unmeasured, and the rules say so by name', () => {
  const { exitCode, outcome, states, ruling, notes, rules, broken } = judged({ metrics: within(1990, 10) });
  expect({ exitCode, outcome, broken }).toEqual({ exitCode: 0, outcome: 'pass', broken: [] });
  expect(states).toEqual({ fast: 'met', all: 'met', lost: 'unmeasured' });
  expect(ruling('fast')).toMatchObject({ observed: 30, samples: 2000 });
  expect(ruling('lost')).toMatchObject({
    observed: null,
    reason: 'a k6 summary does not tell it',
    cause: 'engine',
  });
  expect(notes.join()).toContain('not checked');
  for (const id of ['integrity', 'steady-p95', 'generator-loop-delay']) {
    expect(rules.find((rule) => rule.id === id)?.state).toBe('not-applicable');
    expect(notes.join()).toContain(id);
  }
});

test('a breach is 99, with the share and without', () => {
  expect(judged({ due: SLOW })).toMatchObject({
    exitCode: 99,
    outcome: 'fail',
    states: { fast: 'breached' },
  });
  expect(judged({ due: SLOW, metrics: within(1200, 800) })).toMatchObject({
    exitCode: 99,
    invalidBecause: [],
  });
});

test('what was not answered is slower than everything: the share decides, else the two percentiles around it', () => {
  // 95% of all are 99.0% of what was answered.
  const intent = { timedOut: 80 };
  expect(judged({ intent }).ruling('fast')).toMatchObject({ state: 'met', observed: 40 });
  const around: Spread = [1, 10, 20, 30, 60, 70, 80];
  expect(judged({ intent, due: around }).ruling('fast')).toMatchObject({
    ...{ state: 'unmeasured', observed: null },
    reason: expect.stringContaining('between 30.00 and 60.00'),
  });
  expect(judged({ intent, due: around, metrics: within(1901, 99) }).states.fast).toBe('met');
  expect(judged({ intent, due: around, metrics: within(1899, 101) }).states.fast).toBe('breached');
  // More than one in twenty: no percentile of those that were answered is the one.
  expect(judged({ intent: { timedOut: 120 } }).ruling('fast')).toMatchObject({
    ...{ state: 'breached', reason: expect.stringContaining('never answered') },
  });
});

test('several processes: counts and shares add up, percentiles lie in between', () => {
  const fast: SummaryChanges = { of: 2 };
  const slow: SummaryChanges = { of: 2, due: SLOW };
  const half = (passes: number, one: SummaryChanges) => ({ ...one, metrics: within(passes, 1000 - passes) });
  const both = judged([fast, fast]);
  expect(both).toMatchObject({ exitCode: 0, states: { fast: 'met', all: 'met' } });
  expect(both.bounds.high.load.operations.intent?.scheduled).toBe(2000);
  expect(both.notes.join()).toContain('2 k6 processes');
  expect(judged([slow, slow]).states.fast).toBe('breached');
  expect(judged([fast, slow]).ruling('fast')).toMatchObject({
    ...{ state: 'unmeasured', reason: expect.stringContaining('between 30.00 and 80.00') },
  });
  expect(judged([half(999, fast), half(902, slow)]).states.fast).toBe('met');
  expect(judged([half(999, fast), half(898, slow)]).states.fast).toBe('breached');
  // One process alone is not the run, and one that is counted twice not two.
  expect(judged(fast)).toMatchObject({ exitCode: 90, states: { all: 'breached' } });
  expect(judged([{}, {}]).broken).toContain('schedule-kept.intent');
});

test('of monster commands a share counts posts', () => {
  const budgets = [budget({ id: 'fast', metric: 'latency.monsterCommand.due', stat: 'p99', limit: 50 })];
  expect(judged({ metrics: within(1990, 10) }, { budgets })).toMatchObject({
    exitCode: 0,
    states: { fast: 'met' },
  });
  expect(judged({ metrics: within(1970, 30) }, { budgets }).states.fast).toBe('breached');
});

test.each<[string, SummaryChanges]>([
  ['more in time than were due', { metrics: within(2001, 0) }],
  ['not all that were due', { metrics: within(1000, 0) }],
  ['the median too slow, and all in time', { due: [1, 60, 70, 80, 90, 95, 99], metrics: within(2000, 0) }],
  ['the slowest in time, and some were not', { due: [1, 2, 3, 4, 5, 6, 7], metrics: within(1900, 100) }],
  [
    'the fastest too slow, and some in time',
    { due: [60, 61, 62, 63, 64, 65, 66], metrics: within(1950, 50) },
  ],
  ['more in time than were answered', { intent: { timedOut: 100 }, metrics: within(1950, 50) }],
])('a share that denies the other figures is none: %s', (_what, changes) => {
  expect(judged(changes).ruling('fast')).toMatchObject({
    ...{ state: 'unmeasured', observed: null, reason: expect.stringContaining('denies itself') },
  });
});

test.each<[string, SummaryChanges, string]>([
  ['a count is missing', { metrics: { capbench_intent_failed: null } }, 'conservation.intent'],
  ['operations are missing', { intent: { scheduled: 1000 } }, 'schedule-kept.intent'],
  ['the outcomes are fewer than what was due', { intent: { ok: 1900 } }, 'conservation.intent'],
  ['latencies are missing', { metrics: { capbench_intent_due: trend(1000) } }, 'conservation.intent'],
  ['a latency is missing entirely', { metrics: { capbench_intent_due: null } }, 'conservation.intent'],
  ['answers that nobody asked for', { metrics: { capbench_stray_answers: counter(1) } }, 'protocol'],
  ['nobody counted those', { metrics: { capbench_stray_answers: null } }, 'protocol'],
  ['k6 was late', { metrics: { capbench_intent_own_lag: trend(2000) } }, 'generator-lag'],
  [
    'nobody knows whether it was',
    { metrics: { capbench_intent_own_lag: null, capbench_monster_command_own_lag: null } },
    'generator-lag',
  ],
])('no conclusion where %s', (_what, changes, rule) => {
  const { exitCode, broken, invalidBecause } = judged(changes);
  expect(broken).toContain(rule);
  expect(exitCode).toBe(90);
  expect(invalidBecause.join()).toContain(rule);
});

test('a load that was not sustained is breached, unless k6 was late itself', () => {
  const intent = { skipped: 40 };
  expect(judged({ intent })).toMatchObject({ exitCode: 99, broken: ['load-sustained.intent'] });
  expect(judged({ intent, metrics: { capbench_intent_own_lag: trend(1960) } }).exitCode).toBe(90);
  expect(judged({ metrics: { capbench_connected: counter(90) } })).toMatchObject({
    ...{ exitCode: 99, states: { all: 'breached' } },
  });
});

test('a world that answered nothing has carried nothing', () => {
  expect(judged({ intent: { timedOut: 2000 } })).toMatchObject({
    ...{ exitCode: 99, invalidBecause: [], broken: ['answered.intent', 'answers.intent'] },
  });
});

test("what was sent and failed is the target's, and so says the rule", () => {
  expect(judged({ intent: { failed: 40 } })).toMatchObject({
    ...{ exitCode: 99, broken: ['operations-failed.intent', 'answered.intent'] },
  });
  expect(judged({ intent: { failed: 40, failedUnsent: 40 } })).toMatchObject({
    exitCode: 99,
    broken: ['load-sustained.intent', 'answered.intent'],
  });
});

test('whether all were there at once is not known where some had left', () => {
  const metrics = { capbench_disconnects: counter(1) };
  expect(judged({ metrics }).ruling('all')).toMatchObject({ state: 'unmeasured' });
});

test('nothing is proven where so many had left that perhaps too few were there; a breach is one all the same', () => {
  const metrics = { capbench_disconnects: counter(2) };
  const { exitCode, invalidBecause } = judged({ metrics });
  expect(exitCode).toBe(90);
  expect(invalidBecause.join()).toContain('ccu-reached');
  expect(judged({ metrics, due: SLOW })).toMatchObject({ exitCode: 99, invalidBecause: [] });
});

test('faults that k6 does not inject, another load than is claimed, nothing to rule', () => {
  const [fast, all, lost] = k6Scenario().budgets;
  if (fast?.state !== 'measured' || all === undefined || lost === undefined) throw new Error('other budgets');
  const fault = { action: 'drop', of: 'players', at: 0, phase: 'measure', lasting: 0 } as const;
  const faults = [{ ...fault, sharePercent: 10, times: 1, every: 1 }] as unknown as Scenario['faults'];
  expect(judged({}, { faults })).toMatchObject({ exitCode: 90, broken: ['faults-injected'] });
  const claimed = judged(
    {},
    { scale: 0.5, altered: ['load.ramp'], budgets: [{ ...fast, fullLoad: true }, all] },
  );
  expect(claimed.ruling('fast')).toMatchObject({
    state: 'unmeasured',
    reason: 'scale 0.5; altered: load.ramp',
  });
  expect(judged({}, { budgets: [lost] })).toMatchObject({ exitCode: 90, states: { lost: 'unmeasured' } });
});

test('a scenario without monsters needs no word of them', () => {
  const load = fluxLoad(k6Scenario());
  const operations = { ...load.operations, monsterCommand: { perSecond: 0 } };
  const none: FluxLoad = { ...load, monsters: 0, operations };
  const gone = Object.fromEntries(
    Object.keys(k6SummaryOf(k6Scenario()).metrics).flatMap((name) =>
      /monster/.test(name) ? [[name, null]] : [],
    ),
  );
  const verdict = judged({ metrics: gone }, { load: none });
  expect(verdict).toMatchObject({ exitCode: 0, broken: [] });
  expect(verdict.bounds.high.throughput).toMatchObject({ intentsPerSecond: 100, operationsPerSecond: 100 });
});

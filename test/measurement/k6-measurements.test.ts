import { expect, test } from 'vitest';
import { judge } from '../../src/judge/verdict.ts';
import { figuresOf } from '../../src/measurement/figures-of.ts';
import { k6Measurements } from '../../src/measurement/k6-measurements.ts';
import { readK6Summary } from '../../src/measurement/k6-summary.ts';
import { measurementsSchema } from '../../src/measurement/measurements.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { type FluxLoad, fluxLoad } from '../../src/systems/flux/scenario.ts';
import {
  k6Scenario,
  k6SummaryOf,
  PER_REQUEST,
  type Spread,
  type SummaryChanges,
} from '../fixtures/k6-summary-of.ts';
import { budget } from '../fixtures/recorded-run.ts';

function judged(changes: SummaryChanges | readonly SummaryChanges[] = {}, over: Partial<Scenario> = {}) {
  const s = k6Scenario(over);
  const all = 'length' in changes ? changes : [changes];
  const summaries = all.map((one) =>
    readK6Summary('one.json', JSON.stringify(k6SummaryOf(s, one)), PER_REQUEST),
  );
  const facts = k6Measurements(summaries, s, '0');
  const figures = figuresOf(facts, s);
  const verdict = judge(facts, s, figures);
  const states = Object.fromEntries(verdict.rulings.map(({ budget: { id }, state }) => [id, state]));
  const ruling = (id: string) => verdict.rulings.find((one) => one.budget.id === id);
  const broken = verdict.rules.filter(({ state }) => state === 'broken').map(({ id }) => id);
  return { ...verdict, facts, figures, states, ruling, broken };
}

const SLOW: Spread = [1, 40, 60, 80, 100, 120, 200];

test('budgets on what a summary contains are ruled, the others are unmeasured, and the rules name them', () => {
  const { exitCode, outcome, states, ruling, notes, rules, broken, facts } = judged();
  expect({ exitCode, outcome, broken }).toEqual({ exitCode: 0, outcome: 'pass', broken: [] });
  expect(measurementsSchema.safeParse(facts).success).toBe(true);
  expect(states).toEqual({ fast: 'met', all: 'met', lost: 'unmeasured' });
  expect(ruling('fast')).toMatchObject({ observed: 30, samples: 2000, reason: null });
  expect(ruling('lost')).toMatchObject({ observed: null, cause: 'engine' });
  expect(notes.join()).toContain('not checked');
  for (const id of ['integrity', 'steady-p95.intent', 'generator-loop-delay', 'samples.fast', 'canary']) {
    expect(rules.find((rule) => rule.id === id)?.state).toBe('not-applicable');
    expect(notes.join()).toContain(id);
  }
});

test('a breach ends with 99', () => {
  expect(judged({ due: SLOW })).toMatchObject({
    exitCode: 99,
    outcome: 'fail',
    states: { fast: 'breached' },
  });
});

test('unanswered operations count as slower than all others', () => {
  // 95% of all operations are 98.96% of the answered ones.
  expect(judged({ intent: { timedOut: 80 } }).ruling('fast')).toMatchObject({ state: 'met', observed: 40 });
  const around: Spread = [1, 10, 20, 30, 60, 70, 80];
  expect(judged({ intent: { timedOut: 80 }, due: around }).ruling('fast')).toMatchObject({
    ...{ state: 'breached', observed: 60 },
  });
  // More than one in twenty is unanswered, so the 95th percentile is not among the answered ones.
  expect(judged({ intent: { timedOut: 120 } }).ruling('fast')).toMatchObject({
    ...{ state: 'breached', reason: expect.stringContaining('never answered') },
  });
});

test('rejected operations are timed separately', () => {
  const { figures } = judged({ intent: { rejected: 120 } });
  // The rejected operations are the fastest ones in this summary.
  expect(figures.latency.intent).toMatchObject({
    rejected: { count: 120, min: 1, max: 10 },
    ok: { count: 1880, unanswered: 0, max: 80 },
  });
});

test('several processes: counts and histograms add up, and percentiles are those of all operations', () => {
  const part = (number: number, due?: Spread): SummaryChanges => ({
    of: 2,
    part: number,
    ...(due && { due }),
  });
  const both = judged([part(1), part(2)]);
  expect(both).toMatchObject({ exitCode: 0, states: { fast: 'met', all: 'met' } });
  expect(both.figures.load.operations.intent?.scheduled).toBe(2000);
  expect(both.figures.latency.intent?.due).toEqual({
    ...judged().figures.latency.intent?.due,
    mean: expect.closeTo(16.7, 1),
  });
  expect(judged([part(1, SLOW), part(2, SLOW)]).states.fast).toBe('breached');
  // 999 fast and 900 slow operations took up to 60 ms; the 1,900th took 80 ms.
  expect(judged([part(1), part(2, SLOW)]).ruling('fast')).toMatchObject({ state: 'breached', observed: 80 });
  // One process is not the whole run, and the same process twice is not two.
  expect(judged(part(1))).toMatchObject({ exitCode: 90, states: { all: 'breached' } });
  expect(judged([{}, {}]).broken).toContain('schedule-kept.intent');
});

test.each<[string, SummaryChanges, string]>([
  ['operations are missing', { intent: { scheduled: 1000 } }, 'schedule-kept.intent'],
  ['unexpected answers arrived', { totals: { stray: 1 } }, 'protocol'],
  ['k6 was late', { ownLag: [1, 10, 20, 30, 40, 60, 80] }, 'generator-lag'],
])('no conclusion where %s', (_what, changes, rule) => {
  const { exitCode, broken, invalidBecause } = judged(changes);
  expect(broken).toContain(rule);
  expect(exitCode).toBe(90);
  expect(invalidBecause.join()).toContain(rule);
});

test('a load that was not sustained is a breach', () => {
  expect(judged({ intent: { skipped: 40 } })).toMatchObject({
    exitCode: 99,
    broken: ['load-sustained.intent'],
  });
  expect(judged({ totals: { connected: 90, connectedAtGo: 90 }, metrics: {} })).toMatchObject({
    ...{ exitCode: 99, states: { all: 'breached' } },
  });
});

test('a server that answered nothing sustained no load', () => {
  expect(judged({ intent: { timedOut: 2000 } })).toMatchObject({
    ...{ exitCode: 99, invalidBecause: [], broken: ['answered.intent', 'answers.intent'] },
  });
});

test('sent operations that failed are attributed to the target, and the rule says so', () => {
  expect(judged({ intent: { failed: 40 } })).toMatchObject({
    ...{ exitCode: 99, broken: ['operations-failed.intent', 'answered.intent'] },
  });
  expect(judged({ intent: { failed: 40, failedUnsent: 40 } })).toMatchObject({
    ...{ exitCode: 99, broken: ['load-sustained.intent', 'answered.intent'] },
  });
});

test('lost players count for the peak, and as absent for the average', () => {
  const one = judged({ totals: { disconnects: 1 } });
  expect(one.ruling('all')).toMatchObject({ state: 'met', observed: 100 });
  expect(one.figures.load.presence.mean).toBe(99);
  // Connections for monsters are not connections of players.
  expect(judged({ totals: { disconnects: 8, linesLost: 8 } }).figures.load.presence.mean).toBe(100);
  expect(judged({ totals: { disconnects: 2 } })).toMatchObject({ exitCode: 99, broken: ['presence'] });
});

test('faults that k6 does not inject, a load other than the claimed one, and nothing to rule', () => {
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
    ...{ state: 'unmeasured', reason: 'scale 0.5; altered: load.ramp' },
  });
  expect(judged({}, { budgets: [lost] })).toMatchObject({ exitCode: 90, states: { lost: 'unmeasured' } });
});

test('an operation with a load of 0 has nothing due and nothing missing', () => {
  const load = fluxLoad(k6Scenario());
  const operations = { ...load.operations, monsterCommand: { perSecond: 0 } };
  const none: FluxLoad = { ...load, monsters: 0, operations };
  const { exitCode, broken, figures } = judged({}, { load: none });
  expect({ exitCode, broken }).toEqual({ exitCode: 0, broken: [] });
  expect(figures.throughput).toMatchObject({ intentsPerSecond: 100, operationsPerSecond: 100 });
});

test('a budget on posts of monster commands applies to commands', () => {
  const budgets = [budget({ id: 'fast', metric: 'latency.monsterCommand.due', stat: 'p99', limit: 50 })];
  expect(judged({}, { budgets }).ruling('fast')).toMatchObject({
    state: 'met',
    observed: 40,
    samples: 20_000,
  });
});

import { expect, test } from 'vitest';
import type { Counts } from '../../../src/load/engine.ts';
import type { OperationFacts } from '../../../src/measurement/measurements.ts';
import { DEFAULT_RULES } from '../../../src/scenario/rules.ts';
import type { Scenario } from '../../../src/scenario/scenario.ts';
import { seconds } from '../../../src/units.ts';
import { budget, partOf, type Recorded, scenarioOf } from '../../fixtures/recorded-run.ts';
import { recorded, ruleOf, verdictOf } from '../measured.ts';

/** The recorded intents with other ends, and as many latencies as answers, of which the rejected ones are the fastest. */
function ended(over: Partial<Counts>): Pick<Recorded, 'operations'> {
  const { intent } = recorded.operations;
  const base = { ...intent.measured, ok: intent.measured.scheduled, rejected: 0 };
  const lost = Object.entries(over).reduce((sum, [name, n]) => sum + (name === 'failedUnsent' ? 0 : n), 0);
  const measured = { ...base, ...over, ok: base.ok - lost };
  const answered = measured.ok + measured.rejected;
  const sized = (of: OperationFacts['due']) => partOf(of, answered);
  return {
    operations: {
      ...recorded.operations,
      intent: {
        ...intent,
        measured,
        ...{
          due: sized(intent.due),
          net: sized(intent.due),
          service: sized(intent.service),
          lag: sized(intent.lag),
        },
        rejected: partOf(sized(intent.due), measured.rejected),
      },
    },
  };
}

/** A server of somebody's own: what its game refuses nobody declares. */
const own: Partial<Scenario> = {
  operations: scenarioOf().operations.map(({ rejectedPercent: _, ...one }) => one),
  budgets: [budget({ id: 'p95', metric: 'latency.intent.due', stat: 'p95', limit: 20 })],
};

test.each<[string, Partial<Counts>, Partial<Scenario>, number, string[]]>([
  ['all are answered ok', {}, own, 0, []],
  ['3% are rejected', { rejected: 600 }, own, 99, ['rejected.intent']],
  ['3% time out', { timedOut: 600 }, own, 99, ['answered.intent']],
  ['3% are unfinished', { unfinished: 600 }, own, 99, ['answered.intent']],
  ['3% fail', { failed: 600 }, own, 99, ['answered.intent']],
  ['1% time out', { timedOut: 200 }, own, 0, []],
  ['each end is within its limit', { timedOut: 100, failed: 100, rejected: 200 }, own, 0, []],
  ['1% time out and one more fails', { timedOut: 200, failed: 1 }, own, 99, ['answered.intent']],
  ['everything is rejected', { rejected: 20_000 }, own, 99, ['rejected.intent']],
  ['nothing is answered', { timedOut: 20_000 }, own, 99, ['answered.intent', 'answers.intent']],
  ['a quarter is idle', { idle: 5000 }, own, 0, []],
  ['of what was not idle, 1.5% time out', { idle: 10_000, timedOut: 150 }, own, 99, ['answered.intent']],
  ['of what was not idle, 1.5% are rejected', { idle: 10_000, rejected: 150 }, own, 99, ['rejected.intent']],
  [
    'of what was not idle, 1.5% are skipped',
    { idle: 10_000, skipped: 150 },
    own,
    99,
    ['load-sustained.intent'],
  ],
  ['flux refuses a tenth', { rejected: 2000 }, {}, 0, []],
  ['flux refuses everything', { rejected: 20_000 }, {}, 99, ['rejected.intent']],
  [
    'a declared share is kept',
    { rejected: 600 },
    { ...own, rules: { ...DEFAULT_RULES, rejectedPercent: { intent: 5 } } },
    0,
    [],
  ],
  [
    'a declared share is exceeded',
    { rejected: 1600 },
    { ...own, rules: { ...DEFAULT_RULES, rejectedPercent: { intent: 5 } } },
    99,
    ['rejected.intent'],
  ],
  [
    'sentPercent alone relaxes no answers',
    { timedOut: 600 },
    { ...own, rules: { ...DEFAULT_RULES, sentPercent: 50 } },
    99,
    ['answered.intent'],
  ],
  [
    'with churn, as many may be missed as may be left unsent',
    { timedOut: 600 },
    {
      ...own,
      rules: { ...DEFAULT_RULES, sentPercent: 95 },
      load: { ...scenarioOf().load, churn: { perSecond: 1, away: seconds(1) } },
    },
    0,
    [],
  ],
])('%s', (_, counts, scenario, exitCode, broken) => {
  const verdict = verdictOf(ended(counts), scenario);
  const deciding = verdict.rules.filter(
    ({ state, consequence }) => state === 'broken' && consequence !== 'none',
  );
  expect(deciding.map(({ id }) => id)).toEqual(broken);
  expect(verdict).toMatchObject({ exitCode, invalidBecause: [] });
});

test('a run in which everything was idle is no pass, and says why', () => {
  const idle = verdictOf(ended({ idle: 20_000 }), own);
  expect(idle.exitCode).toBe(90);
  expect(idle.invalidBecause.join()).toContain('answers.intent');
  expect(ruleOf(idle, 'answers.intent').advice).toContain('every one that was due was idle');
  for (const rule of ['load-sustained', 'answered', 'rejected'])
    expect(ruleOf(idle, `${rule}.intent`)).toMatchObject({
      state: 'not-applicable',
      observed: 'all were idle',
    });
  expect(idle.rulings.find(({ budget }) => budget.id === 'p95')).toMatchObject({
    ...{ state: 'unmeasured', reason: 'every one that was due was idle' },
  });
});

test('a declared share is printed, and one that nobody declared is the default', () => {
  const rules = { ...DEFAULT_RULES, rejectedPercent: { intent: 5 } };
  expect(verdictOf(ended({}), { ...own, rules }).notes).toContain('relaxed: rejected 5% (default 1%)');
  expect(ruleOf(verdictOf(ended({}), own), 'rejected.intent')).toMatchObject({ limit: 1, relaxed: false });
  expect(ruleOf(verdictOf({}), 'rejected.monsterCommand')).toMatchObject({ limit: 80, relaxed: false });
});

test('a fast refusal is no good answer, unless the game is known to refuse', () => {
  // 0.8% are refused in no time, and p99 of what was served is above the limit.
  const m = ended({ rejected: 160 });
  const { due, rejected } = m.operations.intent;
  const quick = { counts: [[10, 160] as const], min: 10, max: 10, sum: 1600 };
  const served = due.counts.map(
    ([value, n]) => [value, n - (new Map(rejected?.counts).get(value) ?? 0)] as const,
  );
  const with10 = { ...due, counts: [[10, 160] as const, ...served.filter(([, n]) => n > 0)], min: 10 };
  const quickly = {
    operations: { ...m.operations, intent: { ...m.operations.intent, due: with10, rejected: quick } },
  };
  const p99 = (of: Partial<Scenario>) => {
    const budgets = [budget({ id: 'p99', metric: 'latency.intent.due', stat: 'p99', limit: 1000 })];
    return Number(verdictOf(quickly, { ...of, budgets }).rulings[0]?.observed);
  };
  expect(p99(own)).toBeGreaterThan(1.1 * p99({}));
});

test.each<[string, number, Partial<Scenario>, 'held' | 'broken' | 'not-applicable']>([
  ['everybody stays', 1000, {}, 'held'],
  ['one in a hundred is missing', 990, {}, 'held'],
  ['two in a hundred are', 980, {}, 'broken'],
  ['nobody is left', 0, {}, 'broken'],
  ['one of a few is missing for a while', 59.9, { load: { ...scenarioOf().load, players: 60 } }, 'held'],
  [
    'as many are away as leave and come back',
    950,
    { load: { ...scenarioOf().load, churn: { perSecond: 10, away: seconds(5) } } },
    'held',
  ],
  ['players are cut off on purpose', 0, { faults: [DROP()] }, 'not-applicable'],
])('presence over the measure phase: %s', (_, connected, scenario, state) => {
  const points = Array.from({ length: 28 }, (_, second) => [second, connected] as const);
  const series = { ...recorded.series, 'load.connected': { kind: 'gauge', points } as const };
  const verdict = verdictOf({ series, peakCcu: 1000 }, scenario);
  expect(ruleOf(verdict, 'presence').state).toBe(state);
  if (state === 'broken') expect(verdict).toMatchObject({ exitCode: 99, invalidBecause: [] });
});

function DROP(): Scenario['faults'][number] {
  return {
    ...{ action: 'drop', of: 'players', at: seconds(5), phase: 'measure', lasting: seconds(0) },
    ...{ sharePercent: 100, times: 1, every: seconds(1) },
  };
}

import { expect, test } from 'vitest';
import { judge } from '../../../src/judge/verdict.ts';
import type { DeliveryFacts, Measurements } from '../../../src/measurement/measurements.ts';
import { readMeasurements } from '../../../src/measurement/read-measurements.ts';
import { DEFAULT_RULES } from '../../../src/scenario/rules.ts';
import { COMPLETE, DELIVERIES, LOST_SERIES, PLAYER } from '../../fixtures/recorded-deliveries.ts';
import { budget, fluxFiguresOf, measurementsOf, scenarioOf } from '../../fixtures/recorded-run.ts';

function judged(over: Partial<Measurements>, allowed?: number, budgets = scenarioOf().budgets) {
  const rules = { ...DEFAULT_RULES, ...(allowed === undefined ? {} : { lostDeliveriesPercent: allowed }) };
  const m = measurementsOf(over);
  const s = scenarioOf({ budgets, rules });
  const verdict = judge(m, s, fluxFiguresOf(m, s));
  return { ...verdict, rule: verdict.rules.find(({ id }) => id === 'deliveries-complete') };
}

const CALM = [budget({ id: 'calm', metric: 'load.peakCcu', op: '>=', limit: 1, metricUnit: 'players' })];

/** The last delivery was due two seconds before the end of the measure phase. */
const ENDS_EARLY: Measurements['series'] = {
  'delivery.lost': {
    kind: 'counter',
    points: Array.from({ length: 23 }, (_, i) => [i + 1, Math.min(199, 10 * i)] as const),
  },
};

test('a run in which nobody expected anything has no such rule', () => {
  expect(judged({}).rule).toBeUndefined();
});

test('lost deliveries are a breach of the load, with an example; 99', () => {
  const { rule, exitCode, headline, breachedBecause } = judged({ deliveries: DELIVERIES }, undefined, CALM);
  expect(rule).toMatchObject({ state: 'broken', consequence: 'breached', relaxed: false, limit: 0 });
  expect(exitCode).toBe(99);
  expect(headline).toContain('losing messages: 99% of the deliveries were heard (at least 100%)');
  expect(breachedBecause.join()).toContain(
    'deliveries-complete: 1%: 199 of 20,000 expected were not heard, such as "tick 7" by player 3 (at most 0%)',
  );
});

test('everything heard, or as much lost as the scenario declares', () => {
  expect(judged({ deliveries: COMPLETE }, undefined, CALM)).toMatchObject({
    ...{ exitCode: 0, rule: { state: 'held', observed: 0 } },
  });
  const declared = judged({ deliveries: DELIVERIES }, 1.5, CALM);
  expect(declared).toMatchObject({ exitCode: 0, rule: { state: 'held', relaxed: true, defaultLimit: 0 } });
});

test('what was not followed decides nothing, so the run is invalid', () => {
  const { rule, exitCode, invalidBecause } = judged(
    { deliveries: { ...COMPLETE, untracked: 1_200 } },
    undefined,
    CALM,
  );
  expect(rule).toMatchObject({ state: 'broken', consequence: 'invalid' });
  expect(exitCode).toBe(90);
  expect(invalidBecause.join()).toContain('deliveries-complete: 1,200 were not followed');
});

const EMPTY = { counts: [], min: 0, max: 0, sum: 0 };
const NONE: DeliveryFacts = {
  ...{ ...COMPLETE, expected: 0, delivered: 0, excused: 0, duplicated: 0, late: 0, lostOnes: [] },
  latency: EMPTY,
};

test('nothing expected in the measure phase: not applicable, and a note', () => {
  const { rule, notes } = judged({ deliveries: NONE }, undefined, CALM);
  expect(rule).toMatchObject({ state: 'not-applicable' });
  expect(notes.join()).toContain('no delivery was expected in the measure phase, so that none could be lost');
});

test.each([
  [NONE, 'no delivery was expected', ['lost', 'lostPercent', 'duplicated', 'late', 'excused']],
  [{ ...NONE, expected: 9, excused: 9 }, 'is excused', ['lost', 'lostPercent']],
] as const)('where nothing could be lost, nothing is no pass: %#', (deliveries, reason, names) => {
  for (const name of names) {
    const metricUnit = name === 'lostPercent' ? '%' : 'deliveries';
    const budgets = own(`delivery.${name}`, { op: '=', limit: 0, metricUnit });
    const { rulings, exitCode } = judged({ deliveries }, undefined, budgets);
    expect(rulings[0]).toMatchObject({ state: 'unmeasured', cause: 'run', observed: null });
    expect(rulings[0]?.reason).toContain(reason);
    expect(exitCode).toBe(90);
  }
});

test('what nobody expected is still a figure, and much of it is noted', () => {
  const budgets = own('delivery.unexpected', { op: '=', limit: 0, metricUnit: 'deliveries' });
  const many = judged({ deliveries: { ...NONE, unexpected: 5_634 } }, undefined, budgets);
  expect(many.rulings[0]).toMatchObject({ state: 'breached', observed: 5_634 });
  expect(many.notes.join()).toContain('5,634 deliveries were heard and expected by nobody');
  expect(judged({ deliveries: COMPLETE }, undefined, CALM).notes.join()).not.toContain('by nobody');
});

test('counts of deliveries are by the second of their due time: no reading of theirs is missed', () => {
  const { notes } = judged({ deliveries: DELIVERIES, series: ENDS_EARLY }, undefined, CALM);
  expect(notes.join()).not.toContain('not read when');
});

const own = (metric: string, over: Partial<Parameters<typeof budget>[0]> = {}) => [
  budget({ id: 'own', metric, ...over }),
];

test.each([
  ['delivery.lost', { limit: 200, metricUnit: 'deliveries' }, 'met', 199],
  ['delivery.lostPercent', { limit: 1, metricUnit: '%' }, 'breached', 100 * (199 / 19_899)],
  ['delivery.duplicated', { op: '=', limit: 0, metricUnit: 'deliveries' }, 'breached', 3],
  ['delivery.latencyMs', { stat: 'p95', op: '<=', limit: 2 }, 'met', 2],
  ['delivery.latencyMs', { stat: 'p50', op: '<=', limit: 0.0015, metricUnit: 's' }, 'met', 0.0015],
  ['player.queue', { stat: 'p95', limit: 40 }, 'met', 30],
  ['player.queue', { stat: 'p50', limit: 0.005, metricUnit: 's' }, 'breached', 0.01],
  ['player.queue', { stat: 'min', op: '>', limit: 9 }, 'met', 9.5],
  ['player.queue', { stat: 'count', op: '=', limit: 100, metricUnit: 'times' }, 'met', 100],
  ['player.kills', { stat: 'total', op: '>=', limit: 101, metricUnit: 'kills' }, 'breached', 100],
  ['player.kills', { stat: 'perSecond', op: '>=', limit: 5, metricUnit: 'kills/s' }, 'met', 5],
] as const)('a budget on %s %j is %s', (metric, over, state, observed) => {
  const deliveries = metric.startsWith('delivery') ? DELIVERIES : COMPLETE;
  const [ruling] = judged({ deliveries, player: PLAYER }, 2, own(metric, over)).rulings;
  expect(ruling).toMatchObject({ state, cause: null });
  expect(ruling?.observed).toBeCloseTo(observed, 9);
});

test('a percentile that falls among lost deliveries is a breach', () => {
  const [ruling] = judged(
    { deliveries: DELIVERIES },
    2,
    own('delivery.latencyMs', { stat: 'p99', limit: 1e6 }),
  ).rulings;
  // 199 of 19,899 are just over 1%: p99 is one of them.
  expect(ruling).toMatchObject({ state: 'breached', observed: null, reason: '199 deliveries were lost' });
});

test.each([
  ['delivery.lost', {}, {}, 'no player called context.expectDelivery'],
  [
    'player.kils',
    { stat: 'total' },
    { player: PLAYER },
    "nothing with context.measure('kils', ..); did you mean kills?",
  ],
  ['player.queue', { stat: 'p95' }, {}, "the players measured nothing with context.measure('queue', ..)"],
  [
    'player.idle',
    { stat: 'p95' },
    { player: PLAYER },
    'the players measured idle, but not in the measure phase',
  ],
  [
    'player.kills',
    { stat: 'p95' },
    { player: PLAYER },
    'without a unit, as a counter: its statistics are total, perSecond, count',
  ],
  [
    'player.queue',
    { stat: 'total' },
    { player: PLAYER },
    'queue was measured in ms: its statistics are p50, p90,',
  ],
  [
    'player.queue',
    { stat: 'p95', metricUnit: 'MB' },
    { player: PLAYER },
    'in ms, which cannot be compared with MB',
  ],
])('%s %j of %j has no figure: the run is invalid, and says why', (metric, over, facts, reason) => {
  const unit = metric.startsWith('delivery') ? { metricUnit: 'deliveries' } : {};
  const { rulings, exitCode } = judged(facts, undefined, own(metric, { ...unit, ...over }));
  expect(rulings[0]).toMatchObject({ state: 'unmeasured', cause: 'run' });
  expect(rulings[0]?.reason).toContain(reason);
  expect(exitCode).toBe(90);
});

test.each<[string, Partial<DeliveryFacts>]>([
  ['deliveries.expected: 20001, and 20000 became of them', { expected: 20_001 }],
  ['deliveries.latency: 19700 values, and 19699 were delivered', { delivered: 19_699, excused: 102 }],
  ['deliveries.late: 400, and 300 were not delivered', { late: 400 }],
  ['series.delivery.lost: 199 at its end, and 198 in the whole run', { lost: 198, excused: 102 }],
])('facts that contradict each other are refused: %s', (problem, over) => {
  const m = measurementsOf({ player: PLAYER });
  const read = (deliveries: DeliveryFacts) =>
    readMeasurements(
      JSON.parse(JSON.stringify({ ...m, deliveries, series: { ...m.series, ...LOST_SERIES } })),
    );
  expect(read(DELIVERIES)).toMatchObject({ state: 'valid' });
  expect(read({ ...DELIVERIES, ...over })).toMatchObject({ problems: [problem] });
});

import { describe, expect, test } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { minimal, problemsOf, read, shipped, thrownBy, written } from '../scenario/scenario-text.ts';
import { auditOf, withPlan } from './plans.ts';

/** What a plan is refused with. */
const problems = (plan: string) => problemsOf(withPlan(plan));

describe('figures of different units are refused, with both units', () => {
  test('batches are no row writes (FLX-119 against the rows a second)', () => {
    const plan = '{ load: { operationsPerSecond: FLX-117 }, database: { rowWritesPerSecond: FLX-119 } }';
    expect(thrownBy(() => read(withPlan(plan))).exitCode).toBe(EXIT.badInput);
    expect(problems(plan)).toEqual([
      {
        where: 'x.yaml:5:81',
        path: 'plan.database.rowWritesPerSecond',
        message: 'got "FLX-119" in batched ops/s (batches/s), expected row writes/s',
        hint: null,
      },
    ]);
  });

  test.each([
    ['a claim beside a claim', '[{ name: a, of: FLX-119, to: FLX-111, is: 1.7% }]', 'to'],
    ['text beside text', '[{ name: a, of: 2500 batches/s, to: 150000 row writes/s, is: 1.7% }]', 'to'],
    ['text beside a claim', '[{ name: a, of: FLX-119, to: 150000 rows/s, is: 1.7% }]', 'to'],
  ])('%s', (_, ratios, key) => {
    const [problem, ...others] = problems(`{ ratios: ${ratios} }`);
    expect(others).toEqual([]);
    expect(problem?.path).toBe(`plan.ratios.0.${key}`);
    expect(problem?.message).toMatch(/row writes\/s.*beside.*batches\/s.*expected the same unit/);
    expect(problem?.hint).toContain('operations, row writes and batches are different things');
  });

  test('sizes of different spelling are one unit, and so are players and connections', () => {
    const { findings } = auditOf(
      withPlan(
        '{ limits: [{ name: a, needed: 1024MB, limit: 1GB }, { name: b, needed: FLX-001, limit: 20000 connections }] }',
      ),
    );
    expect(findings.map(({ state }) => state)).toEqual(['consistent', 'consistent']);
  });

  test.each([
    ['10 Mbit/s', '10 Mbps'],
    ['1GiB', '1024 MB'],
    ['2 minutes', '120 sec'],
    ['1 match', '1 matches'],
    ['60 matches/min', '1 match/s'],
    ['86400 MB/day', '1 MB/s'],
    ['120 USD/year', '10 USD/month'],
    ['500 players/server', '500 connections'],
    ['4 vCPU', '4 cores'],
  ])('%s is %s', (needed, limit) => {
    const { findings } = auditOf(withPlan(`{ limits: [{ name: a, needed: ${needed}, limit: ${limit} }] }`));
    expect(findings).toMatchObject([{ state: 'consistent' }]);
  });

  test('other capitals are asked about', () => {
    expect(problems('{ database: { disk: 5gb } }')).toMatchObject([{ hint: 'did you mean GB?' }]);
    expect(problems('{ limits: [{ name: a, needed: 5MB, limit: 5mb }] }')).toMatchObject([
      { hint: 'did you mean MB?' },
    ]);
  });

  test('each entry has a unit of its own', () => {
    const { findings } = auditOf(
      withPlan('{ limits: [{ name: a, needed: 1GB, limit: 2 }, { name: b, needed: 3 cores, limit: 2 }] }'),
    );
    expect(findings.map(({ arithmetic }) => arithmetic)).toEqual([
      '1 GB, of 2 GB at most',
      '3 cores, of 2 cores at most',
    ]);
  });
});

test.each([
  ['an unknown claim', '{ load: { players: FLX-999 } }', 'load.players', /expected the id of a claim/],
  ['a claim that is text', '{ load: { players: FLX-048 } }', 'load.players', /which is the text "mod"/],
  ['a size without unit', '{ database: { disk: 512 } }', 'database.disk', /got 512, expected a size such as/],
  [
    'a time without unit',
    '{ batches: { latency: 10 } }',
    'batches.latency',
    /got 10, expected a time such as/,
  ],
  [
    'a size for a time',
    '{ batches: { latency: 10MB } }',
    'batches.latency',
    /in MB \(bytes\), expected a time/,
  ],
  [
    'a time for a count',
    '{ batches: { servers: 10ms } }',
    'batches.servers',
    /in ms \(s\), expected a number of things/,
  ],
  [
    'a range that falls',
    '{ load: { players: [9, 5] } }',
    'load.players',
    /got 9 before 5, expected \[low, high\]/,
  ],
  [
    'a range of two units',
    '{ limits: [{ name: a, needed: [1MB, 2s], limit: 1 }] }',
    'limits.0.needed',
    /expected one unit/,
  ],
  ['three numbers', '{ load: { players: [1, 2, 3] } }', 'load.players', /got 3 figures/],
  [
    'claims that differ',
    '{ load: { players: [FLX-001, FLX-082] } }',
    'load.players',
    /FLX-001 \(20,000 users\) and FLX-082 \(25,000 connections\)/,
  ],
  [
    'an alarm of two directions',
    '{ alarms: [{ name: a, above: 1, below: 2, usual: 1 }] }',
    'alarms.0.above',
    /either above or below/,
  ],
  [
    'nothing where others are divided by it',
    '{ database: { rowWritesPerSecond: 0 } }',
    'database.rowWritesPerSecond',
    /got 0, expected more than 0/,
  ],
  ['more than there can be', '{ load: { players: 1e16 } }', 'load.players', /expected a number, a quantity/],
  ['a misspelled key', '{ load: { playerz: 5 } }', 'load.playerz', /unknown key "playerz"/],
  ['a figure that is none', '{ load: { players: many } }', 'load.players', /expected a number, a quantity/],
  ['a sum of nothing', '{ sums: [{ name: a, total: 5, parts: {} }] }', 'sums.0.parts', /at least/],
  [
    'a rest beside a stated sum',
    '{ sums: [{ name: a, total: 5, parts: { b: 1 }, rest: 4, exactly: true }] }',
    'sums.0.exactly',
    /expected false beside rest/,
  ],
  ['a negative number', '{ load: { players: -5 } }', 'load.players', /expected a number, a quantity/],
])('%s is refused', (_, plan, path, message) => {
  expect(problems(plan)).toMatchObject([{ path: `plan.${path}`, message: expect.stringMatching(message) }]);
});

test.each([
  [
    'an unknown claim',
    '{ update-rate: [FLX-999] }',
    'update-rate.0',
    /expected the id of a claim in fixtures/,
  ],
  ['what is no claim', '{ update-rate: [many] }', 'update-rate.0', /got "many", expected the id of a claim/],
  ['no list', '{ update-rate: FLX-001 }', 'update-rate', /expected a list of 1 to 100 claims/],
])('%s under disputes is refused', (_, disputes, path, message) => {
  const plan = `{ load: { operationsPerSecond: 2 }, database: { rowWritesPerSecond: 1 }, disputes: ${disputes} }`;
  expect(problems(plan)).toMatchObject([
    { path: `plan.disputes.${path}`, message: expect.stringMatching(message) },
  ]);
});

test('disputes of a finding that there is not are named', () => {
  const { unused } = auditOf(
    withPlan('{ limits: [{ name: a, needed: 2, limit: 1 }], disputes: { "limit: b": [FLX-001] } }'),
  );
  expect(unused).toEqual(['plan.disputes.limit: b']);
});

test('words may be claims that are text, and numbers are refused there', () => {
  const { findings } = auditOf(withPlan('{ words: [{ name: a, said: [MUD-040, Read-only from cache] }] }'));
  expect(findings).toMatchObject([{ state: 'consistent', claims: ['MUD-040'], disputed: [] }]);
  const other = auditOf(withPlan('{ words: [{ name: a, said: [MUD-040, buffered] }] }'));
  expect(other.findings).toMatchObject([{ state: 'contradicted', disputed: ['MUD-040'] }]);
  expect(problems('{ words: [{ name: a, said: [FLX-001, 20000 users] }] }')).toMatchObject([
    { path: 'plan.words.0.said.0', hint: 'numbers are held against each other under plan.same' },
  ]);
});

test('a bundle has the plan as it was written, and its budgets as they were audited', () => {
  const scenario = read(shipped('m4pro-20k'));
  const text = written(scenario);
  expect(text).toContain('operationsPerSecond: FLX-117');
  expect(read(text)).toEqual(scenario);
});

test('--set changes a plan, and is no change of the load', () => {
  const scenario = read(shipped('m4pro-20k'), { set: ['plan.batches.perSecond=400'] });
  expect(scenario.plan?.batches?.perSecond).toMatchObject({ low: 400, claims: [] });
  expect(scenario.altered).toEqual([]);
});

describe('a claim that the plan contradicts', () => {
  const plan =
    'plan: { load: { operationsPerSecond: FLX-117 }, database: { rowWritesPerSecond: FLX-111 } }\n';
  const arithmetic =
    'update-rate: 420,000 ops/s / 1 operation a row write = 420,000 row writes/s, of 150,000 UPDATE ops/s: 280%';
  const budgetsOf = (more: string) => read(minimal(plan + more)).budgets;

  test('is contradicted in runs, with the arithmetic, and so is one without a budget', () => {
    expect(
      budgetsOf('budgets: [{ claim: FLX-117, metric: throughput.operationsPerSecond }]\n'),
    ).toMatchObject([
      { id: 'FLX-117', state: 'measured', contradicted: arithmetic },
      { id: 'FLX-111', state: 'contradicted', contradicted: arithmetic },
    ]);
  });

  test('stays what the scenario says of it itself', () => {
    const [own, other] = budgetsOf(
      'budgets: [{ claim: FLX-117, metric: throughput.operationsPerSecond, contradicted: 3 reasons }]\nuntestable: [{ missing: "hardware: a disk", claims: [FLX-111] }]\n',
    );
    expect(own).toMatchObject({ contradicted: '3 reasons' });
    expect(other).toMatchObject({ state: 'untestable', missing: 'hardware: a disk' });
  });

  test('may be one that the plan only names as falling with the finding', () => {
    const also = plan.replace(/}\n$/, ', disputes: { update-rate: [FLX-080] } }\n');
    expect(budgetsOf('').map(({ id }) => id)).toEqual(['FLX-117', 'FLX-111']);
    expect(read(minimal(also)).budgets).toMatchObject([
      ...[{ id: 'FLX-117' }, { id: 'FLX-111' }],
      { id: 'FLX-080', state: 'contradicted', contradicted: arithmetic },
    ]);
    expect(read(minimal(also.replace('FLX-117', '150000'))).budgets).toEqual([]);
  });

  test('is judged when the figures agree', () => {
    const consistent = plan.replace('FLX-117', '150000');
    const { budgets } = read(
      minimal(`${consistent}budgets: [{ claim: FLX-117, metric: throughput.operationsPerSecond }]\n`),
    );
    expect(budgets).toMatchObject([{ id: 'FLX-117', contradicted: null }]);
  });
});

test('the documented host: what its plan derives is contradicted, and nothing that it does not dispute', () => {
  const { budgets } = read(shipped('m4pro-20k'));
  const contradicted = budgets
    .filter((one) => one.state === 'contradicted' || (one.state === 'measured' && one.contradicted !== null))
    .map(({ id }) => id);
  expect(contradicted.toSorted()).toEqual([
    ...['FLX-006', 'FLX-022', 'FLX-027', 'FLX-029', 'FLX-030', 'FLX-057', 'FLX-066', 'FLX-072', 'FLX-078'],
    ...['FLX-079', 'FLX-080', 'FLX-111', 'FLX-117', 'FLX-119', 'FLX-121', 'FLX-132', 'FLX-133'],
    ...['FLX-134', 'FLX-143', 'FLX-145', 'FLX-148', 'FLX-169', 'FLX-170', 'FLX-171', 'FLX-173', 'FLX-174'],
    ...['FLX-177', 'FLX-180', 'FLX-181'],
  ]);
});

import { describe, expect, test } from 'vitest';
import { metricUnitOf } from '../../src/scenario/claims.ts';
import { claims, minimal, problemsOf, read } from './scenario-text.ts';

const one = (entry: string) => read(minimal(`budgets:\n  - ${entry}\n`)).budgets[0];
const problems = (entry: string) => problemsOf(minimal(`budgets:\n  - ${entry}\n`));

/** The fields that every measured budget on the intents' latency has. */
const OF_INTENTS = {
  ...{ state: 'measured', metricUnit: 'ms', fullLoad: false, contradicted: null },
  metric: expect.objectContaining({ path: 'latency.intent.due', figure: 'latency.due' }),
};

test('a budget on a claim takes its wording from the claim', () => {
  expect(one('{ claim: FLX-151, metric: latency.intent.due, stat: p95 }')).toEqual({
    ...OF_INTENTS,
    ...{ id: 'FLX-151', claim: 'FLX-151', title: 'world server response time', condition: 'p95' },
    ...{ op: '<', limit: 20, unit: 'ms', stat: 'p95' },
    source: { document: 'flux-single-host.md', heading: 'Monitoring Setup', line: 557 },
  });
});

test("a user's own budget needs no claim", () => {
  expect(one("{ id: fast, metric: latency.intent.due, stat: p99, op: '<=', limit: 80, unit: ms }")).toEqual({
    ...OF_INTENTS,
    ...{ id: 'fast', claim: null, title: 'latency.intent.due p99', condition: null },
    ...{ op: '<=', limit: 80, unit: 'ms', stat: 'p99', source: null },
  });
});

test("a user's own budget may be optional; a claim without a figure decides nothing in any case", () => {
  const fast = 'id: fast, metric: latency.intent.due, stat: p99, op: <, limit: 80, unit: ms';
  const claim = 'claim: FLX-151, metric: latency.intent.due, stat: p95';
  expect(one(`{ ${fast}, optional: true }`)).toMatchObject({ id: 'fast', optional: true });
  // Treated like a missing key, so that the hash of the scenario does not change.
  expect(one(`{ ${fast}, optional: false }`)).toEqual(one(`{ ${fast} }`));
  expect(problems(`{ ${fast}, optional: perhaps }`)).toMatchObject([
    { path: 'budgets.0.optional', message: 'got "perhaps", expected true or false' },
  ]);
  expect(problems(`{ ${claim}, optional: true }`)).toMatchObject([
    {
      path: 'budgets.0.optional',
      message: 'got true, expected it only for a budget of your own',
    },
  ]);
});

test('a claim may be interpreted differently only with a reason, which the title then contains', () => {
  const alarm = "claim: FLX-142, metric: database.queryMs, stat: p95, op: '<=', limit: 50";
  expect(one(`{ ${alarm}, reading: an alarm }`)).toMatchObject({
    op: '<=',
    limit: 50,
    unit: 'ms',
    title: 'scale out when DB response time p95 (an alarm)',
  });
  expect(problems(`{ ${alarm} }`)).toMatchObject([
    { where: 'x.yaml:6:64', path: 'budgets.0.op', message: 'got "<=" beside FLX-142, which has > 50' },
  ]);
});

test('a limit with a unit of its own is shown in that unit', () => {
  expect(
    one(
      "{ claim: FLX-024, metric: world.cpuPercentOfCore, stat: mean, op: '<=', limit: 100, unit: '%', reading: r }",
    ),
  ).toMatchObject({ unit: '%', metricUnit: '%', limit: 100 });
});

test('a contradicted claim keeps its metric', () => {
  expect(
    one('{ claim: FLX-119, metric: throughput.batchesPerSecond, contradicted: 400 are not 2500 }'),
  ).toMatchObject({ state: 'measured', contradicted: '400 are not 2500', metricUnit: 'batches/s' });
});

test('claims that no run can decide', () => {
  const { budgets } = read(
    minimal(
      'untestable:\n  - { missing: "component: HAProxy", claims: [FLX-052, FLX-053] }\ncontradicted:\n  - { why: 16 of 14, claims: [FLX-022] }\n',
    ),
  );
  expect(budgets.map(({ id, state }) => [id, state])).toEqual([
    ['FLX-022', 'contradicted'],
    ['FLX-052', 'untestable'],
    ['FLX-053', 'untestable'],
  ]);
  const image = { missing: 'component: HAProxy', title: 'HAProxy image version', limit: '2.8-alpine' };
  expect(budgets[1]).toMatchObject(image);
});

describe('an invalid budget', () => {
  const own = 'metric: load.peakCcu, unit: players';
  test.each([
    ['{ metric: load.peakCcu }', ': got neither claim nor id'],
    ['{ claim: FLX-999, metric: load.peakCcu }', '.claim: got "FLX-999", expected the id of a claim'],
    [
      '{ claim: flx-151, metric: load.peakCcu }',
      '.claim: got "flx-151", expected a claim id such as FLX-151',
    ],
    ['{ claim: FLX-151 }', '.metric: got nothing, expected a path in report.json'],
    [
      '{ claim: FLX-151, id: b, metric: latency.intent.due, stat: p95 }',
      '.id: got "b", expected nothing: it comes from FLX-151',
    ],
    [
      '{ claim: FLX-024, metric: world.cpuPercentOfCore, stat: mean }',
      '.unit: got nothing, expected the unit to compare with: "core"',
    ],
    [
      '{ claim: FLX-151, metric: latency.intent.du, stat: p95 }',
      ': metric "latency.intent.du" is not a figure',
    ],
    [
      '{ claim: FLX-151, metric: latency.intent.due, stat: p94 }',
      ': metric "latency.intent.due" has the statistics',
    ],
    [
      '{ claim: FLX-151, metric: load.peakCcu }',
      ': metric "load.peakCcu" is in players and cannot be compared with ms',
    ],
    [`{ id: a, ${own}, limit: 5 }`, '.op: got nothing'],
    [`{ id: a, ${own}, op: < }`, '.limit: got nothing'],
    ['{ id: a, metric: load.peakCcu, op: <, limit: 5 }', ".unit: got nothing, expected the limit's unit"],
    [`{ id: a, ${own}, op: =<, limit: 5 }`, '.op: got "=<", expected one of <, <=, >, >=, =, between, ~, is'],
    [`{ id: a, ${own}, op: <, limit: .nan }`, '.limit: got .nan, expected a number, [low, high] or text'],
    [`{ id: a, ${own}, op: <, limit: .inf }`, '.limit: got .inf'],
    [`{ id: a, ${own}, op: <, limit: [1, 2] }`, '.limit: got [1, 2], expected a number for <'],
    [`{ id: a, ${own}, op: <, limit: many }`, '.limit: got "many", expected a number for <'],
    [`{ id: a, ${own}, op: between, limit: 5 }`, '.limit: got 5, expected [low, high] for between'],
    [`{ id: a, ${own}, op: between, limit: [5] }`, '.limit: got a list of 1'],
    [`{ id: a, ${own}, op: between, limit: [5, .nan] }`, '.limit: got a list of 2'],
    [
      `{ id: a, ${own}, op: between, limit: [6, 5] }`,
      '.limit: got [6, 5], expected [low, high] with the lower one first',
    ],
    [`{ id: a, ${own}, op: is, limit: 5 }`, '.limit: got 5, expected text for is'],
    [`{ id: a, ${own}, op: is, limit: true }`, '.limit: got true, expected a number, [low, high] or text'],
    [`{ id: a, ${own}, op: <, limit: 5, reading: x }`, '.reading: got a reading'],
    [`{ id: "a b", ${own}, op: <, limit: 5 }`, '.id: got "a b"'],
    [`{ id: a, ${own}, op: <, limit: 5, metric: "load..x" }`, 'the key "metric" appears twice'],
    [`{ id: a, metric: "load..x", op: <, limit: 5, unit: x }`, '.metric: got "load..x", expected a path'],
  ])('%s', (entry, expected) => {
    const [first, ...more] = problems(entry);
    const path = expected.startsWith('the key') ? '' : 'budgets.0';
    expect(`${first?.path}: ${first?.message}`).toContain(path + expected);
    expect(more).toEqual([]);
  });
});

test('each id may be used once in a scenario', () => {
  const text = minimal(
    `budgets:
  - { claim: FLX-001, metric: load.peakCcu }
  - { id: a, metric: load.peakCcu, op: <, limit: 5, unit: players }
  - { id: a, metric: load.peakCcu, op: <, limit: 6, unit: players }
untestable:
  - { missing: 'price: x', claims: [FLX-052] }
  - { missing: 'price: y', claims: [FLX-053, FLX-052, FLX-001] }
`,
  );
  expect(problemsOf(text).map(({ where, message }) => `${where} ${message}`)).toEqual([
    'x.yaml:8:5 a is used twice (first at budgets.1), expected once',
    'x.yaml:11:46 FLX-052 is used twice (first at untestable.0.claims.0), expected once',
    'x.yaml:11:55 FLX-001 is used twice (first at budgets.0), expected once',
  ]);
});

test.each(['HAProxy', 'prices: of vendors', 'hardware', 'hardware:cores'])(
  'why a claim cannot be tested is of a closed set of kinds: not "%s"',
  (missing) => {
    const text = minimal(`untestable:\n  - { missing: '${missing}', claims: [FLX-052] }\n`);
    expect(problemsOf(text)).toMatchObject([
      {
        path: 'untestable.0.missing',
        message: expect.stringMatching(
          /begins with one of hardware:, price:, vendor:, duration:, procedure:/,
        ),
      },
    ]);
  },
);

test('operations, row writes and batches are three different units', () => {
  const unitOf = (id: string) => metricUnitOf(claims.get(id)?.unit ?? '');
  expect(['FLX-117', 'FLX-111', 'FLX-119'].map(unitOf)).toEqual(['ops/s', 'rows/s', 'batches/s']);
  expect(problems('{ claim: FLX-111, metric: throughput.operationsPerSecond }')[0]?.message).toContain(
    'cannot be compared with rows/s',
  );
  expect(unitOf('FLX-170')).toBe('players');
  expect(unitOf('FLX-009')).toBeUndefined();
  expect(metricUnitOf('constructor')).toBeUndefined();
});

test.each(['constructor', 'toString', '__proto__'])('%s is no unit, though every object has one', (unit) => {
  const [problem] = problems(
    `{ id: x, metric: latency.intent.due, stat: p95, op: <, limit: 1, unit: ${unit} }`,
  );
  expect(problem?.message).toContain(`is in ms and cannot be compared with ${unit}`);
});

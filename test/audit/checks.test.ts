import { describe, expect, test } from 'vitest';
import { nameOf } from '../../src/audit/audit.ts';
import { CHECKS } from '../../src/audit/checks.ts';
import { ScenarioError } from '../../src/scenario/problem.ts';
import { auditOf, withPlan } from './plans.ts';

/** Each check at its boundary, where it is consistent, and beyond it: the plan with the figure that makes the difference. */
const BOUNDARIES: readonly (readonly [check: string, plan: string, equal: string, beyond: string])[] = [
  [
    'update-rate',
    '{ load: { operationsPerSecond: X }, database: { rowWritesPerSecond: 500 } }',
    '500',
    '501',
  ],
  [
    'update-rate',
    '{ load: { operationsPerSecond: X }, database: { rowWritesPerSecond: 500, operationsPerRowWrite: 3 } }',
    ...(['1500', '1501'] as const),
  ],
  ['insert-rate', '{ load: { operationsPerSecond: X }, database: { insertsPerSecond: 500 } }', '500', '501'],
  [
    'batch-rate',
    '{ load: { operationsPerSecond: 1000 }, batches: { servers: 2, interval: 10ms, operations: 50, perSecond: X } }',
    ...(['200', '201'] as const),
  ],
  // The size ends a batch first: 4,000 / 10 is more than 2 / 10 ms.
  [
    'batch-rate',
    '{ load: { operationsPerSecond: 4000 }, batches: { servers: 2, interval: 10ms, operations: 10, perSecond: X } }',
    ...(['400', '399'] as const),
  ],
  [
    'batch-time',
    '{ batches: { operations: 100, latency: X }, database: { rowWritesPerSecond: 10000 } }',
    '10ms',
    '9ms',
  ],
  ['response-time', '{ latency: [{ name: a, limit: X, window: 100ms }] }', '100ms', '99ms'],
  [
    'response-time',
    '{ latency: [{ name: a, limit: X, window: 100ms, service: 5ms, percentile: 95 }] }',
    ...(['100ms', '99ms'] as const),
  ],
  ['work-mem', '{ database: { connections: 10, workMem: 64MB, memory: X } }', '640MB', '639MB'],
  [
    'checkpoints',
    '{ database: { rowWritesPerSecond: 1024, walBytesPerWrite: 1kB, maxWalSize: 60MB, checkpointEvery: X } }',
    ...(['1min', '61s'] as const),
  ],
  [
    'statement-log',
    '{ database: { rowWritesPerSecond: 1024, logBytesPerWrite: 1kB, logKept: 60s, disk: X } }',
    ...(['60MB', '59MB'] as const),
  ],
  // A day without logKept: 86,400 MB.
  [
    'statement-log',
    '{ database: { rowWritesPerSecond: 1024, logBytesPerWrite: 1kB, disk: X } }',
    '86400MB',
    '86399MB',
  ],
  [
    'pools',
    '{ pools: [{ name: a, limit: X, reserved: 3, users: [{ name: b, processes: 4, connections: 20, overflow: 4 }, { name: c, processes: 1, connections: 1 }] }] }',
    ...(['100', '99'] as const),
  ],
  ['proxy-connections', '{ load: { players: X }, proxy: { connections: 100 } }', '100', '101'],
  ['per-address', '{ load: { players: X }, proxy: { perAddress: 10, addresses: 5 } }', '50', '51'],
  [
    'new-per-address',
    '{ proxy: { connectsPerSecond: X, newPerAddress: { count: 30, every: 3s }, addresses: 2 } }',
    ...(['20', '21'] as const),
  ],
  ['by-address', '{ proxy: { servers: 4, addresses: X, perServer: 10, needed: 30 } }', '3', '2'],
  // No more than there are servers.
  ['by-address', '{ proxy: { servers: 4, addresses: 9, perServer: 10, needed: X } }', '40', '41'],
  ['proxy-threads', '{ proxy: { threads: X, cpus: 2 } }', '2', '3'],
  ['sum', '{ sums: [{ name: a, total: 10, parts: { b: 4, c: { count: 2, each: X } } }] }', '3', '4'],
  ['sum', '{ sums: [{ name: a, total: 10, parts: { b: 4 }, rest: X }] }', '6', '7'],
  ['sum', '{ sums: [{ name: a, total: 10, parts: { b: 4 }, rest: X }] }', '6', '5'],
  ['sum', '{ sums: [{ name: a, total: X, parts: { b: 4, c: 5 }, exactly: true }] }', '9', '10'],
  ['capacity', '{ capacity: [{ name: a, units: 4, each: 10, needed: X, spare: 1 }] }', '30', '31'],
  ['limit', '{ limits: [{ name: a, needed: X, limit: 5 }] }', '5', '6'],
  [
    'database-share',
    '{ load: { operationsPerSecond: 1000 }, database: { rowWritesPerSecond: 2000, operationsPerRowWrite: 2, used: X } }',
    ...(['25%', '26%'] as const),
  ],
  ['process-cores', '{ processes: [{ name: a, count: X, cores: 4, perCore: 2 }] }', '8', '9'],
  ['process-cores', '{ processes: [{ name: a, count: X, cores: 4 }] }', '4', '5'],
  [
    'fan-out',
    '{ fanOut: [{ name: a, perSecond: 10, receivers: X, deliveries: 50 }] }',
    ...(['5', '6'] as const),
  ],
  [
    'fan-out',
    '{ fanOut: [{ name: a, perSecond: 10, receivers: 5, bytes: X, network: 5kB/s }] }',
    ...(['100B', '101B'] as const),
  ],
  [
    'fan-out',
    '{ fanOut: [{ name: a, perSecond: 10, receivers: 5, bytes: 100B, players: 5, each: X }] }',
    ...(['1kB/s', '0.9kB/s'] as const),
  ],
  ['words', '{ words: [{ name: a, said: [On  and off, X] }] }', 'on andOff', 'on'],
  [
    'break-even',
    '{ breakEven: [{ name: a, price: [100, 200], perPlayer: 3, players: X }] }',
    ...(['[34, 67]', '[34, 66]'] as const),
  ],
  [
    'saving',
    '{ savings: [{ name: a, price: 200, instead: [300, 400], saves: X }] }',
    ...(['33%', '34%'] as const),
  ],
  ['heap', '{ processes: [{ name: a, count: 4, heap: X, memory: 1GB }] }', '256MB', '257MB'],
  ['tier', '{ tiers: [{ name: a, cores: X, needs: { cores: 2 } }] }', '2', '1'],
  ['concurrency', '{ concurrency: [{ name: a, perSecond: X, lasting: 10s, most: 100 }] }', '10', '11'],
  ['alarm-always', '{ alarms: [{ name: a, above: 10, usual: X }] }', '10', '11'],
  ['alarm-always', '{ alarms: [{ name: a, below: 10, usual: X }] }', '10', '9'],
  ['alarm-always', '{ alarms: [{ name: a, above: 80%, of: 1GB, usual: X }] }', '819MB', '820MB'],
  ['alarm-never', '{ alarms: [{ name: a, above: 10, most: X }] }', '10', '9'],
  ['alarm-never', '{ alarms: [{ name: a, below: 10, most: X }] }', '10', '11'],
  ['per-player', '{ perPlayer: [{ name: a, players: 10, each: [1, 5], total: X }] }', '[10, 50]', '[10, 51]'],
  ['per-player', '{ perPlayer: [{ name: a, players: 10, each: [1, 5], total: X }] }', '[10, 50]', '[9, 50]'],
  ['ratio', '{ ratios: [{ name: a, of: 1, to: 4, is: X }] }', '25%', '26%'],
  ['same', '{ same: [{ name: a, figures: [5, X] }] }', '[5, 9]', '[6, 9]'],
  ['cost-per-player', '{ cost: [{ name: a, price: 100, players: 20, perPlayer: X }] }', '5', '6'],
  [
    'cost-of-traffic',
    '{ traffic: [{ name: a, perSecond: 1MB/s, price: X, perTerabyte: 10 }] }',
    '25.92',
    '25.91',
  ],
];

const findingsOf = (plan: string, x: string, check?: string) =>
  auditOf(withPlan(plan.replace('X', x))).findings.filter(
    (one) => check === undefined || one.check === check,
  );

describe.each(BOUNDARIES)('%s of %s', (check, plan, equal, beyond) => {
  test(`${equal} is consistent, and ${beyond} is not`, () => {
    expect(findingsOf(plan, equal, check)).toMatchObject([
      { check, state: 'consistent', claims: [], disputed: [] },
    ]);
    expect(findingsOf(plan, beyond, check)).toMatchObject([{ check, state: 'contradicted', disputed: [] }]);
  });
});

test.each(BOUNDARIES)(
  '%s of %s: nothing and the most that there can be are refused, or have an arithmetic',
  (_, plan) => {
    for (const x of ['0', '[0, 1]', '1e15']) {
      let texts: readonly string[];
      try {
        texts = findingsOf(plan, x).map(({ arithmetic }) => arithmetic);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(ScenarioError);
        continue;
      }
      const isOdd = (text: string) => !/\d/.test(text) || /NaN|∞|Infinity|undefined/.test(text);
      expect(texts.filter(isOdd)).toEqual([]);
    }
    expect.assertions(3);
  },
);

/** A number and its noun: `1 cores`, `2 core`. */
const DISAGREES =
  /(?<![\d,.~] ?)\b(?:1 (?:[A-Z]-)?(?!ms|us|bps)[a-z]*[^s\W]s\b|(?!1\b)\d+ (?:core|player|address|server|connection|batch)\b)/;

test.each(BOUNDARIES)('%s of %s: numbers and nouns agree', (_, plan, ...values) => {
  const texts = [...values, '1', '2'].flatMap((x) => {
    try {
      return findingsOf(plan, x).map(({ arithmetic }) => arithmetic);
    } catch {
      return []; // A size or a time without its unit.
    }
  });
  expect(texts.length).toBeGreaterThan(1);
  expect(texts.filter((text) => DISAGREES.test(text))).toEqual([]);
});

test.each([
  ['1 core', '{ limits: [{ name: a, needed: 1 cores, limit: 2 }] }'],
  ['2 E-cores', '{ limits: [{ name: a, needed: 3 E-cores, limit: 2 }] }'],
  ['1 match/s', '{ concurrency: [{ name: a, perSecond: 1 matches/s, lasting: 1s, most: 2 }] }'],
  ['5/s x 1 s = 5 at once', '{ concurrency: [{ name: a, perSecond: 5, lasting: 1s, most: 2 }] }'],
  ['2 matches/s', '{ concurrency: [{ name: a, perSecond: 2 match/s, lasting: 1s, most: 2 }] }'],
  ['1 row write/s', '{ limits: [{ name: a, needed: 1 row writes/s, limit: 2 }] }'],
  ['1 entity', '{ limits: [{ name: a, needed: 1 entities, limit: 2 }] }'],
  ['2 processes', '{ limits: [{ name: a, needed: 1 process, limit: 2 }] }'],
  ['1 Mbps', '{ limits: [{ name: a, needed: 1Mbps, limit: 2 }] }'],
  ['30 GB free', '{ limits: [{ name: a, needed: 34 GB free, limit: 30 }] }'],
  ['20,000 CCU', '{ limits: [{ name: a, needed: 20000 CCU, limit: 2 }] }'],
  ['~5 players', '{ limits: [{ name: a, needed: ~5 player, limit: 2 }] }'],
])('%s', (part, plan) => {
  expect(findingsOf(plan, '')[0]?.arithmetic).toContain(part);
});

test('batches that nothing is in are not written', () => {
  const plan =
    '{ load: { operationsPerSecond: 100 }, batches: { servers: 4, interval: 10ms, operations: 50, perSecond: X } }';
  // A hundred operations make a hundred batches at most, and each server one in 10 ms and the 40 ms until an operation comes.
  const states = ['100', '80', '101', '79', '400'].map((x) => findingsOf(plan, x)[0]?.state);
  expect(states).toEqual(['consistent', 'consistent', 'contradicted', 'contradicted', 'contradicted']);
});

test('what is computed is shown in a unit that suits it', () => {
  const [finding] = findingsOf('{ latency: [{ name: a, limit: 1h, window: 1s, percentile: 99.9 }] }', '');
  expect(finding?.arithmetic).toBe('p99.9 wait for the end of 1 s is 999 ms; the limit is 1 h');
});

test('"about" is a tenth where the same thing is stated twice', () => {
  const states = (x: string) =>
    findingsOf('{ same: [{ name: a, figures: [~500 players, X] }] }', x)[0]?.state;
  expect(['450', '550', '449', '551'].map(states)).toEqual([
    ...['consistent', 'consistent', 'contradicted', 'contradicted'],
  ]);
});

test('every check is tested at its boundary, and has an id and a title of its own', () => {
  const ids = CHECKS.map(({ id }) => id);
  expect([...new Set(BOUNDARIES.map(([check]) => check))].toSorted()).toEqual(ids.toSorted());
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(CHECKS.map(({ title }) => title)).size).toBe(ids.length);
});

test('of a range the worse end counts', () => {
  const plan = '{ load: { operationsPerSecond: [100, X] }, database: { rowWritesPerSecond: [500, 900] } }';
  expect(findingsOf(plan, '500')).toMatchObject([{ state: 'consistent' }]);
  expect(findingsOf(plan, '501')).toMatchObject([{ state: 'contradicted' }]);
});

test('what is stated agrees to half of its last digit, and about a number to a tenth of it', () => {
  const ratio = '{ ratios: [{ name: a, of: 1, to: 3, is: X }] }';
  const states = (x: string) => findingsOf(ratio, x).map(({ state }) => state);
  expect(['33%', '33.3%', '34%', '33.5%'].flatMap(states)).toEqual([
    ...['consistent', 'consistent', 'contradicted', 'contradicted'],
  ]);
  // FLX-118 says "about 105,000".
  const about = '{ perPlayer: [{ name: a, players: 4, each: X, total: FLX-118 }] }';
  expect(
    ['28000 ops/s', '23000 ops/s'].flatMap((x) => findingsOf(about, x).map(({ state }) => state)),
  ).toEqual([...['consistent', 'contradicted']]);
});

test('a check without its figures says nothing, and figures that none can use are named', () => {
  const { findings, unused } = auditOf(
    withPlan(
      '{ load: { players: 5 }, database: { disk: 1TB, workMem: 1MB }, limits: [{ name: a, needed: 1, limit: 2 }] }',
    ),
  );
  expect(findings.map(nameOf)).toEqual(['limit: a']);
  expect(unused).toEqual(['plan.load.players', 'plan.database.workMem', 'plan.database.disk']);
  expect(
    auditOf(
      withPlan(
        '{ database: { disk: 1TB, logKept: 3 days }, alarms: [{ name: a, above: 5 }], processes: [{ name: b, count: 3 }] }',
      ),
    ).lacking,
  ).toEqual([
    'plan.database.logKept',
    'plan.database.disk (statement-log needs database.rowWritesPerSecond and database.logBytesPerWrite)',
    'plan.alarms.0.above (alarm-always needs alarms[].usual)',
    'plan.processes.0.count (process-cores needs processes[].cores)',
  ]);
  // A whole of which no percentage is.
  expect(auditOf(withPlan('{ alarms: [{ name: a, above: 10, of: 2GB, usual: 5 }] }')).unused).toEqual([
    'plan.alarms.0.of',
  ]);
});

test('what the plan does not state of load and database is that of the scenario itself', () => {
  const text = (plan: string) =>
    `name: mine\nsystem: flux\nload: { players: 100, operations: { intent: { perSecond: 200 } } }\npostgres: { settings: { max_connections: 50, work_mem: 64MB, max_wal_size: 1GB, checkpoint_timeout: 60s } }\nplan: ${plan}\n`;
  const { findings, unused } = auditOf(
    text(
      '{ database: { rowWritesPerSecond: 150, memory: 3200MB, walBytesPerWrite: 1MB }, proxy: { connections: 99 } }',
    ),
  );
  expect(findings.map((one) => [nameOf(one), one.state, one.arithmetic])).toEqual([
    ['update-rate', 'contradicted', expect.stringMatching(/^200 ops\/s .* of 150 row writes\/s/)],
    ['work-mem', 'consistent', '50 connections x 64 MB = 3,200 MB, of 3,200 MB'],
    [
      'checkpoints',
      'contradicted',
      '1 GB / (150 row writes/s x 1 MB) = 6.83 s, of 60 s from checkpoint to checkpoint',
    ],
    ['proxy-connections', 'contradicted', '100 players over a proxy of 99 connections'],
  ]);
  expect(unused).toEqual([]);
  // The plan's own come first.
  expect(
    auditOf(text('{ load: { operationsPerSecond: 150 }, database: { rowWritesPerSecond: 150 } }')).findings,
  ).toMatchObject([{ check: 'update-rate', state: 'consistent' }]);
  // They are figures for others, and say nothing alone.
  expect(auditOf(text('{ limits: [{ name: a, needed: 1, limit: 2 }] }'))).toMatchObject({
    ...{ findings: [{ check: 'limit' }], unused: [] },
  });
});

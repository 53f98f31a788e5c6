import { expect, test } from 'vitest';
import { FAMILIES, familyOf, metricOf } from '../../src/compare/metric.ts';
import { readTrial, WHOLE_SCENARIO } from '../../src/compare/trial.ts';
import { GATE_METRICS } from '../../src/scenario/gate.ts';
import { reported, trial } from './trials.ts';

test('the figures of a run, for each operation and player', () => {
  const { metrics, outcome, exitCode, scenario } = trial();
  expect({ outcome, exitCode, scenario }).toEqual({ outcome: 'pass', exitCode: 0, scenario: 'my-world' });
  // Two servers at 10% of two cores: 0.2 cores for 500 operations a second.
  expect(metrics['cpuPerOperation.servers']).toBeCloseTo(400, 9);
  expect(metrics['cpuPerOperation.database']).toBeCloseTo(100, 9);
  expect(metrics).toMatchObject({
    answeredPercent: 99.5,
    rowWritesPerOperation: 2,
    bytesPerOperation: 500,
    'memoryPerPlayer.servers': 2e5,
    'memoryPerPlayer.database': 1e5,
    operationsPerSecond: 500,
  });
  expect(metrics['latencyP95.intent']).toBe(reported().latency.intent?.due.p95);
});

test('what a system does not have is not there, and each metric is one that is known', () => {
  const names = Object.keys(trial().metrics);
  expect(names.filter((name) => name.includes('redis'))).toEqual([]);
  for (const name of names) expect(metricOf(name).name).toBe(name);
  expect([...new Set(names.map(familyOf))].toSorted()).toEqual(Object.keys(FAMILIES).toSorted());
  expect([...GATE_METRICS]).toEqual(Object.keys(FAMILIES));
  expect(() => metricOf('toString')).toThrow('there is no metric');
});

test('a server of the user’s own is a process of a target', () => {
  const figures = { mean: 25, min: 0, max: 50 };
  const process = { server: { ...{ cpuPercentOfCore: figures, memoryBytes: figures } } };
  const nothing = { mean: null, min: null, max: null };
  const { metrics } = trial({
    target: { ...reported().target, process },
    world: { ...reported().world, cpuPercentTotal: nothing, memoryTotalBytes: nothing },
  });
  expect(metrics['cpuPerOperation.server']).toBeCloseTo(500, 9);
  expect(metrics['memoryPerPlayer.server']).toBe(0.025);
  expect(metrics).not.toHaveProperty('cpuPerOperation.servers');
});

test('without an operation, or a percentile among unanswered ones, there is no figure', () => {
  const { throughput, latency } = reported();
  const intent = latency.intent;
  if (intent === undefined) throw new Error('expected intents');
  const { metrics } = trial({
    throughput: { ...throughput, operationsPerSecond: 0 },
    latency: { intent: { ...intent, due: { ...intent.due, p99: null } } },
  });
  expect(Object.keys(metrics).filter((name) => name.endsWith('PerOperation.servers'))).toEqual([]);
  expect(metrics).not.toHaveProperty('bytesPerOperation');
  expect(metrics).not.toHaveProperty('latencyP99.intent');
  expect(metrics).toHaveProperty(['latencyP95.intent']);
});

test('what two trials must have in common', () => {
  const { identity } = trial();
  expect(Object.keys(identity)).toEqual(
    expect.arrayContaining([
      ...['CPU', 'cores', 'platform', 'Node major', 'tier', 'system', 'stack', 'engine', 'load from'],
      ...['scale', 'players', 'setting synchronous_commit', 'scenario: load'],
    ]),
  );
  // The minor release may differ, and so may what belongs to the version that is compared.
  const { stack } = reported();
  const applied = { ...stack.applied, postgresRelease: '16.99', startCommand: 'node other.mjs' };
  expect(trial({ stack: { ...stack, applied } }).identity).toEqual(identity);
  expect(trial({ scenario: 'other', seed: 7, commit: 'abc' }).identity).toEqual(identity);
});

test.each<[what: readonly string[], change: object]>([
  [['CPU'], { host: { ...reported().host, cpuModel: 'another' } }],
  [['cores'], { host: { ...reported().host, cpus: 64 } }],
  [['Node major'], { host: { ...reported().host, nodeMajor: 99 } }],
  [['engine'], { generator: { ...reported().generator, engine: 'k6' } }],
  [['scale'], { load: { ...reported().load, scale: 0.5 } }],
  [['tier'], { tier: { id: 'small', cpus: 2, kind: 'shared', baselinePercent: null, memoryBytes: 2 ** 31 } }],
  [['limits of postgres'], { limits: { postgres: { cpus: 1, memoryBytes: 2 ** 29 } } }],
  [
    ['PostgreSQL version', 'setting shared_buffers'],
    {
      stack: {
        ...reported().stack,
        applied: { ...reported().stack.applied, shared_buffers: '1GB', postgresVersion: '17' },
      },
    },
  ],
  [['scenario: load'], { conditions: { ...reported().conditions, load: 'abc' } }],
])('another one by name: %j', (what, change) => {
  const [before, after] = [trial().identity, trial(change).identity];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  expect(names.filter((name) => before[name] !== after[name]).toSorted()).toEqual(what.toSorted());
});

test('a report of an earlier version has one hash of its scenario', () => {
  const { identity } = trial({ conditions: undefined, scenarioHash: 'abcdef0123456789' });
  expect(identity[WHOLE_SCENARIO]).toBe('abcdef012345');
  expect(identity).not.toHaveProperty('scenario: load');
});

test.each([
  ['no JSON', '{', 'is broken'],
  ['a list', '[]', 'is not of a run that this capbench can compare'],
  ['another version', '{"schemaVersion":2}', 'schemaVersion'],
  ['a search', '{"kind":"search","schemaVersion":1}', 'of a search'],
  ['a sizing', '{"kind":"sizing"}', 'a sizing'],
  ['of a later version', '{"kind":"other"}', 'a document of kind other'],
  ['without a host', JSON.stringify({ ...reported(), host: undefined }), 'host'],
])('what is %s is refused', (_, content, message) => {
  let thrown: unknown;
  try {
    readTrial(content, 'x/report.json');
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ exitCode: 104, message: expect.stringContaining(message) });
  expect(thrown).toMatchObject({ message: expect.stringContaining('x/report.json') });
});

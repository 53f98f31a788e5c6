import { expect, test } from 'vitest';
import type { Measurements } from '../../src/measurement/measurements.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { budget, partOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { counter, gauge, lateBy, recorded, slowed, verdictOf, withSeries } from './measured.ts';

interface Case {
  readonly what: string;
  readonly m: Partial<Measurements>;
  readonly s?: Partial<Scenario>;
  readonly resource: string;
  readonly evidence: RegExp;
  readonly exitCode: number;
}

const responsive = { budgets: [budget({ id: 'p95', metric: 'latency.intent.due', stat: 'p95', limit: 50 })] };
const idle = {
  'host.cpuBusySeconds': counter(0.3),
  'world.1.cpuSeconds': counter(0.05),
  'world.2.cpuSeconds': counter(0.05),
  'postgres.cpuSeconds': counter(0.05),
  'generator.0.cpuSeconds': counter(0.05),
  'generator.1.cpuSeconds': counter(0.05),
};
/** Both cores in use, and who waited for them. */
const full = (world: number, postgres: number, generatorWaited: number) => ({
  'host.cpuBusySeconds': counter(1.98),
  'world.1.cpuSeconds': counter(world / 2),
  'world.2.cpuSeconds': counter(world / 2),
  'world.1.waitedSeconds': counter(0.3),
  'world.2.waitedSeconds': counter(0.3),
  'postgres.cpuSeconds': counter(postgres),
  'postgres.waitedSeconds': counter(0.2),
  'generator.0.waitedSeconds': counter(generatorWaited),
});
const flushes = (ms: number) => {
  if (recorded.worlds === null) throw new Error('no worlds');
  const bounds = [ms, 2 * ms];
  return { worlds: { ...recorded.worlds, flushMs: { bounds, counts: [0, 4000, 0] } } };
};

/** With what the probe of limits read. */
const limited = (series: Parameters<typeof withSeries>[0]): Partial<Measurements> => ({
  ...withSeries(series),
  probes: [
    ...recorded.probes,
    { name: 'limits', samples: 28, gaps: 0, lastError: null, measured: { samples: 21, gaps: 0 } },
  ],
});

const CASES: readonly Case[] = [
  {
    what: 'a healthy run',
    m: {},
    resource: 'none',
    evidence: /no monitored resource was saturated/,
    exitCode: 0,
  },
  {
    what: 'a world that is slow on purpose and uses no CPU',
    m: { ...slowed('intent', 10), ...withSeries(idle) },
    s: responsive,
    resource: 'server',
    evidence:
      /^p95 of answers was 156 ms after sending, p50 9\d.* a flush took 1\.\d+ ms, the schedule lag of the generator was p99 0\.\d+ ms, host CPU 15%/,
    exitCode: 99,
  },
  {
    what: 'a world that does not take the rate',
    m: { ...slowed('intent', 10, 2000), ...withSeries(idle) },
    resource: 'server',
    evidence: /^p95 of answers was 128 ms after sending/,
    exitCode: 99,
  },
  {
    what: 'a server that uses up the half CPU that its limits let it have',
    m: limited({
      'limits.world-1.cpuSeconds': counter(0.49),
      'limits.world-1.periods': counter(10),
      'limits.world-1.throttledPeriods': counter(8),
    }),
    s: { world: { ...scenarioOf().world, limits: { cpus: 0.5 } } },
    resource: 'server',
    evidence:
      /^world-1: at its limit of 0\.5 CPUs, of which it used 98%, and was stopped in 80% of the periods$/,
    exitCode: 0,
  },
  {
    what: 'a server at its limit beside a busy neighbour, who did not take what it may have',
    m: {
      ...limited({ 'limits.world-1.cpuSeconds': counter(0.49), 'host.foreignCpuSeconds': counter(1.2) }),
      foreign: [{ name: 'spin', pid: 4711, cpuSeconds: 24 }],
    },
    s: { world: { ...scenarioOf().world, limits: { cpus: 0.5 } } },
    resource: 'server',
    evidence: /^world-1: at its limit of 0\.5 CPUs/,
    exitCode: 90,
  },
  {
    what: 'a PostgreSQL that uses up its one CPU',
    m: limited({ 'limits.postgres.cpuSeconds': counter(0.96) }),
    s: { postgres: { ...scenarioOf().postgres, limits: { cpus: 1 } } },
    resource: 'database',
    evidence: /^postgres: at its limit of 1 CPU, of which it used 96%$/,
    exitCode: 0,
  },
  {
    what: 'a stack that uses up the CPUs that it has in all',
    m: limited({
      'limits.stack.cpuSeconds': counter(0.97),
      'world.1.cpuSeconds': counter(0.3),
      'world.2.cpuSeconds': counter(0.2),
    }),
    s: { limits: { stack: { cpus: 1 } } },
    resource: 'server',
    evidence: /^the whole stack: at its limit of 1 CPU, of which it used 97%; .*world servers 25%/,
    exitCode: 0,
  },
  {
    what: 'a server beyond limits that nothing held',
    m: limited({ 'limits.world-1.cpuSeconds': counter(0.49) }),
    s: { world: { ...scenarioOf().world, limits: { cpus: 0.2 } } },
    resource: 'none',
    evidence: /no monitored resource was saturated/,
    exitCode: 0,
  },
  {
    what: 'a server with limits and room in them',
    m: limited({ 'limits.world-1.cpuSeconds': counter(0.4) }),
    s: { world: { ...scenarioOf().world, limits: { cpus: 0.5 } } },
    resource: 'none',
    evidence: /no monitored resource was saturated/,
    exitCode: 0,
  },
  {
    what: 'a world server that uses up its one core',
    m: withSeries({ 'world.2.cpuSeconds': counter(0.97) }),
    resource: 'server',
    evidence: /97% of one core/,
    exitCode: 0,
  },
  {
    what: 'a generator that was throttled, on an idle host',
    m: { ...lateBy(80), ...withSeries({ ...idle, 'generator.0.stalledMs': gauge(700) }) },
    resource: 'generator',
    evidence: /schedule lag p99 80 ms.*all 2 cores 15% busy/,
    exitCode: 90,
  },
  {
    what: 'a throttled generator before a slow world: nobody can tell',
    m: {
      operations: {
        ...slowed('intent', 10, 2000).operations,
        monsterCommand: lateBy(80).operations.monsterCommand,
      },
      ...withSeries({ ...idle, 'generator.0.loopDelayMs': gauge(900) }),
    },
    s: responsive,
    resource: 'generator',
    evidence: /blocked for up to 900 ms/,
    exitCode: 90,
  },
  {
    what: 'a generator that was late because it got no CPU on a full host',
    m: { ...lateBy(80), ...withSeries(full(0.9, 0.4, 0.4)) },
    resource: 'host',
    evidence: /waited for a CPU 40% of the time; all 2 cores 99% busy/,
    exitCode: 90,
  },
  {
    what: 'a full host with a generator that is on time, and most of it the world',
    m: withSeries(full(0.9, 0.4, 0.02)),
    resource: 'server',
    evidence: /^host full: .*PostgreSQL 20%, world servers 45%.*world server waited 30%.*on time/,
    exitCode: 0,
  },
  {
    what: 'a full host with a generator that is on time, and most of it PostgreSQL',
    m: withSeries(full(0.4, 0.9, 0.02)),
    resource: 'database',
    evidence: /^host full: .*PostgreSQL 45%, world servers 20%/,
    exitCode: 0,
  },
  {
    what: 'writers that never rest',
    m: flushes(10),
    resource: 'database',
    evidence: /^the writers spent 100% of the time in a flush, which took 15 ms$/,
    exitCode: 0,
  },
  {
    what: 'answers that are mostly a flush, on an idle host',
    m: {
      ...slowed('intent', 10),
      ...flushes(60),
      ...withSeries({ ...idle, 'world.1.batches': counter(5), 'world.2.batches': counter(5) }),
    },
    s: responsive,
    resource: 'database',
    evidence: /a flush took 90 ms/,
    exitCode: 99,
  },
  {
    what: 'a busy neighbour',
    m: {
      ...lateBy(80),
      ...withSeries({ ...full(0.3, 0.2, 0.4), 'host.foreignCpuSeconds': counter(1.2) }),
      foreign: [{ name: 'spin', pid: 4711, cpuSeconds: 24 }],
    },
    resource: 'host',
    evidence:
      /^all 2 cores 99% busy, .*; foreign-cpu 60\.0% of the host, of them spin \(pid 4711\) 24\.0 s \(at most 5%\)/,
    exitCode: 90,
  },
  {
    what: 'a hypervisor that took the CPU',
    m: withSeries({ 'host.cpuStealSeconds': counter(0.5) }),
    resource: 'host',
    evidence: /^all 2 cores .*; steal-mean 25% \(at most 2%\)/,
    exitCode: 90,
  },
];

test.each(CASES)('$what: $resource, $exitCode', ({ m, s = {}, resource, evidence, exitCode }) => {
  const verdict = verdictOf(m, s);
  expect(verdict.bottleneck.evidence).toMatch(evidence);
  expect(verdict.bottleneck.resource).toBe(resource);
  expect(verdict.exitCode, verdict.invalidBecause.join()).toBe(exitCode);
});

test('a load that is not taken is said in so many words', () => {
  const verdict = verdictOf(slowed('intent', 10, 2000));
  expect(verdict.breachedBecause.join()).toContain('load not sustained (load-sustained.intent): 90');
  expect(verdict.invalidBecause).toEqual([]);
});

test('every resource has an account, with what its utilisation is a share of', () => {
  const { resources } = verdictOf(withSeries(full(0.9, 0.4, 0.02))).bottleneck;
  expect(resources.map(({ resource, state }) => [resource, state])).toEqual([
    ['server', 'not saturated'],
    ['generator', 'not saturated'],
    ['database', 'not saturated'],
    ['host', 'saturated'],
  ]);
  expect(resources.find(({ resource }) => resource === 'server')).toMatchObject({
    of: 'one core, by the busiest world server',
    waitedPercent: expect.closeTo(30, 6),
    cpuPercentOfHost: expect.closeTo(45, 6),
  });
  const nothing = verdictOf({ series: {}, worlds: null }).bottleneck.resources;
  expect(nothing.map(({ state }) => state)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
});

test('a limit that is used up is what its resource is measured by', () => {
  const { world, postgres } = scenarioOf();
  const { resources } = verdictOf(
    limited({
      'limits.world-1.cpuSeconds': counter(0.49),
      'limits.world-2.cpuSeconds': counter(0.2),
      'limits.postgres.cpuSeconds': counter(0.3),
    }),
    { world: { ...world, limits: { cpus: 0.5 } }, postgres: { ...postgres, limits: { cpus: 1 } } },
  ).bottleneck;
  expect(resources.find(({ resource }) => resource === 'server')).toMatchObject({
    utilisationPercent: expect.closeTo(98, 6),
    ...{ of: 'the 0.5 CPUs that world-1 may use', state: 'saturated' },
  });
  expect(resources.find(({ resource }) => resource === 'database')?.state).toBe('not saturated');
});

test.each([
  [100, '5% of what was sent, or more, was not answered, p50'],
  [700, 'half of what was sent, or more, was not answered'],
])('a percentile among the unanswered ones is never a time: %i of 1,000', (failed, evidence) => {
  const { intent } = recorded.operations;
  const { scheduled } = intent.measured;
  const lost = Math.round((scheduled * failed) / 1000);
  const measured = { ...intent.measured, ok: scheduled - lost, rejected: 0, timedOut: lost };
  const answered = (of: typeof intent.due) => partOf(of, scheduled - lost);
  const { evidence: told } = verdictOf({
    ...withSeries(idle),
    operations: {
      ...recorded.operations,
      intent: { ...intent, measured, due: answered(intent.due), service: answered(intent.service) },
    },
  }).bottleneck;
  expect(told).toContain(evidence);
  expect(told).not.toContain(' 0 ms');
});

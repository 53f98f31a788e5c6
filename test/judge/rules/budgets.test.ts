import { describe, expect, test } from 'vitest';
import type { Cause } from '../../../src/judge/unmeasured.ts';
import { k6Measurements } from '../../../src/measurement/k6-measurements.ts';
import { readK6Summary } from '../../../src/measurement/k6-summary.ts';
import type { Measurements } from '../../../src/measurement/measurements.ts';
import { ofOperation } from '../../../src/scenario/operations.ts';
import type { Scenario } from '../../../src/scenario/scenario.ts';
import { k6Scenario, k6SummaryOf, PER_REQUEST } from '../../fixtures/k6-summary-of.ts';
import { BUDGETS, budget, failedRun, probe, scenarioOf } from '../../fixtures/recorded-run.ts';
import { judged as judgedRun, recorded, ruleOf, slowed, without } from '../measured.ts';

type Over = Omit<Parameters<typeof budget>[0], 'id'>;
const own = (over: Over) => budget({ id: 'gate', op: '>=', limit: 0, ...over });
const verdictOf = (m: Partial<Measurements>, s: Partial<Scenario>) =>
  judgedRun({ ...recorded, ...m }, scenarioOf(s));
const judged = (over: Over, m: Partial<Measurements> = {}, s: Partial<Scenario> = {}) =>
  verdictOf(m, { budgets: [...BUDGETS, own(over)], ...s });

/** A target without PostgreSQL, of which its world servers' metrics were read. */
const target: Partial<Measurements> = {
  ...without('postgres.'),
  ...{ stackKind: 'target', integrity: null, ceilings: null, settings: [], probesAsked: [] },
  probes: recorded.probes.filter(({ name }) => name !== 'postgres'),
  absences: [
    { of: 'ceilings', because: 'a database of somebody else is only read' },
    { of: 'database', because: 'no PostgreSQL URL was given: --probe-postgres' },
    { of: 'integrity', because: 'no PostgreSQL URL was given: --probe-postgres' },
    { of: 'redis', because: 'no Redis URL was given: --probe-redis' },
    { of: 'target.metrics', because: 'no Prometheus URL was given: --probe-metrics' },
  ],
};
/** One that is no flux world, and of whose page a budget names what is not there. */
const foreign: Partial<Measurements> = {
  ...target,
  ...{ probesAsked: ['metrics-1'], histograms: {} },
  probes: [probe('host'), probe('metrics-1')],
  absences: [{ of: 'target.metrics.tick_seconds.percentiles', because: 'tick_seconds: no page has it' }],
};
const { load } = scenarioOf();
/** The load with other rates. */
const withRates = (rates: Readonly<Record<string, number>>): Scenario['load'] => ({
  ...load,
  operations: {
    ...load.operations,
    ...Object.fromEntries(Object.entries(rates).map(([id, perSecond]) => [id, { perSecond }])),
  },
});
const { intent, monsterCommand } = recorded.operations;
const nothing = { counts: [], min: 0, max: 0, sum: 0 };
const none = {
  ...{ scheduled: 0, ok: 0, rejected: 0, failed: 0, failedUnsent: 0 },
  ...{ timedOut: 0, skipped: 0, unfinished: 0, idle: 0 },
};
/** The recorded run without monsters. */
const noMonsters: Partial<Measurements> = {
  ...without('load.monsterCommand'),
  operations: {
    intent,
    monsterCommand: {
      ...{
        whole: none,
        measured: none,
        due: nothing,
        service: nothing,
        lag: nothing,
        ownLag: nothing,
        rejected: null,
        net: null,
      },
      windows: [],
    },
  },
};
const k6: Partial<Measurements> = {
  ...without('generator.'),
  engine: 'k6',
};
/** Some were rejected, and k6 has one time for all. */
const untimed: Partial<Measurements> = {
  ...k6,
  operations: { intent: { ...intent, rejected: null, net: null }, monsterCommand },
};
const darwin: Partial<Measurements> = {
  series: Object.fromEntries(
    Object.entries(recorded.series).filter(
      ([name]) =>
        !/^host\.(cpuSteal|foreign|run|throttled|memoryFull|cpuSome|network)|waited|^postgres\.(cpu|memory)/.test(
          name,
        ),
    ),
  ),
  host: { ...recorded.host, platform: 'darwin' },
};

describe('a gate of the user’s own without a figure, that this run could have measured', () => {
  test.each<[what: string, over: Over, m: Partial<Measurements>, told: string]>([
    [
      'a probe that was not given',
      { metric: 'redis.connections', stat: 'max', metricUnit: 'connections' },
      target,
      '--probe-redis',
    ],
    [
      'a page that was not given',
      { metric: 'target.metrics.up', stat: 'last', metricUnit: 'x' },
      target,
      '--probe-metrics',
    ],
    [
      'rows that nobody read',
      { metric: 'integrity.lost', op: '=', metricUnit: 'ops' },
      target,
      '--probe-postgres',
    ],
    [
      'the ceilings of a target',
      { metric: 'ceilings.insertsPerSecond', metricUnit: 'rows/s' },
      target,
      'only read',
    ],
    [
      'the settings of a target',
      { metric: 'stack.applied.fsync', op: 'is', limit: 'on' },
      target,
      'settings of a target',
    ],
    [
      'the processes of a target',
      { metric: 'world.waitedPercent', metricUnit: '%' },
      { ...target, series: {} },
      'processes of a target',
    ],
    [
      'a page without the sample',
      { metric: 'target.metrics.tick_seconds', stat: 'p95', metricUnit: 's' },
      foreign,
      'no page has it',
    ],
    [
      'a world that is none',
      { metric: 'throughput.rowWritesPerSecond', metricUnit: 'rows/s' },
      foreign,
      'no metrics of a world server',
    ],
    [
      'what only a target has',
      { metric: 'redis.evictedKeys', metricUnit: 'keys' },
      {},
      '--target, with --probe-redis',
    ],
    [
      'a setting that is mistyped',
      { metric: 'stack.applied.sychronous_commit', op: 'is', limit: 'on' },
      {},
      'did you mean synchronous_commit?',
    ],
    [
      'a setting that is no number',
      { metric: 'stack.applied.synchronous_commit', metricUnit: 'GB' },
      {},
      'synchronous_commit is on',
    ],
    [
      'ceilings that are left out',
      { metric: 'ceilings.updatesPerSecondSingle', metricUnit: 'rows/s' },
      { ceilings: null },
      'ceilings.secondsEach',
    ],
    [
      'a calibration that is left out',
      { metric: 'generator.calibration.dueP99Ms', metricUnit: 'ms' },
      { calibration: null },
      'calibration.seconds',
    ],
    [
      'pg_stat_statements not loaded',
      { metric: 'database.statementMeanMs', metricUnit: 'ms' },
      without('postgres.statement'),
      'shared_preload_libraries',
    ],
    [
      'a stage that was never reached',
      { metric: 'latency.intent.due', stage: 'late', stat: 'p95' },
      {},
      'late was never reached',
    ],
  ])('%s: no conclusion, named first', (_what, over, m, told) => {
    const verdict = judged(over, m);
    const { cause, state } = verdict.rulings.at(-1)!;
    expect({ state, cause }).toEqual({ state: 'unmeasured', cause: 'run' });
    expect(ruleOf(verdict, 'budgets-measured').state).toBe('broken');
    expect(verdict).toMatchObject({ outcome: 'invalid', exitCode: 90 });
    const [first] = verdict.invalidBecause;
    expect(first).toMatch(/^budgets-measured: no figure for gate \(.+optional: true/);
    expect(first).toContain(told);

    // Said to be optional it is counted, and no more.
    const optional = judged({ ...over, optional: true }, m);
    expect(optional.rulings.at(-1)).toMatchObject({ state: 'unmeasured', cause: 'run' });
    expect(optional.invalidBecause.join()).not.toContain('gate');
    // So is a claim.
    expect(judged({ ...over, claim: 'FLX-999' }, m).invalidBecause.join()).not.toContain('gate');
  });

  test('a kind of load that there is none of', () => {
    const s = { load: withRates({ monsterCommand: 0 }) };
    const over: Over = { metric: 'latency.monsterCommand.due', stat: 'p95' };
    const verdict = judged(over, noMonsters, s);
    expect(verdict.invalidBecause[0]).toContain(
      'gate (nothing of it came due: load.operations.monsterCommand.perSecond is 0',
    );
    const optional = judged({ ...over, optional: true }, noMonsters, s);
    expect(optional.invalidBecause.join()).not.toContain('budgets-measured');
  });

  test.each<[string, Over, Partial<Measurements>]>([
    [
      'nobody came back',
      { metric: 'network.reconnectMs', stat: 'p95' },
      { reconnect: nothing, reconnects: 0 },
    ],
    ['nothing was rejected', { metric: 'latency.monsterCommand.rejected', stat: 'p95' }, {}],
  ])('how long it took is no gate where it did not happen: %s', (_what, over, m) => {
    const verdict = judged(over, m);
    expect(verdict.rulings.at(-1)).toMatchObject({ state: 'unmeasured', cause: 'event' });
    expect(verdict.exitCode).toBe(0);
  });

  test('it is graver than a breach, and less than what was lost', () => {
    const over: Over = { metric: 'redis.evictedKeys', metricUnit: 'keys' };
    const breached = {
      budgets: [own(over), budget({ id: 'slow', metric: 'latency.intent.due', stat: 'p95', limit: 1 })],
    };
    expect(verdictOf({}, breached).exitCode).toBe(90);
    expect(verdictOf(slowed('intent', 1, 2000), breached).exitCode).toBe(90);
    const integrity = { ...recorded.integrity!, lost: 1 };
    expect(verdictOf({ integrity }, breached).exitCode).toBe(92);
  });

  test('of many a few are named, and the rest counted', () => {
    const budgets = Array.from({ length: 8 }, (_, i) =>
      budget({ id: `gate-${i}`, metric: 'redis.evictedKeys', metricUnit: 'keys' }),
    );
    const { observed } = ruleOf(verdictOf({}, { budgets: [...BUDGETS, ...budgets] }), 'budgets-measured');
    expect(observed).toContain('gate-4 (only a target has one');
    expect(observed).toMatch(/, 3 more$/);
  });

  test('a run that has not come to its end says so, and not what it could not measure', () => {
    const over: Over = { metric: 'integrity.lost', op: '=', metricUnit: 'ops' };
    const interrupted = { state: 'interrupted', phase: 'measure' } as const;
    for (const m of [failedRun(), { ending: interrupted, integrity: null }, { measured: null }]) {
      const rule = ruleOf(judged(over, m), 'budgets-measured');
      expect(rule).toMatchObject({ state: 'not-applicable', observed: 'never measured' });
    }
  });
});

describe('what cannot be told by construction stays unmeasured, and is counted', () => {
  test.each<[what: string, cause: Cause, over: Over, m: Partial<Measurements>]>([
    ['k6 has no event loop', 'engine', { metric: 'generator.maxLoopDelayMs' }, k6],
    ['nor utilisation', 'engine', { metric: 'generator.maxUtilisationPercent', metricUnit: '%' }, k6],
    ['nor stalls', 'engine', { metric: 'generator.stalledPercent', metricUnit: '%' }, k6],
    ['nor waits', 'engine', { metric: 'generator.waitedPercent', metricUnit: '%' }, k6],
    ['k6 times nothing apart', 'engine', { metric: 'latency.intent.rejected', stat: 'p95' }, untimed],
    ['nor what was accepted', 'engine', { metric: 'latency.intent.ok', stat: 'p95' }, untimed],
    [
      'k6 connects once',
      'engine',
      { metric: 'network.reconnectMs', stat: 'p95' },
      { ...k6, reconnect: nothing },
    ],
    ['its CPU, without /proc', 'platform', { metric: 'generator.cpuCores', metricUnit: 'cores' }, k6],
    ['steal', 'platform', { metric: 'host.stealPercent', metricUnit: '%' }, darwin],
    ['the worst second of it', 'platform', { metric: 'host.stealMaxPercent', metricUnit: '%' }, darwin],
    ['CPU of others', 'platform', { metric: 'host.foreignCpuPercent', metricUnit: '%' }, darwin],
    ['throttling', 'platform', { metric: 'host.throttledPeriods', metricUnit: 'periods' }, darwin],
    ['pressure', 'platform', { metric: 'host.cpuPressurePercent', metricUnit: '%' }, darwin],
    ['network', 'platform', { metric: 'host.networkBytesPerSecond', metricUnit: 'bytes/s' }, darwin],
    ['waits of the servers', 'platform', { metric: 'world.waitedPercent', metricUnit: '%' }, darwin],
    ['waits of the workers', 'platform', { metric: 'generator.waitedPercent', metricUnit: '%' }, darwin],
    [
      'CPU of PostgreSQL',
      'platform',
      { metric: 'database.cpuPercentOfHost', stat: 'max', metricUnit: '%' },
      darwin,
    ],
  ])('%s: %s', (_what, cause, over, m) => {
    const verdict = judged(over, m);
    expect(verdict.rulings.at(-1)).toMatchObject({ state: 'unmeasured', cause });
    expect(ruleOf(verdict, 'budgets-measured')).toMatchObject({ state: 'held', observed: 1 });
    expect(verdict).toMatchObject({ outcome: 'pass', exitCode: 0 });
  });

  test('of what nobody timed apart it is not known either that some were never answered', () => {
    const measured = { ...intent.measured, ok: intent.measured.ok - 2000, timedOut: 2000 };
    const late = { ...intent, measured, rejected: null, net: null };
    const m = { ...k6, operations: { intent: late, monsterCommand } };
    const ok = judged({ metric: 'latency.intent.ok', stat: 'p95' }, m).rulings.at(-1);
    expect(ok).toMatchObject({ state: 'unmeasured', cause: 'engine' });
  });

  test('on a platform that tells all of it, there are figures', () => {
    expect(judged({ metric: 'host.stealPercent', metricUnit: '%' }).rulings.at(-1)?.state).toBe('met');
    // Of a host that nobody watched nothing is known, not even that.
    const probes = recorded.probes.filter(({ name }) => name !== 'host');
    const unwatched = judged(
      { metric: 'host.throttledPeriods', metricUnit: 'periods' },
      { ...darwin, probes },
    );
    expect(unwatched.rulings.at(-1)?.cause).toBe('run');
  });

  test('with autocannon nobody says anything: no budget on it can be kept or broken', () => {
    const silent: Partial<Measurements> = {
      ...{ engine: 'autocannon' },
      operations: { intent: ofOperation(noMonsters.operations!, 'monsterCommand'), monsterCommand },
    };
    const s = { load: withRates({ intent: 0 }) };
    const verdict = judged({ metric: 'latency.intent.due', stat: 'p95' }, silent, s);
    expect(verdict.rulings.at(-1)).toMatchObject({ state: 'unmeasured', cause: 'engine' });
  });

  test('what the scenario itself says is not ruled: another load, another setting', () => {
    const over: Over = { metric: 'load.peakCcu', metricUnit: 'players', fullLoad: true };
    const quarter = judged(over, {}, { scale: 0.25, load: { ...load } });
    expect(quarter.rulings.at(-1)).toMatchObject({ state: 'unmeasured', cause: 'scenario' });
    expect(ruleOf(quarter, 'budgets-measured').state).toBe('held');
    const settings = [
      { setting: 'b', documented: '100', applied: '4', reason: 'four are enough', hardware: false },
    ];
    const deviating = judged(
      { metric: 'stack.applied.b', limit: 100, metricUnit: 'connections' },
      { settings },
    );
    expect(deviating.rulings.at(-1)).toMatchObject({ state: 'unmeasured', cause: 'scenario' });
    expect(deviating.exitCode).toBe(0);
  });

  test('summaries of plain k6, for what they do not hold', () => {
    const s = k6Scenario();
    const metrics = [
      'integrity.lost',
      'host.stealPercent',
      'redis.evictedKeys',
      'ceilings.batchSpeedup',
      'stack.applied.fsync',
    ];
    const own = metrics.map((metric, i) => budget({ id: `gate-${i}`, metric, metricUnit: '%' }));
    const scenario = { ...s, budgets: [...s.budgets, ...own] };
    const summary = readK6Summary('one.json', JSON.stringify(k6SummaryOf(scenario)), PER_REQUEST);
    const facts = k6Measurements([summary], scenario, '0');
    const untold = judgedRun(facts, scenario);
    expect(untold.rulings.slice(s.budgets.length).map(({ cause }) => cause)).toEqual(
      metrics.map(() => 'engine'),
    );
    expect(untold.exitCode).toBe(0);
  });
});

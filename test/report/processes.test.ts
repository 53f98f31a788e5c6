import { expect, test } from 'vitest';
import type { Measurements } from '../../src/measurement/measurements.ts';
import { drawingsOf } from '../../src/report/drawing.ts';
import { html } from '../../src/report/html.ts';
import { terminalSummary } from '../../src/report/terminal.ts';
import { budget, measurementsOf, probe, scenarioOf } from '../fixtures/recorded-run.ts';
import { counter, gauge, verdictOf } from '../judge/measured.ts';
import { reportFrom } from './report-of.ts';

const style = { colour: false, width: 110, full: true, page: 'report.html' };

/** A target on this host whose process `api` used `cores`, `busiest` of it in one thread. */
function target(cores: number, busiest: number, over: Partial<Measurements> = {}): Measurements {
  const kept = Object.entries(measurementsOf().series).filter(([name]) => !/^(world|postgres)\./.test(name));
  return measurementsOf({
    stackKind: 'target',
    series: {
      ...Object.fromEntries(kept),
      'process.api.cpuSeconds': counter(cores),
      'process.api.busiestThreadSeconds': counter(busiest),
      'process.api.memoryBytes': gauge((second) => (second < 20 ? 2 ** 27 : 2 ** 28)),
      'process.api.threads': gauge(12),
      'process.api.descriptors': gauge(340),
      'process.api.processes': gauge(3),
      'process.db.cpuSeconds': counter(0.1),
    },
    ...{ worlds: null, integrity: null, ceilings: null, settings: [] },
    probes: [probe('host'), probe('process-api'), probe('process-db')],
    probesAsked: ['process-api', 'process-db'],
    ...over,
  });
}

const cpu = {
  ...{ metric: 'target.process.api.cpuPercentOfCore', stat: 'mean', unit: '%', metricUnit: '%' },
  limit: 50,
};

test('a budget holds a process to its CPU; of one that was not given it says which option gives it', () => {
  const budgets = [
    budget({ id: 'api', ...cpu }),
    budget({ id: 'other', ...cpu, metric: 'target.process.web.cpuPercentOfCore' }),
  ];
  const absences = [{ of: 'target.process.web', because: 'no process web was given' }];
  const { rulings } = reportFrom(target(0.8, 0.7, { absences }), scenarioOf({ budgets }));
  expect(rulings).toMatchObject([
    { id: 'api', state: 'breached', observed: expect.closeTo(80, 6) },
    { id: 'other', state: 'unmeasured', reason: 'no process web was given' },
  ]);
  const silent = target(0.8, 0.7, {
    probes: [probe('host'), { ...probe('process-api'), samples: 0, lastError: 'api (pid 7) has ended' }],
    series: {},
  });
  expect(reportFrom(silent, scenarioOf({ budgets: [budget({ id: 'api', ...cpu })] })).rulings).toMatchObject([
    { state: 'unmeasured', cause: 'probe', reason: expect.stringContaining('api (pid 7) has ended') },
  ]);
});

test('the bottleneck names the process whose thread is full, and not one that is only busy', () => {
  const full = verdictOf(target(1.1, 0.97)).bottleneck;
  expect(full).toMatchObject({
    resource: 'server',
    evidence: '`api` used 110% of a core, its busiest thread 97%',
  });
  expect(full.resources.find(({ resource }) => resource === 'server')).toMatchObject({
    of: 'one core, by the busiest thread of `api`',
    state: 'saturated',
    utilisationPercent: expect.closeTo(97, 6),
    cpuPercentOfHost: expect.closeTo(60, 6),
  });
  expect(verdictOf(target(1.1, 0.4)).bottleneck.resource).toBe('none');
});

test('terminal and page have a line for each process, charts of CPU and memory, and no block without data', () => {
  const m = target(0.8, 0.7);
  const report = reportFrom(m, scenarioOf());
  const text = terminalSummary(report, style);
  expect(text.replace(/\s+/g, ' ')).toContain(
    'process api.............: CPU 80% of a core (peak 80%) busiest thread 70% memory up to 256 MB 12 threads 340 descriptors 3 processes',
  );
  expect(terminalSummary(report, { ...style, full: false })).toContain('process api');
  for (const nothing of ['world servers', 'DATABASE']) expect(text).not.toContain(nothing);
  const drawings = drawingsOf(report, m);
  expect(drawings.map(({ name }) => name)).toEqual(['latency', 'percentiles', 'throughput', 'cpu', 'memory']);
  const curves = (name: string) => drawings.find((one) => one.name === name)?.curves.map((one) => one.name);
  expect(curves('cpu')).toEqual(['api', 'db', 'generator', 'others']);
  expect(curves('memory')).toEqual(['api']);
  const page = html(report, []);
  expect(page).toContain('<dt>Process api</dt>');
  expect(page).not.toContain('World servers');
  expect(page).not.toContain('<td data-name="">database</td>');
});

test('what a foreign database and Redis did is in words, the most called commands first', () => {
  const { series } = target(0.5, 0.4);
  const late = counter(30).points.filter(([at]) => at > 15);
  const m = target(0.5, 0.4, {
    targets: 1,
    series: {
      ...series,
      'postgres.rowsInserted': counter(10),
      'postgres.rowsUpdated': counter(500),
      'postgres.rowsDeleted': counter(2),
      'redis.operations': counter(1000),
      'redis.keys': gauge(42),
      ...Object.fromEntries(
        ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((name, i) => [
          [`redis.command.${name}.calls`, counter(10 * (i + 1))],
          [`redis.command.${name}.micros`, counter(25 * (i + 1))],
        ]),
      ),
      // Called for the first time in the measure phase.
      'redis.command.config|get.calls': { kind: 'counter', points: late },
    },
    probes: [probe('host'), probe('postgres'), probe('redis'), probe('process-api'), probe('process-db')],
  });
  const { database, redis, world, ...report } = reportFrom(m, scenarioOf());
  expect(database).toMatchObject({
    rowsInsertedPerSecond: 10,
    rowsUpdatedPerSecond: 500,
    rowsDeletedPerSecond: 2,
  });
  expect(database.rowWritesPerSecond).toBe(512);
  expect(redis.keys.mean).toBe(42);
  expect(Object.keys(redis.commands)).toEqual(['f', 'e', 'd', 'config|get', 'c']);
  expect(redis.commands.f).toEqual({ callsPerSecond: 60, microsPerCall: 2.5 });
  expect(world.servers).toBe(1);
  const text = terminalSummary({ database, redis, world, ...report }, style).replace(/\s+/g, ' ');
  expect(text).toContain('row writes..............: 512/s 10 inserts 500 updates 2 deletes');
  expect(text).toContain('Redis commands..........: f 60/s at 2.5 µs');
  expect(text).toContain('targets.................: 1 ');
  const names = drawingsOf({ database, redis, world, ...report }, m).find(
    ({ name }) => name === 'throughput',
  );
  expect(names?.curves.map(({ name }) => name)).toContain('row writes');
});

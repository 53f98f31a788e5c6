import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { Measurements } from '../../src/measurement/measurements.ts';
import { seriesMetrics } from '../../src/report/prometheus-metrics.ts';
import { prometheusText } from '../../src/report/prometheus-text.ts';
import { writeRequests } from '../../src/report/remote-write.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { readWriteRequest } from './remote-write-reader.ts';
import { NASTY, nastyBudget, reportFrom } from './report-of.ts';

const scenario = scenarioOf({ budgets: [...scenarioOf().budgets, nastyBudget] });
const m = measurementsOf();
const report = reportFrom(m, scenario);

const one = (key: string, kind: 'counter' | 'gauge', value = 2): Measurements['series'] => ({
  [key]: { kind, points: [[1, value]] },
});

test.each([
  ['world.1.cpuSeconds', 'counter', 'capbench_world_cpu_seconds_total', { world: '1' }, 2],
  ['world.2.loopDelayMs', 'gauge', 'capbench_world_loop_delay_seconds', { world: '2' }, 0.002],
  ['load.connected', 'gauge', 'capbench_load_connected', {}, 2],
  [
    'load.intent.timedOut',
    'counter',
    'capbench_load_operations_total',
    { operation: 'intent', outcome: 'timed_out' },
    2,
  ],
  ['load.intent.scheduled', 'counter', 'capbench_load_scheduled_total', { operation: 'intent' }, 2],
  [
    'load.intent.p999Ms',
    'gauge',
    'capbench_load_latency_seconds',
    { operation: 'intent', quantile: '0.999' },
    0.002,
  ],
  ['postgres.statementMs', 'counter', 'capbench_postgres_statement_seconds_total', {}, 0.002],
  ['host.memoryAvailableBytes', 'gauge', 'capbench_host_memory_available_bytes', {}, 2],
  ['generator.0.utilisation', 'gauge', 'capbench_generator_utilisation', { worker: '0' }, 2],
  ['process.chat.memoryBytes', 'gauge', 'capbench_process_memory_bytes', { process: 'chat' }, 2],
  ['limits.world-1.cpuSeconds', 'counter', 'capbench_limits_cpu_seconds_total', { component: 'world-1' }, 2],
  [
    'redis.command.hset.micros',
    'counter',
    'capbench_redis_command_seconds_total',
    { command: 'hset' },
    0.000002,
  ],
  [
    'metrics.1.jobs{queue="a.b"}',
    'gauge',
    'capbench_target_metric',
    { page: '1', selector: 'jobs{queue="a.b"}' },
    2,
  ],
] as const)('the series %s (%s) is %s', (key, kind, name, labels, value) => {
  const [metric, ...more] = seriesMetrics({ ...m, series: one(key, kind) }, report);
  expect(more).toEqual([]);
  expect(metric).toMatchObject({ name, type: kind, labels: { scenario: 'recorded', ...labels } });
  expect(metric?.points[0]?.[1]).toBeCloseTo(value, 12);
});

test('slices of a second, series without a point, and a second series of the same name are left out', () => {
  const series: Measurements['series'] = {
    ...one('load.intent.slice.p95Ms', 'gauge'),
    'postgres.connections': { kind: 'gauge', points: [] },
    ...one('host.a-b', 'gauge', 1),
    ...one('host.a b', 'gauge', 7),
  };
  const metrics = seriesMetrics({ ...m, series }, report);
  expect(metrics.map(({ name, points }) => [name, points])).toEqual([['capbench_host_a_b', [[1, 1]]]]);
});

/** Lines of a family: they have to stand together, below its HELP and TYPE. */
function familiesOf(text: string): Map<string, { type: string; samples: [string, number][] }> {
  const families = new Map<string, { type: string; samples: [string, number][] }>();
  let current = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const type = /^# TYPE (\S+) (counter|gauge|summary)$/.exec(line);
    if (type !== null) {
      current = type[1] ?? '';
      expect(families.has(current), line).toBe(false);
      families.set(current, { type: type[2] ?? '', samples: [] });
    } else if (!line.startsWith('# HELP ')) {
      const sample = /^([a-z_\d]+)\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*\} (\S+)$/.exec(line);
      expect(sample, line).not.toBeNull();
      expect(sample?.[1]?.startsWith(current), line).toBe(true);
      families.get(current)?.samples.push([line.slice(0, line.lastIndexOf(' ')), Number(sample?.[2])]);
    }
  }
  return families;
}

test('the text has the verdict, the latency of the measure phase and the last value of each series, without times', () => {
  const text = prometheusText(m, report);
  expect(text.endsWith('\n')).toBe(true);
  const families = familiesOf(text);
  const samples = new Map([...families.values()].flatMap(({ samples }) => samples));
  expect([...samples.values()].every(Number.isFinite)).toBe(true);
  expect(samples.get('capbench_run_exit_code{scenario="recorded"}')).toBe(report.exitCode);
  const { due } = report.latency.intent ?? {};
  const latency = 'capbench_run_latency_seconds';
  const labels = 'scenario="recorded",operation="intent"';
  expect(families.get(latency)?.type).toBe('summary');
  expect(samples.get(`${latency}{${labels},quantile="0.95"}`)).toBeCloseTo((due?.p95 ?? 0) / 1e3, 9);
  expect(samples.get(`${latency}_count{${labels}}`)).toBe(due?.count);
  const last = m.series['load.intent.ok']?.points.at(-1)?.[1];
  expect(last).toBeGreaterThan(0);
  expect(
    samples.get('capbench_load_operations_total{scenario="recorded",operation="intent",outcome="ok"}'),
  ).toBe(last);
  // Percentiles of a single second are none of the run.
  expect(text).not.toContain('capbench_load_latency_seconds');
  const states = [...samples].filter(([name]) => name.startsWith('capbench_run_budgets{'));
  expect(states.reduce((sum, [, count]) => sum + count, 0)).toBe(report.rulings.length);
});

const promtool = process.env.CAPBENCH_PROMTOOL ?? 'promtool';
const hasPromtool = spawnSync(promtool, ['--version']).status === 0;

test.skipIf(!hasPromtool)('promtool takes the text, and has no advice for its names', () => {
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
    ...{ input: prometheusText(m, report), encoding: 'utf8' },
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});

test('labels are escaped', () => {
  const named = reportFrom(m, scenarioOf({ name: `a "b" \\ ${NASTY}` }));
  expect(prometheusText(m, named)).toContain('scenario="a \\"b\\" \\\\ <script>alert(\\"1\\")</script>');
  expect(familiesOf(prometheusText(m, named)).size).toBeGreaterThan(20);
});

test('a run that never began has only its verdict', () => {
  const none = measurementsOf({ series: {}, measured: null });
  const names = [...familiesOf(prometheusText(none, reportFrom(none, scenario))).keys()];
  expect(names).toContain('capbench_run_exit_code');
  expect(names.filter((name) => !name.startsWith('capbench_run_'))).toEqual([]);
});

test('remote write has each point of each series at its time, and a stale marker after the last', () => {
  const requests = writeRequests(m, report, { job: 'capbench', instance: 'box "1"' });
  const series = requests.flatMap(readWriteRequest);
  const metrics = seriesMetrics(m, report);
  expect(series.length).toBeGreaterThan(metrics.length);
  for (const { labels } of series) {
    const names = labels.map(([name]) => name);
    expect(names).toEqual(names.toSorted());
    expect(Object.fromEntries(labels)).toMatchObject({
      job: 'capbench',
      instance: 'box "1"',
      scenario: 'recorded',
    });
  }
  const find = (wanted: Readonly<Record<string, string>>) =>
    series.find(({ labels }) =>
      Object.entries(wanted).every(([k, v]) => labels.some(([a, b]) => a === k && b === v)),
    );
  const ok = find({ __name__: 'capbench_load_operations_total', operation: 'intent', outcome: 'ok' });
  const points = m.series['load.intent.ok']?.points ?? [];
  const go = Date.parse(m.startedAt) + 1e3 * (m.phases.go ?? 0);
  const sent = points.map(([at, value]) => [Math.round(go + 1e3 * at), value] as const);
  expect(ok?.samples.slice(0, -1)).toEqual(sent);
  const [time, stale] = ok?.samples.at(-1) ?? [];
  expect(time).toBe((sent.at(-1)?.[0] ?? 0) + 1000);
  expect(stale).toBe('stale');
  expect(find({ __name__: 'capbench_run_exit_code' })?.samples).toHaveLength(1);
});

test('a long run is several requests, each of a bounded size, in the order of time', () => {
  const points = Array.from({ length: 45_000 }, (_, i) => [i / 4, i] as const);
  const long = { ...m, series: { 'load.connected': { kind: 'gauge' as const, points } } };
  const requests = writeRequests(long, report, { job: 'capbench', instance: 'a' }).map(readWriteRequest);
  const connected = requests.map((all) =>
    all.flatMap(({ labels, samples }) =>
      labels.some(([, value]) => value === 'capbench_load_connected') ? samples : [],
    ),
  );
  expect(connected.every((samples) => samples.length <= 20_000)).toBe(true);
  const all = connected.flat();
  expect(all.length).toBe(points.length + 1);
  expect(all.every(([time], i) => i === 0 || time > (all[i - 1]?.[0] ?? 0))).toBe(true);
});

import { expect, test } from 'vitest';
import { type Budget, metricReader } from '../../src/scenario/budget.ts';
import { checkBudgets } from '../../src/scenario/budget-entry.ts';
import { selectorOf, selects } from '../../src/scenario/metric-selector.ts';
import { readHead } from '../../src/scenario/sample-head.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';

const labelsOf = (path: string) => Object.fromEntries(selectorOf(path)?.labels ?? [['no', 'selector']]);

test('a selector is a name and labels that a sample must have', () => {
  expect(selectorOf('target.metrics.http_requests_total')).toMatchObject({
    text: 'http_requests_total',
    name: 'http_requests_total',
  });
  expect(labelsOf('target.metrics.http_requests_total')).toEqual({});
  expect(labelsOf('target.metrics.a:b{code="500",path="/a.b{c}"}')).toEqual({ code: '500', path: '/a.b{c}' });
  expect(labelsOf('target.metrics.a{x="say \\"hi\\"\\\\\\n"}')).toEqual({ x: 'say "hi"\\\n' });
});

test.each([
  ...['', '9lives', 'a.b', 'a{', 'a{code}', 'a{code=500}', 'a{code="500"', 'a{code=~"5.."}'],
  ...['a{code="500" path="/"}', 'a{code="1",code="2"}', 'a'.repeat(300)],
])('target.metrics.%s is not a selector', (name) => {
  expect(selectorOf(`target.metrics.${name}`)).toBeNull();
  expect(selectorOf('latency.intent.due')).toBeNull();
});

test('other labels of a sample do not matter', () => {
  const chooses = (path: string, sample: string) =>
    selects(selectorOf(`target.metrics.${path}`)!, readHead(sample).labels!);
  expect(chooses('a{code="500"}', 'a{code="500",path="/"}')).toBe(true);
  expect(chooses('a{code="500"}', 'a{code="404",path="/"}')).toBe(false);
  expect(chooses('a{code="500"}', 'a')).toBe(false);
  // Clients spell the same bound in different ways.
  expect(chooses('a_bucket{le="0.1"}', 'a_bucket{le="1e-1"}')).toBe(true);
  expect(chooses('a_bucket{le="+Inf"}', 'a_bucket{le="inf"}')).toBe(true);
  expect(chooses('a_bucket{le="1"}', 'a_bucket{le="10"}')).toBe(false);
  expect(chooses('a{code="1"}', 'a{code="1.0"}')).toBe(false);
});

test("a name with characters outside Prometheus's set is quoted, inside the braces", () => {
  expect(selectorOf('target.metrics.{"my.metric", "http.code" = "500",}')).toMatchObject({
    name: 'my.metric',
    labels: new Map([['http.code', '500']]),
  });
});

const METRICS = SYSTEMS.metricsOf(SYSTEMS.of({ system: 'flux' })!);
const problem = (path: string, stat: string | null, metricUnit: string): string => {
  const metric = metricReader([], METRICS)(path, stat);
  const one = { id: 'x', state: 'measured', metric, stat, metricUnit, limit: 1 } as Budget;
  return checkBudgets([one], METRICS)[0]?.message ?? '';
};

test("a budget on a metric of a target names a statistic, and a unit that agrees with the metric's name", () => {
  expect(problem('target.metrics.a_seconds', 'p95', 'ms')).toBe('');
  expect(problem('target.metrics.a_bytes', 'max', 'MB')).toBe('');
  expect(problem('target.metrics.a_bytes_total', 'rate', 'Mbps')).toBe('');
  expect(problem('target.metrics.queue_length', 'max', 'jobs')).toBe('');
  expect(problem('target.metrics.a_seconds', 'p95', 'MB')).toContain('cannot be compared with MB');
  expect(problem('target.metrics.a_seconds', null, 'ms')).toContain('has the statistics mean, min');
  expect(problem('target.metrics.a_seconds', 'p42', 'ms')).toContain('got p42');
  expect(problem('target.metrics.a{b}', 'max', 'ms')).toContain('is not a metric of a Prometheus page');
});

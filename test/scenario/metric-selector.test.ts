import { expect, test } from 'vitest';
import { checkBudgets } from '../../src/judge/budget-check.ts';
import { parseLabels, selectorOf, selects } from '../../src/scenario/metric-selector.ts';
import { budget } from '../fixtures/recorded-run.ts';

const labelsOf = (path: string) => Object.fromEntries(selectorOf(path)?.labels ?? [['no', 'selector']]);

test('a selector is a name, and labels that a sample must have', () => {
  expect(selectorOf('target.metrics.http_requests_total')).toMatchObject({
    text: 'http_requests_total',
    name: 'http_requests_total',
  });
  expect(labelsOf('target.metrics.http_requests_total')).toEqual({});
  expect(labelsOf('target.metrics.a:b{code="500",path="/a.b{c}"}')).toEqual({ code: '500', path: '/a.b{c}' });
  expect(labelsOf('target.metrics.a{x="say \\"hi\\"\\\\\\n"}')).toEqual({ x: 'say "hi"\\\n' });
});

test.each([
  'latency.intent.due',
  'target.metrics.',
  'target.metrics.9lives',
  'target.metrics.a.b',
  'target.metrics.a{',
  'target.metrics.a{code}',
  'target.metrics.a{code=500}',
  'target.metrics.a{code="500"',
  'target.metrics.a{code=~"5.."}',
  'target.metrics.a{code="500" path="/"}',
  'target.metrics.a{code="1",code="2"}',
  `target.metrics.${'a'.repeat(300)}`,
])('%s is none', (path) => {
  expect(selectorOf(path)).toBeNull();
});

test('what else a sample is labelled with does not matter', () => {
  const selector = selectorOf('target.metrics.a{code="500"}')!;
  expect(selects(selector, parseLabels('code="500",path="/"')!)).toBe(true);
  expect(selects(selector, parseLabels('code="404",path="/"')!)).toBe(false);
  expect(selects(selector, parseLabels('')!)).toBe(false);
  expect(parseLabels('code="500",')).toEqual(new Map([['code', '500']]));
});

const problem = (metric: string, stat: string | null, metricUnit: string): string =>
  checkBudgets([budget({ id: 'x', metric, stat, metricUnit })])[0]?.message ?? '';

test('a budget on one names a statistic, and a unit that its name does not deny', () => {
  expect(problem('target.metrics.a_seconds', 'p95', 'ms')).toBe('');
  expect(problem('target.metrics.a_bytes', 'max', 'MB')).toBe('');
  expect(problem('target.metrics.a_bytes_total', 'rate', 'Mbps')).toBe('');
  expect(problem('target.metrics.queue_length', 'max', 'jobs')).toBe('');
  expect(problem('target.metrics.a_seconds', 'p95', 'MB')).toContain('cannot be compared with MB');
  expect(problem('target.metrics.a_seconds', null, 'ms')).toContain('has the statistics mean, min');
  expect(problem('target.metrics.a_seconds', 'p42', 'ms')).toContain('got p42');
  expect(problem('target.metrics.a{b}', 'max', 'ms')).toContain('names no metric of a Prometheus page');
});

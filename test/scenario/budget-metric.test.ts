import { expect, test } from 'vitest';
import { metric } from '../fixtures/recorded-run.ts';

test.each([
  ['latency.intent.due', 'p95', 'latency', 'latency.due', 'intent', 'ms'],
  [
    'latency.monsterCommand.due.unanswered',
    null,
    'latency',
    'latency.due.unanswered',
    'monsterCommand',
    'ops',
  ],
  ['load.operations.intent.ok', null, 'load', 'load.operations.ok', 'intent', 'ops'],
  ['load.errorPercent.monsterCommand', null, 'load', 'load.errorPercent', 'monsterCommand', '%'],
  ['throughput.intentsPerSecond', null, 'throughput', 'throughput.perSecond', 'intent', 'ops/s'],
  [
    'throughput.operationsPerSecond',
    null,
    'throughput',
    'throughput.operationsPerSecond',
    undefined,
    'ops/s',
  ],
  ['network.cut', null, 'network', 'network.cut', undefined, 'players'],
  // An unknown metric is not parsed as one of an operation.
  ['network.intent', null, 'network', 'network.intent', undefined, 'any'],
])('%s is parsed once', (path, stat, section, figure, operation, unit) => {
  const read = metric(path, stat);
  expect(read).toMatchObject({ path, section, figure, unit, setting: null, selector: null });
  expect(read.operation?.id).toBe(operation);
});

test('settings and metrics of a target have names of their own', () => {
  expect(metric('stack.applied.a.b', null)).toMatchObject({
    ...{ figure: 'stack.applied', setting: 'a.b', selector: null, unit: 'setting' },
  });
  const rate = metric('target.metrics.sent_bytes_total{room="a.b"}', 'rate');
  expect(rate).toMatchObject({ figure: 'target.metrics', setting: null, unit: 'bytes/s' });
  expect(rate.selector?.text).toBe('sent_bytes_total{room="a.b"}');
  expect(metric('target.metrics.took_seconds', 'rate').unit).toBe('any');
  expect(metric('host.memoryAvailableBytes', 'min').within?.metric).toBe('host.memoryBytes');
});

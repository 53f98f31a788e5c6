import { expect, test } from 'vitest';
import { K6Account } from '../../../src/load/k6/account.ts';
import { counterOf, METRICS } from '../../../src/load/k6/metrics.ts';
import { ofOperation } from '../../../src/scenario/operations.ts';

test('what failed unsent is a part of what failed, in the second, the whole and the measure phase', () => {
  const account = new K6Account({ intent: 1 });
  account.add({ metric: METRICS.go, at: 1000, value: 1000 });
  const add = (metric: string, value: number) => account.add({ metric, at: 1100, value });
  add(counterOf('intent', 'scheduled'), 5);
  add(counterOf('intent', 'scheduled', true), 1);
  add(counterOf('intent', 'failed'), 5);
  add(counterOf('intent', 'failedUnsent'), 2);
  add(counterOf('intent', 'failed', true), 1);
  add(counterOf('intent', 'failedUnsent', true), 1);
  const [second] = account.takeUntil(2e6, () => []);
  expect(second?.operations.intent).toMatchObject({ scheduled: 6, failed: 6, failedUnsent: 3, inFlight: 0 });
  const { whole, measured } = ofOperation(account.tallies(), 'intent');
  expect(whole).toMatchObject({ scheduled: 6, failed: 6, failedUnsent: 3, unfinished: 0 });
  expect(measured).toMatchObject({ scheduled: 5, failed: 5, failedUnsent: 2 });
});

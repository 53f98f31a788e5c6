import { describe, expect, test } from 'vitest';
import { countOf } from '../../../src/histogram.ts';
import { K6Account } from '../../../src/load/k6/account.ts';
import { readBooks } from '../../../src/load/k6/books.ts';
import { counterOf, earlyDueOf, METRICS, trendOf } from '../../../src/load/k6/metrics.ts';
import { sampleIn } from '../../../src/load/k6/sample-pipe.ts';
import { ofOperation } from '../../../src/scenario/operations.ts';
import { plannedUntil } from '../../../src/systems/flux/k6/system.ts';
import { workloadWith } from '../a-workload.ts';
import { figuresOf } from '../ledger-figures.ts';

const GO = 1_700_000_000_000;
const nobody = () => [];

/** An account that has been told GO, and samples by the milliseconds after it. */
function begun() {
  const account = new K6Account({ intent: 1, monsterCommand: 50 });
  account.add({ metric: METRICS.go, at: GO - 3000, value: GO });
  const add = (metric: string, ms: number, value: number): void =>
    account.add({ metric, at: GO + ms, value });
  return { account, add };
}

describe("k6's samples as the seconds of a run", () => {
  test('each counts for the second and the fifth in which it was taken, in microseconds', () => {
    const { account, add } = begun();
    add(METRICS.connected, -500, 1);
    add(METRICS.connected, -400, 1);
    add(counterOf('intent', 'scheduled', true), 100, 1);
    add(counterOf('intent', 'ok', true), 130, 1);
    add(earlyDueOf('intent'), 130, 30);
    add(counterOf('monsterCommand', 'scheduled'), 1250, 50);
    add(counterOf('monsterCommand', 'ok'), 1450, 20);
    add(counterOf('monsterCommand', 'rejected'), 1450, 30);
    add(trendOf('monsterCommand', 'due'), 1450, 200);
    add(METRICS.disconnects, 1500, 1);
    expect(account.takeUntil(1.6e6, nobody)).toEqual([]);
    const [first, second] = account.takeUntil(2.7e6, nobody);
    expect(first).toMatchObject({ at: 1e6, connected: 2, disconnects: 0 });
    expect(first?.operations.intent).toMatchObject({ scheduled: 1, ok: 1, inFlight: 0 });
    expect(first?.operations.intent?.due).toMatchObject({ min: 30_000, max: 30_000 });
    expect(first?.slices.map(({ at, operations }) => [at, operations.intent?.answered])).toEqual([
      [200_000, 1],
      [400_000, 0],
      [600_000, 0],
      [800_000, 0],
      [1_000_000, 0],
    ]);
    expect(second).toMatchObject({ at: 2e6, connected: 1, disconnects: 1 });
    expect(second?.operations.monsterCommand).toMatchObject({ scheduled: 50, ok: 20, rejected: 30 });
    // A value stands for its post's commands.
    expect(countOf(second?.operations.monsterCommand?.due ?? { counts: [], min: 0, max: 0, sum: 0 })).toBe(
      50,
    );
    expect(second?.slices[2]?.operations.monsterCommand?.answered).toBe(50);

    const { whole, measured, due } = ofOperation(account.tallies(), 'intent');
    expect(whole).toMatchObject({ scheduled: 1, ok: 1 });
    // Due before the measure phase.
    expect(measured).toMatchObject({ scheduled: 0, ok: 0 });
    expect(countOf(due)).toBe(0);
  });

  test('what comes after its second was told counts for the next one; nothing is lost', () => {
    const { account, add } = begun();
    add(counterOf('intent', 'scheduled'), 100, 1);
    expect(account.takeUntil(1.8e6, nobody)).toHaveLength(1);
    add(counterOf('intent', 'scheduled'), 900, 1);
    add(counterOf('intent', 'skipped'), 2100, 1);
    const rest = account.takeAll(2.2e6, nobody);
    expect(rest.map(({ at }) => at)).toEqual([2e6, 2.2e6]);
    expect(rest.map(({ operations }) => operations.intent?.scheduled)).toEqual([1, 0]);
    expect(rest.map(({ operations }) => operations.intent?.inFlight)).toEqual([1, 1]);
    expect(rest[1]?.slices.map(({ at }) => at)).toEqual([2_200_000]);
  });

  test('after an early stop, what nobody told of was never sent, and what has no end is unfinished', () => {
    const { account, add } = begun();
    add(counterOf('intent', 'scheduled', true), 100, 3);
    add(counterOf('intent', 'ok', true), 200, 1);
    add(counterOf('intent', 'scheduled'), 300, 4);
    add(counterOf('intent', 'ok'), 400, 4);
    for (let n = 0; n < 3; n++) add(trendOf('intent', 'due'), 400, 7);
    account.settleRest({
      intent: { whole: 9, measured: 5 },
      monsterCommand: { whole: 0, measured: 0 },
    });
    // One of the four answers was cut before its latency was told.
    expect(ofOperation(account.tallies(), 'intent').whole).toMatchObject({
      scheduled: 9,
      ok: 4,
      skipped: 2,
      unfinished: 3,
    });
    expect(ofOperation(account.tallies(), 'intent').measured).toMatchObject({
      ...{ scheduled: 5, ok: 3, skipped: 1, unfinished: 1 },
    });
  });
});

test('a line of JSON output is a sample, or none', () => {
  const line =
    '{"metric":"capbench_go","type":"Point","data":{"time":"2026-11-21T18:39:50.767946813Z","value":7,"tags":{}}}';
  expect(sampleIn(line)).toEqual({
    metric: 'capbench_go',
    at: Date.parse('2026-11-21T18:39:50.767Z'),
    value: 7,
  });
  for (const other of ['', 'null', '{"type":"Metric","metric":"capbench_go","data":{}}', line.slice(0, 60)]) {
    expect(sampleIn(other)).toBeNull();
  }
});

test('the books of the virtual users are a ledger; other lines are not', () => {
  const told = readBooks(
    [
      'a warning of somebody else',
      '{"books":[[1,10,15,5,14,12,12]],"hash":[4,5],"complaints":["odd"]}',
      '{"books":[[2,0,0,0,0],[99,0,1,0,1]],"hash":[6,7],"complaints":[]}',
      '{"books":"no","hash":[6,7]}',
    ].join('\n'),
    4,
  );
  expect(told).toMatchObject({
    tellers: 2,
    complaints: ['odd'],
    hashes: [
      [4, 5],
      [6, 7],
    ],
  });
  // 11 to 15 were sent; 11, 13 and 14 acknowledged.
  expect([...figuresOf(told.ledger).sentN]).toEqual([0, 5, 0, 0]);
  expect([...figuresOf(told.ledger).sentSum]).toEqual([0, 65, 0, 0]);
  expect([...figuresOf(told.ledger).sentMax]).toEqual([0, 15, 0, 0]);
  expect([...figuresOf(told.ledger).ackedN]).toEqual([0, 3, 0, 0]);
  expect([...figuresOf(told.ledger).ackedSum]).toEqual([0, 38, 0, 0]);
  expect([...told.ledger.stated]).toEqual([0, 5, 0, 0]);
});

test('what failed unsent is a part of what failed, in the second, the whole and the measure phase', () => {
  const { account, add } = begun();
  add(counterOf('intent', 'scheduled'), 100, 5);
  add(counterOf('intent', 'scheduled', true), 100, 1);
  add(counterOf('intent', 'failed'), 100, 5);
  add(counterOf('intent', 'failedUnsent'), 100, 2);
  add(counterOf('intent', 'failed', true), 100, 1);
  add(counterOf('intent', 'failedUnsent', true), 100, 1);
  const [second] = account.takeUntil(2e6, nobody);
  expect(second?.operations.intent).toMatchObject({ scheduled: 6, failed: 6, failedUnsent: 3, inFlight: 0 });
  const { whole, measured } = ofOperation(account.tallies(), 'intent');
  expect(whole).toMatchObject({ scheduled: 6, failed: 6, failedUnsent: 3, unfinished: 0 });
  expect(measured).toMatchObject({ scheduled: 5, failed: 5, failedUnsent: 2 });
});

test('what was due until an instant is counted from the schedule', () => {
  const workload = workloadWith({ players: 10, intentRate: 5, warmUp: 1, duration: 2 });
  const all = plannedUntil(workload, Number.POSITIVE_INFINITY);
  expect(Math.abs(all.intent!.whole - 150)).toBeLessThanOrEqual(10);
  expect(Math.abs(all.intent!.measured - 100)).toBeLessThanOrEqual(10);
  expect(all.monsterCommand).toEqual({ whole: 600, measured: 400 });
  expect(plannedUntil(workload, 1e6)).toMatchObject({ monsterCommand: { whole: 200, measured: 0 } });
});

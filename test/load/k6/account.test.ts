import { describe, expect, test } from 'vitest';
import { countOf } from '../../../src/histogram.ts';
import { K6Account } from '../../../src/load/k6/account.ts';
import { ledgerOf } from '../../../src/load/k6/ledger-of.ts';
import {
  type LedgerReport,
  type OperationProgress,
  type ProgressReport,
  userReportIn,
} from '../../../src/load/k6/user-report.ts';
import { ofOperation } from '../../../src/scenario/operations.ts';
import { plannedUntil } from '../../../src/systems/flux/k6/system.ts';
import { OPERATIONS } from '../../../src/systems/flux/scenario.ts';
import { workloadWith } from '../a-workload.ts';
import { figuresOf } from '../ledger-figures.ts';

const nobody = () => [];
/** An account, and a way to add reports at milliseconds after GO. */
function begun() {
  const account = new K6Account(OPERATIONS);
  const add = (
    at: number,
    totals: NonNullable<ProgressReport['totals']>,
    intent: OperationProgress = {},
    monsterCommand: OperationProgress = {},
  ): void => account.add({ at, totals, operations: [intent, monsterCommand] });
  return { account, add };
}

describe("reports of k6's virtual users become the seconds of a run", () => {
  test('each counts for the second and the fifth of a second that it names, in microseconds', () => {
    const { account, add } = begun();
    add(-600, { connected: 2 });
    add(0, {}, { early: { scheduled: 1, ok: 1 }, earlyDue: [30, 1] });
    add(1200, {}, {}, { measured: { scheduled: 50 } });
    add(
      1400,
      { disconnects: 1 },
      {},
      {
        measured: { ok: 20, rejected: 30 },
        due: [200, 50],
        rejected: [200, 30],
      },
    );
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
    expect(countOf(second?.operations.monsterCommand?.due ?? { counts: [], min: 0, max: 0, sum: 0 })).toBe(
      50,
    );
    expect(second?.slices[2]?.operations.monsterCommand?.answered).toBe(50);

    const { whole, measured, due } = ofOperation(account.tallies(), 'intent');
    expect(whole).toMatchObject({ scheduled: 1, ok: 1 });
    // Due before the measure phase.
    expect(measured).toMatchObject({ scheduled: 0, ok: 0 });
    expect(countOf(due)).toBe(0);
    const { rejected } = ofOperation(account.tallies(), 'monsterCommand');
    expect(rejected).toMatchObject({ min: 200_000, max: 200_000 });
    expect(rejected && countOf(rejected)).toBe(30);
  });

  test('a report that arrives after its second was taken counts for the next one, and nothing is lost', () => {
    const { account, add } = begun();
    add(0, {}, { measured: { scheduled: 1 } });
    expect(account.takeUntil(1.8e6, nobody)).toHaveLength(1);
    add(800, {}, { measured: { scheduled: 1 } });
    add(2000, {}, { measured: { skipped: 1 } });
    const rest = account.takeAll(2.2e6, nobody);
    expect(rest.map(({ at }) => at)).toEqual([2e6, 2.2e6]);
    expect(rest.map(({ operations }) => operations.intent?.scheduled)).toEqual([1, 0]);
    expect(rest.map(({ operations }) => operations.intent?.inFlight)).toEqual([1, 1]);
    expect(rest[1]?.slices.map(({ at }) => at)).toEqual([2_200_000]);
  });

  test('after an early stop, an unreported operation was never sent, and one without an outcome is unfinished', () => {
    const { account, add } = begun();
    add(0, {}, { early: { scheduled: 3, ok: 1 } });
    add(200, {}, { measured: { scheduled: 4, ok: 3 }, due: [7, 3] });
    account.settleRest({
      intent: { whole: 9, measured: 5 },
      monsterCommand: { whole: 0, measured: 0 },
    });
    expect(ofOperation(account.tallies(), 'intent').whole).toMatchObject({
      ...{ scheduled: 9, ok: 4, skipped: 2, unfinished: 3 },
    });
    expect(ofOperation(account.tallies(), 'intent').measured).toMatchObject({
      ...{ scheduled: 5, ok: 3, skipped: 1, unfinished: 1 },
    });
  });
});

test('a line of the script is a report; others are not', () => {
  expect(userReportIn('{"go":7}')).toEqual({ go: 7 });
  expect(userReportIn('{"at":-200,"totals":[],"connect":[],"operations":[]}')).toMatchObject({ at: -200 });
  expect(userReportIn('{"ledger":[],"hash":[1,2],"errors":[]}')).toMatchObject({ hash: [1, 2] });
  for (const other of ['', 'null', '[]', 'a warning of k6', '{"ledger":"no","hash":[6,7]}', '{"at":1']) {
    expect(userReportIn(other)).toBeNull();
  }
});

test('the last reports of the virtual users make up the ledger', () => {
  const reports: LedgerReport[] = [
    { ledger: [[1, 10, 15, 5, 14, 12, 12]], hash: [4, 5], errors: [] },
    {
      ledger: [
        [2, 0, 0, 0, 0],
        [99, 0, 1, 0, 1],
        [1, -1, 0, 0, 0],
      ],
      hash: [6, 7],
      errors: [],
    },
  ];
  const ledger = ledgerOf(reports, 4);
  const figures = figuresOf(ledger);
  // 11 to 15 were sent; 11, 13 and 14 acknowledged.
  expect([...figures.sentN]).toEqual([0, 5, 0, 0]);
  expect([...figures.sentSum]).toEqual([0, 65, 0, 0]);
  expect([...figures.sentMax]).toEqual([0, 15, 0, 0]);
  expect([...figures.ackedN]).toEqual([0, 3, 0, 0]);
  expect([...figures.ackedSum]).toEqual([0, 38, 0, 0]);
  expect([...ledger.stated]).toEqual([0, 5, 0, 0]);
});

test('unsent failures are a part of the failures in the second, the whole run and the measure phase', () => {
  const { account, add } = begun();
  add(
    0,
    {},
    {
      early: { scheduled: 1, failed: 1, failedUnsent: 1 },
      measured: { scheduled: 5, failed: 5, failedUnsent: 2 },
    },
  );
  const [second] = account.takeUntil(2e6, nobody);
  expect(second?.operations.intent).toMatchObject({ scheduled: 6, failed: 6, failedUnsent: 3, inFlight: 0 });
  const { whole, measured } = ofOperation(account.tallies(), 'intent');
  expect(whole).toMatchObject({ scheduled: 6, failed: 6, failedUnsent: 3, unfinished: 0 });
  expect(measured).toMatchObject({ scheduled: 5, failed: 5, failedUnsent: 2 });
});

test('the count of due operations up to an instant comes from the schedule', () => {
  const workload = workloadWith({ players: 10, intentRate: 5, warmUp: 1, duration: 2 });
  const all = plannedUntil(workload, Number.POSITIVE_INFINITY);
  expect(Math.abs(all.intent!.whole - 150)).toBeLessThanOrEqual(10);
  expect(Math.abs(all.intent!.measured - 100)).toBeLessThanOrEqual(10);
  expect(all.monsterCommand).toEqual({ whole: 600, measured: 400 });
  expect(plannedUntil(workload, 1e6)).toMatchObject({ monsterCommand: { whole: 200, measured: 0 } });
});

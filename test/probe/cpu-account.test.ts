import { expect, test } from 'vitest';
import { type CpuAccount, type Owner, openCpuAccount } from '../../src/probe/cpu-account.ts';
import type { ProcessReading } from '../../src/supervision/proc.ts';

const ME = 100;
const POSTMASTER = 110;
const ROOTS = new Map<number, Owner>([
  [ME, 'run'],
  [POSTMASTER, 'postgres'],
]);
/** More than any of the scans adds. */
const MOST = 1000;

const of = (
  pid: number,
  parent: number,
  ownSeconds: number,
  reapedSeconds = 0,
  started = pid,
): ProcessReading => ({
  ...{ pid, state: 'S', parent, started, command: `p${pid}`, kernelThread: false, ownSeconds, reapedSeconds },
});
const init = (reaped = 0): ProcessReading => of(1, 0, 5, reaped);

/** Seconds of run, postgres and foreign after the scans. */
function after(...scans: readonly (readonly ProcessReading[])[]) {
  const account = openCpuAccount();
  for (const scan of scans) account.add(scan, ROOTS, MOST);
  return totals(account);
}
function totals(account: CpuAccount): readonly number[] {
  return (['run', 'postgres', 'foreign'] as const).map((owner) => Number(account.seconds(owner).toFixed(6)));
}

test('CPU time from before the first scan is not counted', () => {
  expect(after([init(9), of(ME, 1, 30, 4), of(7, 1, 100)])).toEqual([0, 0, 0]);
});

test('each process counts for the owner of its ancestor', () => {
  expect(
    after(
      [init(), of(ME, 1, 30), of(POSTMASTER, ME, 1), of(111, POSTMASTER, 2), of(120, ME, 0), of(7, 1, 100)],
      [
        init(),
        of(ME, 1, 30.5),
        of(POSTMASTER, ME, 1.1),
        of(111, POSTMASTER, 2.2),
        of(120, ME, 0.4),
        of(7, 1, 100.7),
      ],
    ),
  ).toEqual([0.9, 0.3, 0.7]);
});

test('a new grandchild counts from its start', () => {
  expect(
    after([init(), of(ME, 1, 0)], [init(), of(ME, 1, 0), of(120, ME, 0.2), of(121, 120, 0.3, 0.1)]),
  ).toEqual([0.6, 0, 0]);
});

test('a child that ends counts once: its own time while it lived, then what its parent inherits beyond that', () => {
  expect(
    after(
      [init(), of(ME, 1, 0, 50), of(120, ME, 10)],
      [init(), of(ME, 1, 0, 50), of(120, ME, 10.6)],
      [init(), of(ME, 1, 0, 61)],
    ),
  ).toEqual([1, 0, 0]);
});

test('a child that no scan has seen is counted when its parent inherits its time', () => {
  expect(
    after([init(), of(7, 1, 1, 2), of(ME, 1, 0)], [init(), of(7, 1, 1, 2.8), of(ME, 1, 0, 0.3)]),
  ).toEqual([0.3, 0, 0.8]);
});

test('when a child and its own child end together, their ancestor inherits the time of both', () => {
  expect(after([init(), of(7, 1, 0), of(8, 7, 3), of(9, 8, 4)], [init(), of(7, 1, 0, 7.5)])).toEqual([
    0, 0, 0.5,
  ]);
});

test('the time of a child that nobody waited for stays counted', () => {
  const scans = [
    [init(), of(ME, 1, 0), of(120, ME, 1)],
    [init(), of(ME, 1, 0), of(120, ME, 3)],
    [init(), of(ME, 1, 0)],
    [init(), of(ME, 1, 0.25)],
  ];
  expect(after(...scans.slice(0, 3))).toEqual([2, 0, 0]);
  expect(after(...scans)).toEqual([2.25, 0, 0]);
});

test('an orphan keeps its owner', () => {
  expect(
    after(
      [init(), of(ME, 1, 0), of(120, ME, 0), of(121, 120, 1)],
      [init(), of(ME, 1, 0), of(121, 1, 2)],
      [init(), of(ME, 1, 0), of(121, 1, 4), of(122, 121, 0.5)],
    ),
  ).toEqual([3.5, 0, 0]);
});

test('a reused pid is another process', () => {
  expect(
    after([init(), of(ME, 1, 0), of(120, ME, 1)], [init(), of(ME, 1, 0, 1), of(120, 1, 0.3, 0, 999)]),
  ).toEqual([0, 0, 0.3]);
});

test('when PostgreSQL is killed with its backends, init inherits their time, and none of it counts as foreign', () => {
  expect(
    after(
      [init(40), of(ME, 1, 0, 2), of(POSTMASTER, ME, 1), of(111, POSTMASTER, 20), of(112, POSTMASTER, 30)],
      [init(40 + 20.4 + 30.5), of(ME, 1, 0, 2 + 1.1)],
      [init(40 + 20.4 + 30.5), of(ME, 1, 0, 2 + 1.1)],
    ).reduce((sum, one) => sum + one),
  ).toBeCloseTo(0.4 + 0.5 + 0.1);
  const [, , foreign] = after(
    [init(40), of(ME, 1, 0, 2), of(POSTMASTER, ME, 1), of(111, POSTMASTER, 20), of(112, POSTMASTER, 30)],
    [init(40 + 20.4 + 30.5), of(ME, 1, 0, 2 + 1.1)],
  );
  expect(foreign).toBe(0);
});

test('inherited time that appears one scan later is not foreign', () => {
  expect(
    after(
      [init(40), of(ME, 1, 0), of(POSTMASTER, ME, 1), of(111, POSTMASTER, 20)],
      [init(40), of(ME, 1, 0)],
      [init(60.2), of(ME, 1, 0, 1)],
      [init(60.2), of(ME, 1, 0.1, 1)],
    )[2],
  ).toBe(0);
});

test('a restarted postmaster counts as PostgreSQL, too', () => {
  const account = openCpuAccount();
  account.add([init(), of(ME, 1, 0), of(POSTMASTER, ME, 1)], ROOTS, MOST);
  account.add([init(), of(ME, 1, 0, 1)], ROOTS, MOST);
  const again = new Map<number, Owner>([
    [ME, 'run'],
    [130, 'postgres'],
  ]);
  account.add([init(), of(ME, 1, 0, 1), of(130, ME, 0.5), of(131, 130, 0.2)], again, MOST);
  expect(totals(account)).toEqual([0, 0.7, 0]);
  expect(account.pids('postgres')).toEqual([130, 131]);
});

test('inherited time is limited to the CPU time that the host has', () => {
  const account = openCpuAccount();
  account.add([init(), of(7, 1, 0)], ROOTS, 2);
  account.add([init(), of(7, 1, 0, 600)], ROOTS, 2);
  expect(totals(account)).toEqual([0, 0, 2]);
});

test('the busiest foreign processes are named, including those that ended', () => {
  const account = openCpuAccount();
  account.add([init(), of(ME, 1, 0), of(7, 1, 100), of(8, 1, 0), of(9, 1, 50)], ROOTS, MOST);
  account.add([init(), of(ME, 1, 9), of(7, 1, 101), of(8, 1, 2), of(9, 1, 50)], ROOTS, MOST);
  account.add([init(2), of(ME, 1, 9), of(7, 1, 101.5), of(9, 1, 50.1)], ROOTS, MOST);
  expect(account.foreign().slice(0, 3)).toEqual([
    { name: 'p8', pid: 8, cpuSeconds: 2 },
    { name: 'p7', pid: 7, cpuSeconds: 1.5 },
    { name: 'p9', pid: 9, cpuSeconds: expect.closeTo(0.1) },
  ]);
});

test('counters never fall, whichever process ends', () => {
  const account = openCpuAccount();
  let before = [0, 0, 0];
  for (let i = 0; i < 60; i++) {
    const scan = [init(), of(ME, 1, i * 0.1), of(POSTMASTER, ME, i * 0.2)];
    for (let child = 0; child < 5; child++) {
      if ((i + child) % 3 !== 0)
        scan.push(of(200 + child, child % 2 ? ME : POSTMASTER, i, 0, Math.floor((i + child) / 3)));
    }
    account.add(scan, ROOTS, 2);
    const now = totals(account);
    expect(now.every((value, owner) => value >= before[owner]!)).toBe(true);
    before = [...now];
  }
});

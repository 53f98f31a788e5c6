import { expect, test } from 'vitest';
import { openForeignSeconds } from '../../src/probe/host.ts';
import type { CpuTimes } from '../../src/supervision/proc.ts';

const times = (processSeconds: number): CpuTimes => ({
  processSeconds,
  busySeconds: processSeconds + 9,
  stealSeconds: 0,
});

test('where all processes are visible, foreign CPU is the sum of theirs', () => {
  const foreign = openForeignSeconds(true);
  expect([foreign(0, 0, times(100)), foreign(0.3, 5, times(107))]).toEqual([0, 0.3]);
});

test('in a container, foreign CPU is that of all processes less that of the run', () => {
  const foreign = openForeignSeconds(false);
  expect([foreign(0, 0.5, times(100)), foreign(0, 5.5, times(107)), foreign(0, 6.5, times(109))]).toEqual([
    0, 2, 3,
  ]);
});

test('foreign CPU is never less than that of the visible foreign processes', () => {
  const foreign = openForeignSeconds(false);
  expect([foreign(0, 0, times(100)), foreign(0.4, 2, times(101.5))]).toEqual([0, 0.4]);
});

test('without /proc/stat, foreign CPU is that of the visible foreign processes', () => {
  const foreign = openForeignSeconds(false);
  expect([foreign(0, 0, null), foreign(0.4, 2, null)]).toEqual([0, 0.4]);
});

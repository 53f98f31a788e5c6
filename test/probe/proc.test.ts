import { expect, test } from 'vitest';
import { stalledSeconds } from '../../src/probe/host.ts';
import { parseStat } from '../../src/supervision/proc.ts';

const KTHREAD = 2129984;
const statOf = (command: string, flags: number): string =>
  `4711 (${command}) S 17 4711 4711 0 -1 ${flags} 9000 8000 0 1 150 50 1200 34 20 0 11 0 987654 1255407616 22000 18446744073709551615 1 1`;

test('a command may contain blanks and parentheses', () => {
  expect(parseStat(statOf('a) S (b', 4194304))).toEqual({
    pid: 4711,
    state: 'S',
    parent: 17,
    started: 987654,
    command: 'a) S (b',
    kernelThread: false,
    ownSeconds: 2,
    reapedSeconds: 12.34,
  });
});

test('kernel threads are recognised by their flag', () => {
  expect(parseStat(statOf('kworker/0:1', KTHREAD)).kernelThread).toBe(true);
});

test('pressure totals are microseconds, one line for each kind', () => {
  const text =
    'some avg10=0.03 avg60=0.08 avg300=0.15 total=108848039\nfull avg10=0.03 avg60=0.08 avg300=0.06 total=51018256\n';
  expect(stalledSeconds(text, 'some')).toBe(108.848039);
  expect(stalledSeconds(text, 'full')).toBe(51.018256);
  expect(stalledSeconds('some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n', 'full')).toBeNull();
  expect(stalledSeconds(null, 'full')).toBeNull();
});

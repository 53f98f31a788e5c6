import { expect, test } from 'vitest';
import { ScheduleHash, scheduleHashOf } from '../../src/load/schedule-hash.ts';

type Entry = readonly [operation: number, actor: number, sequence: number, due: number];

const BASE: readonly Entry[] = Array.from({ length: 500 }, (_, n) => [
  n % 2,
  (n * 7) % 50,
  1 + Math.floor(n / 50),
  n * 1003,
]);

const shareOf = (entries: readonly Entry[]): readonly [number, number] => {
  const hash = new ScheduleHash();
  for (const entry of entries) hash.add(...entry);
  return hash.words();
};
const hashOf = (...shares: readonly (readonly Entry[])[]): string => scheduleHashOf(shares.map(shareOf));

test('the hash depends neither on order nor on workers', () => {
  const whole = hashOf(BASE);
  expect(whole).toMatch(/^[0-9a-f]{16}$/);
  expect(hashOf([...BASE].reverse())).toBe(whole);
  expect(hashOf(BASE.slice(0, 100), [], BASE.slice(100))).toBe(whole);
});

test('the hash depends on operation, actor, sequence and due time', () => {
  const whole = hashOf(BASE);
  const changes: readonly Entry[] = [
    [1, 0, 1, 0],
    [0, 1, 1, 0],
    [0, 0, 2, 0],
    [0, 0, 1, 1],
    [0, 0, 1, 2 ** 32],
  ];
  const hashes = changes.map((first) => hashOf([first, ...BASE.slice(1)]));
  expect(new Set([whole, ...hashes]).size).toBe(changes.length + 1);
  expect(hashOf(BASE.slice(1))).not.toBe(whole);
  // Two equal operations do not cancel each other out.
  expect(hashOf([...BASE, BASE[3]!, BASE[3]!])).not.toBe(whole);
  // Exchanging the due times of two actors gives another schedule.
  const [a, b] = [BASE[10]!, BASE[12]!];
  const swapped: Entry[] = [...BASE];
  swapped[10] = [a[0], a[1], a[2], b[3]];
  swapped[12] = [b[0], b[1], b[2], a[3]];
  expect(hashOf(swapped)).not.toBe(whole);
});

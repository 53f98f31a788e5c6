import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sequenceHash } from '../src/sequence-hash.ts';

test('the README of the flux world has the hash as the servers compute it', () => {
  const readme = readFileSync(join(import.meta.dirname, '../src/systems/flux/README.md'), 'utf8');
  const lines = /^ {4}let h = seq [\s\S]*?>>> 0;$/m.exec(readme)?.[0] ?? '';
  const hash = new Function('seq', `${lines} return h;`) as (seq: number) => number;
  for (const seq of [1, 2, 3, 1000, 123_456_789, 2 ** 31 - 1]) expect(hash(seq)).toBe(sequenceHash(seq));
  expect(readme).toContain(`The hash of 1 is 0x${sequenceHash(1).toString(16).padStart(8, '0')}`);
});

test('small sets of the same size and sum have different sums', () => {
  const seen = new Set<string>();
  let sets = 0;
  for (let a = 1; a <= 80; a++) {
    for (let b = a + 1; b <= 80; b++) {
      for (let c = b + 1; c <= 80; c++) {
        seen.add(`${a + b + c} ${sequenceHash(a) + sequenceHash(b) + sequenceHash(c)}`);
        sets += 1;
      }
    }
  }
  expect(seen.size).toBe(sets);
  // Equal in the sums of numbers and of squares.
  const sum = (...numbers: number[]) => numbers.reduce((total, one) => total + sequenceHash(one), 0);
  expect(sum(1, 5, 6)).not.toBe(sum(2, 3, 7));
});

test('hashes are whole numbers below 2^32', () => {
  for (let seq = 1; seq < 1000; seq++) {
    const hash = sequenceHash(seq);
    expect(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32).toBe(true);
  }
});

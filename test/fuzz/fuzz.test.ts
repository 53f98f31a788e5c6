import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundleTest } from './bundle.ts';
import { campaign } from './campaign.ts';
import { inputOf } from './execute.ts';
import { TARGETS } from './targets.ts';

const root = join(import.meta.dirname, '..', '..');

test('no damaged input crashes, hangs, takes over 2 s or passes silently: a share of `npm run fuzz`', {
  timeout: 180_000,
}, async () => {
  const worker = await bundleTest(root, 'worker', false);
  const { targets, failures } = await campaign({ root, seed: 20_261_121, inputs: 300, only: null, worker });
  expect(failures).toEqual([]);
  expect(targets.reduce((sum, { inputs }) => sum + inputs, 0)).toBe(300);
  // Damage that is always seen at the first look would try nothing behind it.
  for (const { target, codes } of targets) {
    expect(codes.get(0), `${target} accepted`).toBeGreaterThan(0);
    expect(codes.get(104), `${target} refused`).toBeGreaterThan(0);
  }
});

test('a seed and an index are always the same input, and others another', () => {
  for (const target of TARGETS) {
    const [one, same] = [TARGETS, TARGETS].map(() => inputOf(target(root), 7, 100));
    expect(same).toEqual(one);
    expect(inputOf(target(root), 8, 100)).not.toEqual(one);
    expect(inputOf(target(root), 7, 101)).not.toEqual(one);
  }
});

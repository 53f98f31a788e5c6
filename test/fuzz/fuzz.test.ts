import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bundleTest } from './bundle.ts';
import { campaign } from './campaign.ts';
import { inputOf } from './execute.ts';
import { TARGETS } from './targets.ts';

const root = join(import.meta.dirname, '..', '..');

test('no damaged input crashes, hangs, takes over 2 s or passes silently: a share of `npm run fuzz`', {
  timeout: 180_000,
}, async () => {
  const worker = await bundleTest(root, 'worker', false);
  onTestFinished(() => rmSync(dirname(worker), { recursive: true, force: true }));
  const { targets, failures } = await campaign({ root, seed: 20_261_121, inputs: 300, only: null, worker });
  expect(failures).toEqual([]);
  expect(targets.reduce((sum, { inputs }) => sum + inputs, 0)).toBe(300);
  // Damage that is always seen at the first look would try nothing behind it.
  for (const { target, codes } of targets) {
    expect(codes.get(0), `${target} accepted`).toBeGreaterThan(0);
    expect(codes.get(104), `${target} refused`).toBeGreaterThan(0);
  }
});

test('a seed and an index always give the same input, and others give another', () => {
  const hashOf = (target: (typeof TARGETS)[number], seed: number, index: number): string => {
    const { files, ...rest } = inputOf(target(root), seed, index);
    const hash = createHash('sha256').update(JSON.stringify(rest));
    for (const [name, content] of files) {
      const plain = typeof content === 'string' || content instanceof Uint8Array;
      hash.update(name).update(plain ? content : JSON.stringify(content));
    }
    return hash.digest('hex');
  };
  for (const target of TARGETS) {
    const one = hashOf(target, 7, 100);
    expect(hashOf(target, 7, 100)).toBe(one);
    expect(hashOf(target, 8, 100)).not.toBe(one);
    expect(hashOf(target, 7, 101)).not.toBe(one);
  }
});

import { expect, test } from 'vitest';
import { asBox } from '../../src/measurement/emulated-tier.ts';
import { boxOf, emulatedTier } from '../../src/model/emulation.ts';
import type { Tier } from '../../src/model/tier.ts';
import { readTiers } from '../../src/model/tier.ts';

const tier = (text: string): Tier => {
  const [one] = readTiers(
    't.yaml',
    new TextEncoder().encode(`version: 1\ntiers:\n  - { id: one, ${text} }\n`),
    null,
  );
  return one ?? expect.fail('no tier');
};

test.each([
  // A tenth of the memory is the system's, and 256 MB at least.
  ['cpus: 2, kind: shared, memory: 4GB', { cpus: 2, memory: 3686 }],
  ['cpus: 1, kind: dedicated-core, memory: 1GB', { cpus: 1, memory: 768 }],
  ['cpus: 8, kind: dedicated-thread, memory: 64GB', { cpus: 8, memory: 58_982 }],
  // In the long run.
  ['cpus: 2, kind: burstable, baselinePercent: 20, memory: 2GB', { cpus: 0.4, memory: 1792 }],
  ['cpus: 2, kind: burstable, baselinePercent: 50, memory: 2GB', { cpus: 1, memory: 1792 }],
  ['cpus: 1, kind: burstable, baselinePercent: 5, memory: 512MB', { cpus: 0.1, memory: 256 }],
])('a stack runs as { %s } in %j', (text, box) => {
  expect(boxOf(tier(text))).toEqual(box);
});

test.each([
  ['cpus: 2, kind: burstable, memory: 2GB', 'baselinePercent'],
  ['cpus: 1, kind: shared, memory: 256MB', 'no memory for a stack'],
])('{ %s } is refused', (text, because) => {
  expect(boxOf(tier(text))).toEqual({ because: expect.stringContaining(because) });
});

test.each([
  ['cpus: 2, kind: shared, memory: 4GB', 'as a 2-vCPU, 4-GB box, with this host’s cores'],
  ['cpus: 1, kind: shared, memory: 512MB', 'as a 1-vCPU, 512-MB box, with this host’s cores'],
  ['cpus: 4, kind: shared, memory: 1.5GB', 'as a 4-vCPU, 1.5-GB box, with this host’s cores'],
  [
    'cpus: 2, kind: burstable, baselinePercent: 22.5, memory: 1GB',
    'as a 2-vCPU, 1-GB box at its baseline of 22.5%, with this host’s cores',
  ],
])('{ %s } is said: %s', (text, words) => {
  expect(asBox(emulatedTier(tier(text)))).toBe(words.replace('’', "'"));
});

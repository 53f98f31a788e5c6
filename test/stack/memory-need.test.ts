import { expect, test } from 'vitest';
import { availableMemory, memoryShortage, memoryText } from '../../src/stack/memory-need.ts';

const NEED = {
  memoryBytes: 18.4e9,
  because: '400 worker processes of 46 MB',
  less: '--set world.workers=100',
};

test('a stack that needs more memory than there is is refused with the arithmetic and what to do', () => {
  const refused = memoryShortage(NEED, 9.8e9);
  expect(refused).toMatchObject({
    exitCode: 93,
    message: 'the stack needs 18.4 GB for 400 worker processes of 46 MB; 9.8 GB are available',
    hint: 'use a machine with more memory, or --set world.workers=100',
  });
  expect(memoryShortage(NEED, 18.4e9)).toBeNull();
  expect(memoryText(NEED, 20e9)).toContain('20.0 GB are available');
});

test('what is available is a part of what the host has', () => {
  expect(availableMemory()).toBeGreaterThan(0);
});

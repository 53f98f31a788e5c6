import { expect, test } from 'vitest';
import { foreignStack } from '../../src/load/fleet/foreign-stack.ts';

test('the stack of an error of a module has the frames of the module, and none of capbench and Node', () => {
  const stack = [
    'Error: unheard',
    'of, in two lines',
    '    at perform (file:///home/me/mine.mjs:3:9)',
    '    at ModuleConnection.send (file:///opt/capbench/dist/own-worker.js:1:2)',
    '    at PlayerPool.send (/opt/capbench/dist/fleet-worker.js:1:2)',
    '    at /home/me/other.cjs:1:1',
    '    at Timer.listOnTimeout (node:internal/timers:605:17)',
  ].join('\n');
  expect(foreignStack(stack, 'file:///opt/capbench/dist/').split('\n')).toEqual([
    'Error: unheard',
    'of, in two lines',
    '    at perform (file:///home/me/mine.mjs:3:9)',
    '    at /home/me/other.cjs:1:1',
  ]);
});

import { expect, test } from 'vitest';
import { hashOf } from '../../../../src/hashed-numbers.ts';
import type { NumberRanges } from '../../../../src/number-ranges.ts';
import { Agent } from '../../../../src/systems/realm/server/agent.ts';

const state = (numbers: NumberRanges, x: number) => ({
  ...{ numbers, seqHash: hashOf(numbers), x, z: 0, moved: 0, chats: 0 },
});

test('an agent that comes back from another world stands where it stood there, and loses nothing that this one had', () => {
  const agent = Agent.restored(7, state([[1, 4]], 1), 1_000);
  agent.apply(5, { x: 2 });
  const there: NumberRanges = [
    [1, 3],
    [6, 9],
  ];
  agent.goOnFrom(state(there, 5));
  expect(agent.state).toEqual(state([[1, 9]], 5));
  // Of what this world had alone, 4 is at the relay, and 5 is not yet.
  expect(agent.saved).toEqual([
    [1, 4],
    [6, 9],
  ]);
  expect(agent.isUnsaved).toBe(true);
  expect(agent.savedAt).toBe(1_000);
});

test('what the relay has from both is not synced again', () => {
  const agent = Agent.restored(7, state([[1, 4]], 1), 1_000);
  agent.goOnFrom(state([[1, 6]], 5));
  expect([agent.state.numbers, agent.isUnsaved]).toEqual([[[1, 6]], false]);
});

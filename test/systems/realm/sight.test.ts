import { expect, test } from 'vitest';
import { openSight } from '../../../src/systems/realm/sight.ts';
import type { Moved, Position } from '../../../src/systems/realm/wire.ts';

const here = { x: 50, z: 50 };

/** The sight of agent 0 among the agents 0 to 4, who has been told of these. */
function sightOf(...agents: readonly Position[]) {
  const sight = openSight((agent) => agent > 0 && agent < 5);
  expect(sight.snapshot(here, agents)).toEqual([]);
  let tick = 0;
  return {
    sight,
    moved: (...all: readonly Moved[]) => {
      tick += 1;
      return sight.update(here, { type: 'update', tick, acks: [], agents: all, gone: [] });
    },
    gone: (...all: readonly number[]) => {
      tick += 1;
      return sight.update(here, { type: 'update', tick, acks: [], agents: [], gone: all });
    },
  };
}

test.each<[what: string, agents: readonly Position[], problem: string]>([
  ['itself', [[0, 50, 50]], 'agent 0 is none of the others'],
  ['one that is not in this world', [[5, 50, 50]], 'agent 5 is none of the others'],
  ['one outside', [[1, 101, 50]], 'agent 1 is outside'],
  ['one beyond the radius', [[1, 90, 51]], 'agent 1 is out of sight'],
  [
    'one twice',
    [
      [1, 50, 51],
      [1, 50, 52],
    ],
    'agent 1 is there twice',
  ],
])('a snapshot cannot have %s', (_, agents, problem) => {
  const sight = openSight((agent) => agent > 0 && agent < 5);
  expect(sight.snapshot(here, agents)).toEqual([expect.stringContaining(problem)]);
});

test('an agent at the edge of the circle is in sight', () => {
  sightOf([1, 90, 50], [2, 50, 10]);
});

test('an agent goes as far as its commands take it', () => {
  const { moved } = sightOf();
  expect(moved([1, 50, 51, 7])).toEqual([]);
  expect(moved([1, 52, 53, 8])).toEqual([]);
  // Three commands, of which the last one is told.
  expect(moved([1, 58, 47, 11])).toEqual([]);
  expect(moved([1, 60.5, 47, 12])).toEqual(['agent 1 went 2.5 with 1 commands']);
});

test('an agent does not go back, but may be told again', () => {
  const { moved } = sightOf();
  expect(moved([1, 50, 51, 7])).toEqual([]);
  expect(moved([1, 50, 51, 7])).toEqual([]);
  expect(moved([1, 50.5, 51, 7])).toEqual(['agent 1 went 0.5 with 0 commands']);
  expect(moved([1, 50, 51, 6])).toEqual([expect.stringContaining('agent 1 is where it was before')]);
});

test('where the snapshot had no number, the first update is believed', () => {
  const { moved } = sightOf([1, 20, 50]);
  expect(moved([1, 80, 50, 3])).toEqual([]);
});

test('who is gone was there, and how far it has come is known when it is back', () => {
  const { moved, gone } = sightOf([2, 50, 52]);
  expect(gone(2)).toEqual([]);
  expect(gone(2)).toEqual(['agent 2 is gone, and was not there']);
  expect(moved([1, 50, 51, 1])).toEqual([]);
  expect(gone(1)).toEqual([]);
  expect(moved([1, 56, 51, 3])).toEqual(['agent 1 went 6 with 2 commands']);
});

test('updates come in order, and say something', () => {
  const { sight, moved } = sightOf();
  expect(moved()).toEqual(['an update of nothing']);
  expect(moved([1, 50, 51, 1])).toEqual([]);
  const update = { type: 'update', tick: 2, acks: [3], agents: [], gone: [] } as const;
  expect(sight.update(here, update)).toEqual(['tick 2 after tick 2']);
});

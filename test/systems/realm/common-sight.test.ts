import { expect, test } from 'vitest';
import { CommonSight } from '../../../src/systems/realm/common-sight.ts';
import type { Moved } from '../../../src/systems/realm/wire.ts';

interface Told {
  readonly acks?: readonly number[];
  readonly agents?: readonly Moved[];
  readonly gone?: readonly number[];
  readonly here: readonly [x: number, z: number];
}

const SECOND = 1e6;

/** Agents 0 and 1, at 50, 50 and 60, 50, who see each other; both have had an update. */
function two(areTogether = true) {
  const common = new CommonSight();
  const starts = [
    [50, 50],
    [60, 50],
  ] as const;
  const seers = starts.map(([x, z], agent) =>
    common.came(agent, { x, z }, (other) => areTogether && other !== agent, 0),
  );
  let now = 0;
  const found: string[] = [];
  const told = (tick: number, agent: 0 | 1, { acks = [], agents = [], gone = [], here }: Told): void => {
    const [x, z] = here;
    found.push(...seers[agent]!.update({ type: 'update', tick, acks, agents, gone }, { x, z }, now));
  };
  const both = (tick: number, [zero, one]: readonly [Told, Told]): void => {
    told(tick, 0, zero);
    told(tick, 1, one);
  };
  seers[0]!.snapshot({ type: 'snapshot', agents: [[1, 60, 50]] }, now);
  seers[1]!.snapshot({ type: 'snapshot', agents: [[0, 50, 50]] }, now);
  both(1, [
    { here: [50, 50], agents: [[1, 60, 50, 0]] },
    { here: [60, 50], agents: [[0, 50, 50, 0]] },
  ]);
  return {
    ...{ seers, told, both },
    wait: (seconds: number) => {
      now += seconds * SECOND;
    },
    /** What was wrong with the updates so far, once they are old enough. */
    wrong: (): readonly string[] => {
      now += 3 * SECOND;
      told(1_000 + now, 0, { here: [50, 50] });
      return found;
    },
  };
}

const AWAY = [95, 50] as const;

test.each<[what: string, updates: readonly [Told, Told], problem: string | null]>([
  [
    'one moves, and the other is told',
    [
      { here: [50, 50], agents: [[1, 61, 50, 1]] },
      { here: [61, 50], acks: [1] },
    ],
    null,
  ],
  [
    'one moves, and the other is not told',
    [{ here: [50, 50] }, { here: [61, 50], acks: [1] }],
    'agent 0 at 50, 50 was told that agent 1 is at 60, 50, which is at 61, 50',
  ],
  [
    'one moves, and the other is told of another spot',
    [
      { here: [50, 50], agents: [[1, 60.5, 50, 1]] },
      { here: [61, 50], acks: [1] },
    ],
    'agent 0 at 50, 50 was told that agent 1 is at 60.5, 50, which is at 61, 50',
  ],
  [
    'one goes out of sight, and both are told',
    [
      { here: [50, 50], gone: [1] },
      { here: AWAY, acks: [1], gone: [0] },
    ],
    null,
  ],
  [
    'one goes out of sight, and the other is not told',
    [{ here: [50, 50] }, { here: AWAY, acks: [1], gone: [0] }],
    'agent 0 at 50, 50 was not told that agent 1 is gone to 95, 50',
  ],
  [
    'nobody goes, and one is told so',
    [{ here: [50, 50], gone: [1] }, { here: [60, 50] }],
    'agent 0 at 50, 50 was not told of agent 1 at 60, 50',
  ],
])('%s', (_, updates, problem) => {
  const { both, wrong } = two();
  both(2, updates);
  // Whoever has had a later update has had all before.
  both(3, [{ here: [50, 50] }, { here: updates[1].here }]);
  expect(wrong()).toEqual(problem === null ? [] : [`after tick 2, ${problem}`]);
});

test('an agent that comes into sight by the move of the other has to be told, too', () => {
  const { both, wrong } = two();
  both(2, [
    { here: [50, 50], gone: [1] },
    { here: AWAY, acks: [1], gone: [0] },
  ]);
  both(3, [
    { here: [60, 50], acks: [1] },
    { here: AWAY, agents: [[0, 60, 50, 1]] },
  ]);
  both(4, [{ here: [60, 50] }, { here: AWAY }]);
  expect(wrong()).toEqual(['after tick 3, agent 0 at 60, 50 was not told of agent 1 at 95, 50']);
});

test('nothing is said of ticks that one of both has not seen the end of, of connections that ended, and of other worlds', () => {
  const early = two();
  early.told(2, 1, { here: [61, 50], acks: [1] });
  // The update of this tick may still be on its way to agent 0, who has had none since.
  const [, one] = early.seers;
  expect(
    one!.update({ type: 'update', tick: 3, acks: [], agents: [], gone: [] }, { x: 61, z: 50 }, 3e6),
  ).toEqual([]);

  const gone = two();
  gone.both(2, [{ here: [50, 50] }, { here: [61, 50], acks: [1] }]);
  gone.both(3, [{ here: [50, 50] }, { here: [61, 50] }]);
  gone.seers[1]!.left();
  expect(gone.wrong()).toEqual([]);

  // After a pause in which nobody heard anything, what was told before it is still known.
  const paused = two();
  paused.both(2, [
    { here: [50, 50], agents: [[1, 61, 50, 1]] },
    { here: [61, 50], acks: [1] },
  ]);
  paused.both(3, [
    { here: [50, 50], agents: [[1, 62, 50, 2]] },
    { here: [62, 50], acks: [2] },
  ]);
  paused.wait(60);
  paused.both(4, [
    { here: [50, 50], agents: [[1, 63, 50, 3]] },
    { here: [63, 50], acks: [3] },
  ]);
  paused.both(5, [
    { here: [50, 50], agents: [[1, 64, 50, 4]] },
    { here: [64, 50], acks: [4] },
  ]);
  expect(paused.wrong()).toEqual([]);

  const apart = two(false);
  apart.both(2, [{ here: [50, 50] }, { here: [61, 50], acks: [1] }]);
  apart.both(3, [{ here: [50, 50] }, { here: [61, 50] }]);
  expect(apart.wrong()).toEqual([]);
});

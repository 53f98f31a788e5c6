import { expect, test } from 'vitest';
import { Presence } from '../../src/load/player/presence.ts';
import { type Stage, timedStages } from '../../src/scenario/stages.ts';
import type { Workload } from '../../src/scenario/workload.ts';
import { micros, seconds } from '../../src/units.ts';
import { workloadWith } from './a-workload.ts';
import { plannedHash } from './planned-hash.ts';

const NUMBERS = [30, 100, 60, 60, 10];

/** Stages of 2 s with these numbers of players, of whom 100 join or leave a second. */
function numbered(players: readonly number[], over: Partial<Stage> = {}, most = 100): Workload {
  const stages = players.map(
    (number, i): Stage => ({
      ...{ name: `s${i}`, lasting: seconds(2), rate: 1, over: seconds(0), players: number, ...over },
    }),
  );
  const plain = workloadWith({
    ...{ players: most, duration: 2 * players.length, intentRate: 10, postRate: 0, reconnect: true },
    connectsPerSecond: 100,
  });
  const shape = { players: most, connectsPerSecond: 100, duration: micros(0), stages };
  return { ...plain, timeline: { ...plain.timeline, stages: timedStages(shape, micros(0)) } };
}

const all = (players: number): number[] => Array.from({ length: players }, (_, player) => player);

test('every stage has its number of players, reached at the rate of connecting', () => {
  const workload = numbered(NUMBERS);
  const presence = new Presence(workload, all(100));
  const thereAt = (time: number): number =>
    all(100).filter((player) => presence.includes(player, time)).length;
  expect(all(100).filter((player) => presence.isFirst(player))).toHaveLength(30);
  for (const { start, end, players } of workload.timeline.stages ?? []) {
    expect(thereAt(players!.from)).toBe(players!.at);
    expect(thereAt(end - 1)).toBe(players!.at);
    const middle = (start + players!.from) / 2;
    expect(Math.abs(thereAt(middle) - (players!.before + players!.at) / 2)).toBeLessThanOrEqual(1);
  }
});

test('players join and leave in order of time, each when it becomes its turn, and who joined last leaves first', () => {
  const presence = new Presence(numbered(NUMBERS), all(100));
  const there = new Set(all(100).filter((player) => presence.isFirst(player)));
  const joined: number[] = [];
  const pool = {
    join: (player: number) => {
      expect(there.has(player)).toBe(false);
      there.add(player);
      joined.push(player);
    },
    retire: (player: number) => {
      expect(there.delete(player)).toBe(true);
      if (joined.length > 0) expect(player).toBe(joined.pop());
    },
  };
  const sizes: number[] = [];
  for (let second = 1; second <= 10; second++) {
    presence.send(seconds(second), pool);
    sizes.push(there.size);
  }
  // 70 join in 0.7 s, 40 leave in 0.4 s, 50 leave in 0.5 s.
  expect(sizes).toEqual([30, 30, 100, 100, 60, 60, 60, 60, 10, 10]);
  expect(presence.due).toBe(Number.POSITIVE_INFINITY);
});

test('the share of each quarter of the players is nearly equal, so that no server empties before the others', () => {
  const presence = new Presence(numbered([250], {}, 1000), all(1000));
  const quarters = [0, 0, 0, 0];
  for (const player of all(1000)) if (presence.isFirst(player)) quarters[Math.floor(player / 250)]! += 1;
  for (const one of quarters) expect(Math.abs(one - 62.5)).toBeLessThan(3);
});

test('the schedule is the same for any number of workers, and another than that of all players', async () => {
  const workload = numbered(NUMBERS, { rate: 2 });
  const hash = await plannedHash(workload, 1);
  for (const workers of [2, 3, 8]) expect(await plannedHash(workload, workers)).toBe(hash);
  expect(await plannedHash(numbered([100, 100, 100, 100, 100], { rate: 2 }), 1)).not.toBe(hash);
});

test('stages that all have all players have the schedule of stages without numbers', async () => {
  const workload = numbered([100, 100]);
  const plain = workload.timeline.stages?.map(({ players: _, ...stage }) => stage) ?? [];
  const without = { ...workload, timeline: { ...workload.timeline, stages: plain } };
  expect(await plannedHash(workload, 2)).toBe(await plannedHash(without, 2));
});

test('the players of a group are there together', () => {
  const presence = new Presence({ ...numbered([40]), group: 4 }, all(100));
  const groups = Array.from({ length: 25 }, (_, group) =>
    all(100).filter((player) => Math.floor(player / 4) === group && presence.isFirst(player)),
  );
  expect(groups.filter((there) => there.length === 4)).toHaveLength(10);
  expect(groups.filter((there) => there.length === 0)).toHaveLength(15);
  // The last group is smaller.
  const odd = new Presence({ ...numbered([101], {}, 101), group: 4 }, all(101));
  expect(all(101).filter((player) => odd.isFirst(player))).toHaveLength(101);
});

import { expect, test } from 'vitest';
import { dealEvenly, requireWholeGroups } from '../../src/load/fleet/deal.ts';
import { playersOf } from '../../src/load/fleet/load-worker.ts';
import type { WorkerSetup } from '../../src/load/fleet/messages.ts';
import { numberInWorker, workerOfPlayer } from '../../src/load/pacer.ts';
import { Churn } from '../../src/load/player/churn.ts';
import type { Workload } from '../../src/scenario/workload.ts';
import { seconds } from '../../src/units.ts';
import { workloadWith } from './a-workload.ts';
import { plannedHash } from './planned-hash.ts';

const SIZES = [1, 2, 3, 7, 40, 100] as const;
const COUNTS = [1, 2, 3, 5] as const;
const ALL = SIZES.flatMap((group) => COUNTS.map((count) => [group, count] as const));

const workloadOf = (group: number, players = 40): Workload =>
  workloadWith({ players, monsters: 0, postRate: 0, ...(group === 1 ? {} : { group }) });
const idsOf = (workload: Workload, worker: number, workers: number): number[] => [
  ...playersOf({ worker, workers, workload } as WorkerSetup),
];

test.each(ALL)('groups of %d are each in one of %d workers, which know their players', (group, workers) => {
  const workload = workloadOf(group);
  const all = Array.from({ length: workers }, (_, worker) => idsOf(workload, worker, workers));
  expect(all.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, player) => player));
  for (const [worker, ids] of all.entries()) {
    for (const [number, player] of ids.entries()) {
      expect(workerOfPlayer(player, workers, group)).toBe(worker);
      expect(workerOfPlayer(player - (player % group), workers, group)).toBe(worker);
      expect(numberInWorker(player, workers, group)).toBe(number);
    }
  }
  const groups = all.map((ids) => new Set(ids.map((player) => Math.floor(player / group))).size);
  expect(Math.max(...groups) - Math.min(...groups)).toBeLessThanOrEqual(1);
});

test('the schedule is the same for any size of groups and any number of workers', async () => {
  const hash = await plannedHash(workloadOf(1), 1);
  for (const [group, workers] of ALL) expect(await plannedHash(workloadOf(group), workers)).toBe(hash);
});

test('those who leave are the same, too', () => {
  const churn = [{ from: seconds(0), to: seconds(4), perSecond: 20, away: seconds(1) }];
  const leaves = (group: number, workers: number) =>
    Array.from({ length: workers }, (_, worker) => {
      const workload = { ...workloadOf(group), churn };
      const ids = idsOf(workload, worker, workers);
      const own = new Churn(workload, { worker, workers });
      const left: (readonly [at: number, player: number])[] = [];
      while (own.due !== Number.POSITIVE_INFINITY) {
        const at = own.due;
        own.send(at, { leave: (number) => left.push([at, ids[number]!]) });
      }
      return left;
    })
      .flat()
      .sort(([a], [b]) => a - b);
  const alone = leaves(1, 1);
  expect(alone).toHaveLength(80);
  for (const [group, workers] of ALL) expect(leaves(group, workers)).toEqual(alone);
});

const dealt = (players: number, group: number, servers: number) =>
  dealEvenly(
    {
      worlds: Array.from({ length: servers }, (_, i) => ({ url: `http://127.0.0.1:${i + 1}`, pid: null })),
      database: null,
    },
    workloadOf(group, players),
    AbortSignal.timeout(1000),
  );

test.each(ALL)('groups of %d are each at one of %d servers', async (group, servers) => {
  for (const players of [40, 41, 99]) {
    const worlds = await dealt(players, group, servers);
    expect(worlds[0]?.players.from).toBe(0);
    expect(worlds.at(-1)?.players.to).toBe(players);
    for (const [i, { players: own }] of worlds.entries()) {
      expect(own.from).toBe(worlds[i - 1]?.players.to ?? 0);
      if (own.from !== players) expect(own.from % group).toBe(0);
    }
    const groups = worlds.map(({ players: own }) => Math.ceil((own.to - own.from) / group));
    expect(Math.max(...groups) - Math.min(...groups)).toBeLessThanOrEqual(1);
    requireWholeGroups(worlds, workloadOf(group, players));
  }
});

test('servers that own their players may cut a group in two, and then nothing is run', async () => {
  const worlds = await dealt(40, 1, 3);
  expect(worlds.map(({ players }) => players.to)).toEqual([13, 26, 40]);
  requireWholeGroups(worlds, workloadOf(1));
  requireWholeGroups(worlds, workloadOf(13));
  expect(() => requireWholeGroups(worlds, workloadOf(2))).toThrow(
    'the players 12 to 13 are one group, and http://127.0.0.1:1 has only those up to 12',
  );
  expect(() => requireWholeGroups(worlds, workloadOf(26))).toThrow('the players 0 to 25 are one group');
});

import { expect, test } from 'vitest';
import { Churn } from '../../src/load/player/churn.ts';
import type { ChurnWindow } from '../../src/scenario/stages.ts';
import { seconds } from '../../src/units.ts';

const WINDOWS: readonly ChurnWindow[] = [
  { from: seconds(0), to: seconds(4), perSecond: 5, away: seconds(1) },
  { from: seconds(6), to: seconds(8), perSecond: 20, away: seconds(0.5) },
];

interface Leave {
  readonly at: number;
  readonly player: number;
  readonly away: number;
}

/** The departures that one of several workers plans, by the players' ids. */
function leaves(players: number, worker = 0, workers = 1, seed = 3): Leave[] {
  const churn = new Churn({ seed, players, churn: WINDOWS }, { worker, workers });
  const all: Leave[] = [];
  while (churn.due !== Number.POSITIVE_INFINITY) {
    const at = churn.due;
    churn.send(at, { leave: (i, away) => all.push({ at, player: i * workers + worker, away }) });
  }
  return all;
}

test('players leave at the rate of the window, and none leave between windows', () => {
  const all = leaves(50);
  const within = (from: number, to: number): number =>
    all.filter(({ at }) => at >= from * 1e6 && at < to * 1e6).length;
  expect([within(0, 4), within(4, 6), within(6, 8), within(8, 100)]).toEqual([20, 0, 40, 0]);
  for (const second of [0, 1, 2, 3]) expect(within(second, second + 1)).toBe(5);
  expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).sort((a, b) => a - b));
  expect(all.filter(({ at }) => at < 5e6).every(({ away }) => away === 1e6)).toBe(true);
  expect(all.filter(({ at }) => at > 5e6).every(({ away }) => away === 0.5e6)).toBe(true);
});

test('each player leaves once before any leaves twice', () => {
  for (const players of [1, 2, 7, 50, 60]) {
    const turns = leaves(players).map(({ player }) => player);
    for (let first = 0; first + players <= turns.length; first += players) {
      expect(new Set(turns.slice(first, first + players)).size).toBe(players);
    }
    expect(turns.every((player) => player >= 0 && player < players)).toBe(true);
  }
});

test.each([2, 3, 5])('is the same when %d workers share it, and another for another seed', (workers) => {
  const shared = Array.from({ length: workers }, (_, worker) => leaves(50, worker, workers)).flat();
  expect(shared.sort((a, b) => a.at - b.at)).toEqual(leaves(50));
  expect(leaves(50, 0, 1, 4)).not.toEqual(leaves(50));
});

test('no player leaves without players, or after a stop', () => {
  expect(leaves(0)).toEqual([]);
  const churn = new Churn({ seed: 3, players: 10, churn: WINDOWS }, { worker: 0, workers: 1 });
  churn.stop();
  churn.send(1e9, { leave: () => expect.unreachable() });
});

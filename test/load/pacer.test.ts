import { describe, expect, test } from 'vitest';
import { afterRamp } from '../../src/load/operational-time.ts';
import { PlayerPacer, workerOfPlayer } from '../../src/load/pacer.ts';
import type { Timeline } from '../../src/scenario/workload.ts';
import { LANES, Lanes } from '../../src/systems/flux/monsters/lanes.ts';
import { PostPacer } from '../../src/systems/flux/monsters/post-pacer.ts';
import { seconds } from '../../src/units.ts';

const timeline = (ramp: number, end: number): Timeline => ({
  rampEnd: seconds(ramp),
  measureStart: seconds(ramp),
  end: seconds(end),
});

const duesOf = (pacer: PlayerPacer, i: number): number[] => {
  const dues: number[] = [];
  for (let due = pacer.next(i); due !== Number.POSITIVE_INFINITY; due = pacer.next(i)) dues.push(due);
  return dues;
};
const within = (dues: readonly number[], from: number, to: number): number =>
  dues.filter((due) => due >= from * 1e6 && due < to * 1e6).length;

describe('ramp', () => {
  test.each([
    // [operational seconds, ramp, wall seconds]
    [0, 10, 0],
    [5, 10, 10],
    [1.25, 10, 5],
    [6, 10, 11],
    [3, 0, 3],
  ])('%d operational seconds with a ramp of %d s pass in %d s', (tau, ramp, wall) => {
    expect(afterRamp(tau, ramp)).toBeCloseTo(wall, 9);
  });
});

describe('a player', () => {
  test.each([0.3, 1, 2.5, 7, 100])('with rate %d has that many due a second, give or take one', (rate) => {
    const pacer = new PlayerPacer(5, [0, 1, 2, 3], rate, timeline(4, 24));
    for (let player = 0; player < 4; player++) {
      const dues = duesOf(pacer, player);
      expect(dues).toEqual([...dues].sort((a, b) => a - b));
      for (let second = 4; second < 24; second++) {
        // A window of a second cuts an interval at either end; with a whole rate, both parts add up to one interval.
        const off = Math.abs(within(dues, second, second + 1) - rate);
        expect(off).toBeLessThanOrEqual(Number.isInteger(rate) ? 1 : 1.999);
      }
      expect(Math.abs(within(dues, 4, 24) - 20 * rate)).toBeLessThanOrEqual(1);
      // During the ramp the rate is half on average.
      expect(Math.abs(within(dues, 0, 4) - 2 * rate)).toBeLessThanOrEqual(1);
      expect(dues.every((due) => Number.isInteger(due) && due >= 0 && due < 24e6)).toBe(true);
    }
  });

  test('the ramp is linear', () => {
    const players = Array.from({ length: 2000 }, (_, id) => id);
    const pacer = new PlayerPacer(5, players, 2, timeline(10, 12));
    const counts = new Array<number>(12).fill(0);
    for (const player of players) {
      for (const due of duesOf(pacer, player)) counts[Math.floor(due / 1e6)]! += 1;
    }
    counts.slice(0, 10).forEach((count, second) => {
      const expected = 2000 * 2 * ((second + 0.5) / 10);
      expect(Math.abs(count - expected)).toBeLessThan(200);
    });
    expect(Math.abs(counts[10]! - 4000)).toBeLessThan(200);
  });

  test('players are not synchronised, and a seed determines the schedule', () => {
    const pacer = new PlayerPacer(5, [0, 1], 1, timeline(0, 50));
    const [a, b] = [duesOf(pacer, 0), duesOf(pacer, 1)];
    expect(a.filter((due) => b.some((other) => Math.abs(due - other) < 1000)).length).toBeLessThan(3);
    expect(duesOf(new PlayerPacer(5, [9, 1], 1, timeline(0, 50)), 1)).toEqual(b);
    expect(duesOf(new PlayerPacer(6, [0, 1], 1, timeline(0, 50)), 1)).not.toEqual(b);
  });

  test('has nothing due without a rate', () => {
    expect(new PlayerPacer(5, [0], 0, timeline(0, 10)).next(0)).toBe(Number.POSITIVE_INFINITY);
  });
});

interface Post {
  readonly post: number;
  readonly lane: number;
  readonly due: number;
  readonly server: number;
  readonly monsters: readonly number[];
  readonly texts: readonly number[];
}

const RANGES = [
  { from: 0, to: 500 },
  { from: 500, to: 1000 },
  { from: 1000, to: 1501 },
];

/** All posts that one of several workers plans. */
function posts(seed: number, worker: number, workers: number, monsters = 1501, ranges = RANGES): Post[] {
  const pacer = new PostPacer(
    { seed, postRate: 50, monsters, timeline: timeline(2, 12) },
    { worker, workers },
  );
  const lanes = new Lanes(seed, monsters, ranges);
  const planned: Post[] = [];
  for (; pacer.due !== Number.POSITIVE_INFINITY; pacer.advance()) {
    const ids = new Int32Array(20);
    const texts = new Uint8Array(20);
    const server = lanes.nextServer(pacer.lane);
    lanes.draw(pacer.lane, server, 20, ids, texts, 0);
    const { post, lane, due } = pacer;
    planned.push({ post, lane, due, server, monsters: [...ids], texts: [...texts] });
  }
  return planned;
}

describe('posts', () => {
  const all = posts(3, 0, 1);

  test('have the exact rate, are in order, and lie within the timeline', () => {
    expect(all.map(({ post }) => post)).toEqual(all.map((_, index) => index));
    const dues = all.map(({ due }) => due);
    for (let second = 2; second < 12; second++) {
      expect(Math.abs(within(dues, second, second + 1) - 50)).toBeLessThanOrEqual(1);
    }
    expect(dues).toEqual([...dues].sort((a, b) => a - b));
    expect(dues.at(-1)).toBeLessThan(12e6);
  });

  test.each([2, 3, 4, 24, 30])('are the same when %d workers share them', (workers) => {
    const shared = Array.from({ length: workers }, (_, worker) => posts(3, worker, workers)).flat();
    expect(shared.sort((a, b) => a.post - b.post)).toEqual(all);
  });

  test('have only monsters of their lane and of their server', () => {
    for (const { lane, server, monsters } of all) {
      const range = RANGES[server] ?? { from: 0, to: 0 };
      for (const monster of monsters) {
        expect(monster % LANES).toBe(lane);
        expect(monster >= range.from && monster < range.to).toBe(true);
      }
    }
    const drawn = new Set(all.flatMap(({ monsters }) => monsters));
    expect(drawn.size).toBeGreaterThan(1490);
  });

  test('give every server its share', () => {
    for (let server = 0; server < RANGES.length; server++) {
      const share = all.filter((post) => post.server === server).length / all.length;
      expect(Math.abs(share - 1 / 3)).toBeLessThan(0.03);
    }
  });

  test('differ with the seed', () => {
    expect(posts(4, 0, 1).map(({ due }) => due)).not.toEqual(all.map(({ due }) => due));
  });

  test.each([1, 5, 23])('find their monsters when there are only %d', (monsters) => {
    const ranges = [
      { from: 0, to: Math.floor(monsters / 2) },
      { from: Math.floor(monsters / 2), to: monsters },
    ];
    const few = posts(3, 0, 1, monsters, ranges);
    expect(few.length).toBeGreaterThan(500);
    for (const post of few) {
      const range = ranges[post.server] ?? { from: 0, to: 0 };
      expect(post.monsters.every((it) => it >= range.from && it < range.to)).toBe(true);
    }
  });

  test('are none without monsters', () => {
    expect(posts(3, 0, 1, 0, [{ from: 0, to: 0 }])).toEqual([]);
  });
});

test('every player belongs to one worker', () => {
  const workers = Array.from({ length: 100 }, (_, player) => workerOfPlayer(player, 3));
  for (let worker = 0; worker < 3; worker++) {
    expect(workers.filter((it) => it === worker).length).toBeGreaterThanOrEqual(33);
  }
});

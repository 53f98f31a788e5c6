import { describe, expect, test } from 'vitest';
import { OperationalTime } from '../../src/load/operational-time.ts';
import { PlayerPacer } from '../../src/load/pacer.ts';
import { operationalSeconds, type Stage, timedStages } from '../../src/scenario/stages.ts';
import type { Timeline } from '../../src/scenario/workload.ts';
import { PostPacer } from '../../src/systems/flux/monsters/post-pacer.ts';
import { micros, seconds } from '../../src/units.ts';

const stage = (name: string, lasting: number, rate = 1, over = 0): Stage => ({
  ...{ name, rate, lasting: seconds(lasting), over: seconds(over) },
});

function timelineOf(stages: readonly Stage[], ramp = 2, warmUp = 1): Timeline {
  const measureStart = seconds(ramp + warmUp);
  const duration = micros(stages.reduce((sum, { lasting }) => sum + lasting, 0));
  const timed = timedStages({ players: 1, connectsPerSecond: 1000, duration, stages }, measureStart);
  return {
    rampEnd: seconds(ramp),
    measureStart,
    end: micros(measureStart + duration),
    stages: timed,
  };
}

/** A level, a sudden spike, a slope down, a pause, a slope up over a whole stage, and a fractional level. */
const SHAPE = [
  stage('hold', 5),
  stage('spike', 4, 3),
  stage('down', 6, 0.5, 3),
  stage('pause', 2, 0),
  stage('up', 4, 2, 4),
  stage('odd', 5, 1.37, 0.7),
];

const duesOf = (next: () => number): number[] => {
  const dues: number[] = [];
  for (let due = next(); due !== Number.POSITIVE_INFINITY; due = next()) dues.push(due);
  return dues;
};
const within = (dues: readonly number[], from: number, to: number): number =>
  dues.filter((due) => due >= from && due < to).length;

describe('operational time', () => {
  const timeline = timelineOf(SHAPE);
  const time = new OperationalTime(timeline);

  test('is inverted exactly: the area under the rate up to each instant leads back to it', () => {
    let tau = 3 - 1;
    for (const one of timeline.stages ?? []) {
      const { start, levelFrom, end, rateBefore, rate } = one;
      for (let at: number = start; at < end; at += 123_457) {
        const grown = Math.min(at, levelFrom) - start;
        const slope = levelFrom === start ? 0 : (rate - rateBefore) / (levelFrom - start);
        const area = rateBefore * grown + (slope * grown * grown) / 2 + rate * Math.max(0, at - levelFrom);
        // In a pause nothing is due, so the function has no inverse there.
        if (rate === 0) continue;
        expect(Math.abs(time.wallAt(tau + area / 1e6) - at / 1e6)).toBeLessThan(1e-8);
      }
      tau += operationalSeconds(one);
    }
    expect(time.wallAt(tau)).toBe(Number.POSITIVE_INFINITY);
  });

  test('never decreases, and skips pauses', () => {
    let before = 0;
    for (let tau = 0; tau < 40; tau += 0.01) {
      const now = time.wallAt(tau);
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
    const [from, to] = [3 + 15, 3 + 17];
    for (let tau = 0; tau < 40; tau += 0.01) {
      const now = time.wallAt(tau);
      expect(now > from + 1e-9 && now < to - 1e-9).toBe(false);
    }
  });

  test('with stages of rate 1, is the same as without stages', () => {
    const plain = timelineOf([stage('a', 4), stage('b', 5)]);
    const [staged, without] = [new OperationalTime(plain), new OperationalTime({ ...plain, stages: [] })];
    for (let tau = 0; tau < 10; tau += 0.037) {
      expect(Math.abs(staged.wallAt(tau) - without.wallAt(tau))).toBeLessThan(1e-9);
    }
  });
});

describe('the schedule of a load with stages', () => {
  const timeline = timelineOf(SHAPE);

  test.each([0.3, 1, 2.5, 40])(
    'has in each stage the number that its rate gives for %d a second, within one arrival',
    (rate) => {
      const pacer = new PlayerPacer(5, [0, 1, 2, 3, 4, 5], rate, timeline);
      for (let player = 0; player < 6; player++) {
        const dues = duesOf(() => pacer.next(player));
        expect(dues).toEqual([...dues].sort((a, b) => a - b));
        for (const one of timeline.stages ?? []) {
          // A stage cuts an interval at either end.
          const off = within(dues, one.start, one.end) - rate * operationalSeconds(one);
          expect(Math.abs(off)).toBeLessThan(2);
        }
        const total = (timeline.stages ?? []).reduce((sum, one) => sum + operationalSeconds(one), 0);
        expect(Math.abs(within(dues, timeline.measureStart, timeline.end) - rate * total)).toBeLessThan(2);
        expect(dues.at(-1)).toBeLessThan(timeline.end);
      }
    },
  );

  test('keeps a level in every second of it', () => {
    const posts = new PostPacer(
      { seed: 3, postRate: 50, monsters: 1000, timeline },
      { worker: 0, workers: 1 },
    );
    const dues: number[] = [];
    for (; posts.due !== Number.POSITIVE_INFINITY; posts.advance()) dues.push(posts.due);
    for (const { levelFrom, end, rate } of timeline.stages ?? []) {
      for (let from: number = levelFrom; from + 1e6 <= end; from += 1e6) {
        expect(Math.abs(within(dues, from, from + 1e6) - 50 * rate)).toBeLessThan(2);
      }
    }
  });

  test.each([2, 3, 8])('is the same when %d workers share it', (workers) => {
    const all = (worker: number, of: number): string[] => {
      const pacer = new PostPacer(
        { seed: 3, postRate: 50, monsters: 1000, timeline },
        { worker, workers: of },
      );
      const planned: string[] = [];
      for (; pacer.due !== Number.POSITIVE_INFINITY; pacer.advance())
        planned.push(`${pacer.post}@${pacer.due}`);
      return planned;
    };
    const shared = Array.from({ length: workers }, (_, worker) => all(worker, workers)).flat();
    expect(shared.sort()).toEqual(all(0, 1).sort());
  });

  test('before the first stage, is the same as without stages', () => {
    const { stages: _, ...plain } = timeline;
    for (const id of [0, 1, 2]) {
      const dues = (of: Timeline): number[] => {
        const pacer = new PlayerPacer(5, [id], 7, of);
        return duesOf(() => pacer.next(0)).filter((due) => due < of.measureStart);
      };
      expect(dues(timeline)).toEqual(dues(plain));
    }
  });
});

import { expect, it } from 'vitest';
import { random } from '../../src/rng.ts';
import { type Point, slopeOf, trendOf } from './slope.ts';

const noise = random(1);
/** 240 readings, 5 s apart, of 100 with noise of +-10, with some shape added. */
const readings = (shape: (at: number) => number): Point[] =>
  Array.from({ length: 240 }, (_, i) => [i * 5, 100 + 20 * (noise() - 0.5) + shape(i * 5)] as const);

it('a rise is found in noise, with an interval that contains it', () => {
  const slope = slopeOf(readings((at) => at / 100));
  expect(slope?.low).toBeGreaterThan(0);
  expect(slope?.low).toBeLessThan(0.01);
  expect(slope?.high).toBeGreaterThan(0.01);
  expect(slope?.perSecond).toBeCloseTo(0.01, 2);
});

it('a series that fluctuates, or jumps for a while, does not grow', () => {
  for (const shape of [
    () => 0,
    (at: number) => (at > 500 && at < 600 ? 1000 : 0),
    (at: number) => (at % 60) / 3,
  ]) {
    expect(trendOf(readings(shape), 2)).toMatchObject({ grows: false });
  }
});

it('a series that falls does not grow, and growth within the tolerance is accepted', () => {
  const grows = (perSecond: number, tolerated: number) =>
    trendOf(
      readings((at) => at * perSecond),
      tolerated,
    ).grows;
  expect([grows(-0.02, 0), grows(0.01, 5), grows(0.01, 50)]).toEqual([false, true, false]);
});

it('one more descriptor each minute is found', () => {
  const points = Array.from({ length: 240 }, (_, i) => [i * 5, 30 + Math.floor((i * 5) / 60)] as const);
  const { grows, growth } = trendOf(points, 4);
  expect(grows).toBe(true);
  expect(growth).toBeCloseTo(20, 0);
});

it('too few points give no slope', () => {
  expect(slopeOf(readings(() => 0).slice(0, 7))).toBeNull();
});

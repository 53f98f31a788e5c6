import { expect, test } from 'vitest';
import { PlayerPacer } from '../../src/load/pacer.ts';
import { ScheduleHash, scheduleHashOf } from '../../src/load/schedule-hash.ts';
import { PostPacer } from '../../src/systems/flux/monsters/post-pacer.ts';
import { seconds } from '../../src/units.ts';

/** Of the due times that one seed and one timeline without stages have always led to. */
test.each([
  [7, 2, 1.5, 9, 'ec50a2ec333cb1d2'],
  [1, 0, 0.37, 12, 'eab693abd6d6c8c2'],
])('a load without stages has the schedule it always had (seed %d)', (seed, ramp, rate, end, expected) => {
  const timeline = { rampEnd: seconds(ramp), measureStart: seconds(ramp + 1), end: seconds(end) };
  const hash = new ScheduleHash();
  const players = Array.from({ length: 200 }, (_, id) => id);
  const pacer = new PlayerPacer(seed, players, rate, timeline);
  for (const player of players) {
    let sequence = 0;
    for (let due = pacer.next(player); due !== Number.POSITIVE_INFINITY; due = pacer.next(player)) {
      sequence += 1;
      hash.add(0, player, sequence, due);
    }
  }
  const posts = new PostPacer(seed, 40 * rate, 100, timeline, 0, 1);
  for (; posts.due !== Number.POSITIVE_INFINITY; posts.advance()) {
    hash.add(1, posts.lane, posts.post, posts.due);
  }
  expect(scheduleHashOf([hash.words()])).toBe(expected);
});

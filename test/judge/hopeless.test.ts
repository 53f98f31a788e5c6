import { expect, test } from 'vitest';
import { HOPELESS_AFTER_SECONDS, hopelessness } from '../../src/judge/hopeless.ts';

const seconds = (missed: readonly number[], failedSent = 0): (string | null)[] => {
  const ask = hopelessness();
  return missed.map((share) => ask('intent', { scheduled: 100, missed: share, failedSent }));
};

test('a run is never given up before ten seconds', () => {
  const answers = seconds(Array.from({ length: 20 }, () => 100));
  expect(answers.findIndex((answer) => answer !== null)).toBe(HOPELESS_AFTER_SECONDS - 1);
});

test('a run that misses less than half goes on', () => {
  expect(seconds(Array.from({ length: 60 }, () => 49)).every((answer) => answer === null)).toBe(true);
});

test('only the last five seconds count', () => {
  const recovered = [...Array.from({ length: 9 }, () => 100), 0, 0, 0, 0, 0, 0];
  expect(seconds(recovered).at(-1)).toBeNull();
});

test('the sentence names the operation and the share', () => {
  expect(seconds(Array.from({ length: 10 }, () => 75)).at(-1)).toContain('75% of the intent operations');
});

test("what was sent and failed is the target's doing, where it is most of it", () => {
  const missed = Array.from({ length: 10 }, () => 80);
  expect(seconds(missed, 41).at(-1)).toContain('most had been sent, and failed by what the target did');
  expect(seconds(missed, 40).at(-1)).not.toContain('the target');
});

test('nothing scheduled is not hopeless', () => {
  const ask = hopelessness();
  for (let i = 0; i < 20; i++) expect(ask('intent', { scheduled: 0, missed: 0, failedSent: 0 })).toBeNull();
});

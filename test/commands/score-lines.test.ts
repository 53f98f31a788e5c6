import { expect, test } from 'vitest';
import { comparisonLines, scoreLines, scoreWarnings } from '../../src/commands/score-lines.ts';
import { scoresOf } from '../model/a-score.ts';

const linesOf = (...args: Parameters<typeof scoreLines>): string => scoreLines(...args).join('\n');

test('the machine, then each score with unit and spread, or why it is unmeasured', () => {
  const text = linesOf(scoresOf({ javascript: 331.74, batchedUpdates: 'PostgreSQL is not installed' }), 100);
  expect(text).toMatch(/^a cpu, 4 CPUs of 2 cores \(SMT\), x64, 8 GB, steal 0%\n/);
  expect(text).toMatch(/\n {2}javascript +331\.7 +±1% +x: /);
  expect(text).toMatch(/\n {2}batchedUpdates +unmeasured +PostgreSQL is not installed$/);
});

test('what the system does not say is left out', () => {
  const text = linesOf(scoresOf({}, { cores: null, stealPercent: null }), 100);
  expect(text).toMatch(/^a cpu, 4 CPUs, x64, 8 GB\n/);
});

test.each([60, 80, 100])('no line is wider than a terminal of %i columns', (width) => {
  const here = scoresOf({
    webSocket: 'this host allows no sockets, which is a rather long reason for a line',
  });
  const all = [...scoreLines(here, width), ...comparisonLines(here, scoresOf(), 'there.json', width)];
  expect(all.filter((line) => line.length > width)).toEqual([]);
});

test('a comparison has both values and the ratio, the speed of a core, and what differs', () => {
  const there = scoresOf(
    { fdatasyncP50: 200, loopback: 'no sockets' },
    { node: 'v20.1.0', cpuModel: 'another' },
  );
  const text = comparisonLines(scoresOf({ javascript: 400 }), there, 'box.json', 100).join('\n');
  expect(text).toContain('that of box.json: another, 4 CPUs of 2 cores');
  expect(text).toMatch(/javascript +400 +100 +4x as good/);
  expect(text).toMatch(/fdatasyncP50 +100 +200 +2x as good/);
  expect(text).toMatch(/loopback +100 +unmeasured\n/);
  expect(text).toContain('A core of this machine is 2 times as fast');
  expect(text).toContain('Not quite comparable: Node v22 here, v20 there.');
});

test('nothing is doubtful on a quiet machine', () => {
  expect(scoreWarnings(scoresOf())).toEqual([]);
  expect(scoreWarnings(scoresOf({}, { stealPercent: null, otherCores: null }))).toEqual([]);
});

test('a wide spread, other processes, steal and files in memory are warnings', () => {
  const wide = scoresOf();
  const scores = {
    ...wide,
    ...{ otherCores: 0.8, stealPercent: 7, inMemory: true },
    scores: { ...wide.scores, javascript: { value: 1, unit: 'x', better: 'higher', spread: 0.14 } as const },
  };
  const [memory = '', steal = '', spread = '', others = '', ...rest] = scoreWarnings(scores);
  expect(rest).toEqual([]);
  expect(memory).toContain('set TMPDIR');
  expect(steal).toContain('7% of the CPU time');
  expect(spread).toMatch(/^measured beside other work.*: javascript ±14%;/);
  expect(others).toContain('other processes used 0.8 cores');
});

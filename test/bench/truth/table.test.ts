import { expect, test } from 'vitest';
import { faultsOf, isRight, type Line, medianOf, unknownsOf } from './line.ts';
import { percentilesOf } from './percentiles.ts';
import { markdownOf, textOf } from './table.ts';

const truth = { 50: 5, 90: 0, 95: 100, 99: 180 };
const lineWith = (given: Partial<Line>): Line => ({
  ...{ model: 'law', tool: 'ours', wire: 'HTTP', ours: true, perSecond: 1000, lateP99: 0 },
  ...{ truth, atMost: { ...truth, 90: 2 }, reported: truth, seen: truth },
  ...given,
});

test('a figure is right within 1% or 0.5 ms, whichever is larger', () => {
  const at = (p50: number, p99: number) => lineWith({ reported: { ...truth, 50: p50, 99: p99 } });
  expect(isRight(at(5.5, 181.7), 50)).toBe(true);
  expect(isRight(at(5.51, 181.7), 50)).toBe(false);
  expect(isRight(at(4.49, 181.7), 50)).toBe(false);
  expect(isRight(at(5, 181.7), 99)).toBe(true);
  expect(isRight(at(5, 181.9), 99)).toBe(false);
  expect(isRight(at(5, 178.1), 99)).toBe(false);
});

test('where the truth is a range, a figure inside it is right, and the error is the distance to it', () => {
  const at = (p90: number) => lineWith({ reported: { ...truth, 90: p90 } });
  expect([0, 1, 2, 2.5, 2.6].map((p90) => isRight(at(p90), 90))).toEqual([true, true, true, true, false]);
});

test('the delay that the server itself measured is also right, within 0.5 ms and not below its model', () => {
  const at = (p50: number, took: number) =>
    isRight(lineWith({ reported: { ...truth, 50: p50 }, seen: { ...truth, 50: took } }), 50);
  expect(at(5.9, 5.4)).toBe(true);
  expect(at(5.91, 5.4)).toBe(false);
  expect([at(6, 9), at(6.01, 9)]).toEqual([true, false]);
  // It saw less, for it was not asked while it stalled: that is no excuse to say less.
  expect(at(4.4, 1)).toBe(false);
});

test('several rounds give the median of each figure; a figure that one round lacks is missing', () => {
  const round = (p50: number, p99: number | null, lateP99: number) =>
    lineWith({ reported: { ...truth, 50: p50, 99: p99 }, lateP99, perSecond: 100 * p50 });
  const { reported, lateP99, perSecond } = medianOf([
    round(5, 180, 3),
    round(9, 190, 0.1),
    round(6, 170, 0.2),
  ]);
  expect([reported[50], reported[99], lateP99, perSecond]).toEqual([6, 180, 0.2, 600]);
  expect(medianOf([round(5, 180, 0), round(5, null, 0), round(5, 180, 0)]).reported[99]).toBeNull();
});

test('a missing or infinite figure is not right', () => {
  expect(isRight(lineWith({ reported: { ...truth, 95: null } }), 95)).toBe(false);
  expect(isRight(lineWith({ reported: { ...truth, 95: Number.POSITIVE_INFINITY } }), 95)).toBe(false);
});

test("only capbench's own lines are judged", () => {
  const wrong = percentilesOf(() => 1);
  expect(faultsOf([lineWith({}), lineWith({ ours: false, reported: wrong })])).toEqual([]);
  expect(faultsOf([lineWith({ reported: { ...truth, 95: 90 } })])).toEqual([
    'ours over HTTP, law: p95 is 90.0 ms, and in truth 100 ms',
  ]);
});

test('a server that is late itself gives no truth', () => {
  expect(unknownsOf([lineWith({ lateP99: 0.5 }), lineWith({ ours: false, lateP99: 9 })])).toEqual([]);
  expect(unknownsOf([lineWith({ lateP99: 0.6 })])).toHaveLength(1);
});

const wrong = lineWith({ reported: { ...truth, 95: 31, 99: null }, ours: false, tool: 'theirs' });

test('for a terminal: the truth, the reported figures and their errors', () => {
  expect(
    textOf([wrong])
      .split('\n')
      .map((row) => row.trim().split(/\s{2,}/)),
  ).toEqual([
    ['wire', 'requests/s', 'p50', 'p90', 'p95', 'p99', 'the server saw', 'late'],
    ['law: true', '5.00', '0.00..2.00', '100', '180'],
    ['theirs', 'HTTP', '1000', '5.00', '0.00', '31.0 (-69.0)', '-', '5.00 / 0.00 / 100 / 180', '0.00'],
  ]);
});

test('for the README: a row for each tool, with wrong figures in bold', () => {
  expect(markdownOf([lineWith({ lateP99: 0.2 }), wrong]).split('\n')).toEqual([
    '|  | wire | law |',
    '| --- | --- | ---: |',
    '| true |  | 5.00 / 0.00..2.00 / 100 / 180 |',
    '| late: the server, p99 |  | 0.20 |',
    '| ours | HTTP | 5.00 / 0.00 / 100 / 180 |',
    '| theirs | HTTP | 5.00 / 0.00 / **31.0** / - |',
  ]);
});

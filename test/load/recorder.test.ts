import { expect, test } from 'vitest';
import { countOf } from '../../src/histogram.ts';
import { OUTCOME } from '../../src/load/outcome.ts';
import { assertConserved, Recorder } from '../../src/load/recorder.ts';
import type { Timeline } from '../../src/scenario/workload.ts';
import { micros } from '../../src/units.ts';
import { INTENT, MONSTER_COMMAND, ofBoth, operationsOf } from './a-workload.ts';

const timeline = { rampEnd: micros(0), measureStart: micros(1000), end: micros(2000) };
const OPERATIONS = operationsOf(1, 1);
const ALL = Object.values(OUTCOME);

test('every outcome is counted separately, by due time', () => {
  const recorder = new Recorder(OPERATIONS, timeline);
  // Before, in (both ends) and after the measure phase.
  const dues = [999, 1000, 1999, 2000];
  for (const due of dues) {
    for (const outcome of ALL) {
      recorder.schedule(INTENT, outcome, due);
      recorder.settle(INTENT, outcome, outcome, due, due + 10, due + 500);
    }
  }
  recorder.schedule(MONSTER_COMMAND, 200, 1500);
  recorder.settle(MONSTER_COMMAND, OUTCOME.ok, 150, 1500, 1600, 1700);
  recorder.settle(MONSTER_COMMAND, OUTCOME.rejected, 50, 1500, 1600, 1700);
  const { intent, monsterCommand } = ofBoth(recorder.tally());
  // Unsent failures are a part of the failures; the others were sent.
  const once = {
    ...{ scheduled: 36, ok: 1, rejected: 2, failed: 3 + 7, failedUnsent: 7 },
    ...{ timedOut: 4, skipped: 5, unfinished: 6, idle: 8 },
  };
  for (const [kind, count] of Object.entries(once)) {
    expect(intent.whole).toHaveProperty(kind, count * 4);
    expect(intent.measured).toHaveProperty(kind, count * 2);
  }
  // Latencies are recorded only for answers in the measure phase.
  expect(intent.due).toMatchObject({ min: 500, max: 500, sum: 500 * 6 });
  expect(intent.service).toMatchObject({ min: 490, max: 490, sum: 490 * 6 });
  expect(intent.lag).toMatchObject({ min: 10, max: 10, sum: 10 * 6 });
  expect(countOf(monsterCommand.due)).toBe(200);
  expect(monsterCommand.measured).toMatchObject({ scheduled: 200, ok: 150, rejected: 50 });
});

test('a second has the counts since the last one', () => {
  const recorder = new Recorder(OPERATIONS, timeline);
  recorder.schedule(INTENT, 5, 10);
  recorder.settle(INTENT, OUTCOME.ok, 2, 10, 20, 40);
  const first = { scheduled: 5, ok: 2, inFlight: 3, due: { sum: 60 } };
  expect(recorder.takeSecond(INTENT, 3)).toMatchObject(first);
  recorder.settle(INTENT, OUTCOME.failed, 3, 10, 20, 40);
  const second = recorder.takeSecond(INTENT, 0);
  expect(second).toMatchObject({ scheduled: 0, ok: 0, failed: 3, inFlight: 0 });
  expect(countOf(second.due)).toBe(0);
});

test.each(ALL)('a tally that lacks an operation is a bug (%d)', (outcome) => {
  const recorder = new Recorder(OPERATIONS, timeline);
  recorder.schedule(INTENT, 2, 1500);
  recorder.settle(INTENT, outcome, 1, 1500, 1500, 1500);
  expect(() => recorder.tally()).toThrow('2 intent operations were scheduled and 1 settled');
});

test('settling an operation twice is a bug', () => {
  const recorder = new Recorder(OPERATIONS, timeline);
  recorder.schedule(MONSTER_COMMAND, 1, 0);
  recorder.settle(MONSTER_COMMAND, OUTCOME.timedOut, 1, 0, 0, 5);
  recorder.settle(MONSTER_COMMAND, OUTCOME.ok, 1, 0, 0, 5);
  expect(() => recorder.tally()).toThrow('1 monsterCommand operations were scheduled and 2 settled');
});

test('conservation of the measure phase is checked separately', () => {
  const counts = {
    ...{ scheduled: 2, ok: 2, rejected: 0, failed: 0, failedUnsent: 0 },
    ...{ timedOut: 0, skipped: 0, unfinished: 0, idle: 0 },
  };
  expect(() => assertConserved('intent', { whole: counts, measured: counts })).not.toThrow();
  expect(() => assertConserved('intent', { whole: counts, measured: { ...counts, ok: 1 } })).toThrow(
    'measured run',
  );
  expect(() =>
    assertConserved('intent', { whole: { ...counts, failedUnsent: 1 }, measured: counts }),
  ).toThrow('1 intent operations failed unsent, of 0 that failed');
});

test('stages and seconds count unsent failures separately, too', () => {
  const stage = { name: 'one', rateBefore: 1, rate: 1, start: 1000, levelFrom: 1000, end: 2000 };
  const recorder = new Recorder(OPERATIONS, {
    ...timeline,
    stages: [stage] as unknown as Timeline['stages'],
  });
  recorder.schedule(INTENT, 5, 1500);
  recorder.settle(INTENT, OUTCOME.failed, 2, 1500, 1500, 1600);
  recorder.settle(INTENT, OUTCOME.failedUnsent, 3, 1500, 1500, 1600);
  expect(recorder.takeSecond(INTENT, 0)).toMatchObject({ failed: 5, failedUnsent: 3 });
  expect(ofBoth(recorder.stageTallies()[0]!).intent.counts).toMatchObject({ failed: 5, failedUnsent: 3 });
});

import { expect, test } from 'vitest';
import type { HistogramData } from '../../src/histogram.ts';
import { countRulings, countsLine, type Verdict } from '../../src/judge/verdict.ts';
import type { Counts } from '../../src/load/engine.ts';
import type {
  IntegrityFacts,
  Measurements,
  OperationFacts,
  Series,
} from '../../src/measurement/measurements.ts';
import { DEFAULT_RULES } from '../../src/scenario/rules.ts';
import { BUDGETS, budget, failedRun } from '../fixtures/recorded-run.ts';
import { gauge, judged, recorded, ruleOf, verdictOf } from './measured.ts';

/** A generator whose event loop was blocked for two seconds. */
const blocked = { ...recorded.series, 'generator.0.loopDelayMs': gauge(2000) };

const breach = {
  budgets: [budget({ id: 'too-tight', metric: 'latency.intent.due', stat: 'p95', limit: 1 })],
};

/** The same operation with other counts, and as many latencies as it then has answers. */
const counting = (facts: OperationFacts, measured: Counts): OperationFacts => {
  const latencies = (of: HistogramData): HistogramData => ({
    ...of,
    counts: [[of.max, measured.ok + measured.rejected]],
  });
  return {
    ...facts,
    measured,
    due: latencies(facts.due),
    service: latencies(facts.service),
    lag: latencies(facts.lag),
  };
};

/** A tenth of the intents was skipped. */
const skipped = (): Measurements['operations'] => {
  const { intent, monsterCommand } = recorded.operations;
  const measured = { ...intent.measured, ok: intent.measured.ok - 2000, skipped: 2000 };
  return { intent: counting(intent, measured), monsterCommand };
};

/** So many of the intents failed. */
const failing = (how: Pick<Counts, 'failed' | 'failedUnsent'>): Pick<Measurements, 'operations'> => {
  const { intent, monsterCommand } = recorded.operations;
  const measured = { ...intent.measured, ...how, ok: intent.measured.ok - how.failed };
  return { operations: { intent: counting(intent, measured), monsterCommand } };
};

const integrity = (over: Partial<IntegrityFacts>): IntegrityFacts => {
  if (recorded.integrity === null) throw new Error('the recorded run has no integrity');
  return { ...recorded.integrity, ...over };
};

test('a healthy run passes, and counts what did not decide', () => {
  const verdict = verdictOf({});
  expect(verdict).toMatchObject({ outcome: 'pass', exitCode: 0, invalidBecause: [], breachedBecause: [] });
  expect(countsLine(countRulings(verdict.rulings))).toBe('7 of 7 budgets met, 4 not judged');
  expect(verdict.rules.filter(({ state }) => state !== 'held').map(({ id, state }) => [id, state])).toEqual([
    ['budgets-measured', 'not-applicable'],
    ['cpu-pressure', 'not-applicable'],
    ['faults-injected', 'not-applicable'],
  ]);
  expect(verdict.notes).toEqual([]);
  expect(new Set(verdict.rules.map(({ id }) => id)).size).toBe(verdict.rules.length);
});

test('one measurement changed changes one ruling', () => {
  const before = verdictOf({}).rulings.map(({ state }) => state);
  const series = { ...recorded.series, 'world.1.memoryBytes': gauge(4 * 2 ** 30) };
  const after = verdictOf({ series });
  expect(after.rulings.filter(({ state }, i) => state !== before[i]).map(({ budget: { id } }) => id)).toEqual(
    ['FLX-150'],
  );
  expect(after).toMatchObject({ outcome: 'fail', exitCode: 99 });
});

test('a breached budget fails', () => {
  expect(verdictOf({}, breach)).toMatchObject({ outcome: 'fail', exitCode: 99, invalidBecause: [] });
});

test('load not sustained: a breach with a healthy generator, no conclusion with an unhealthy one', () => {
  const healthy = verdictOf({ operations: skipped() });
  expect(healthy).toMatchObject({ outcome: 'fail', exitCode: 99 });
  expect(healthy.breachedBecause.join()).toContain('load not sustained (load-sustained.intent)');

  const unhealthy = verdictOf({ operations: skipped(), series: blocked });
  expect(unhealthy).toMatchObject({ outcome: 'invalid', exitCode: 90, breachedBecause: [] });
  expect(unhealthy.invalidBecause.join()).toContain('load-sustained.intent');
});

test('players that could not be connected are a load that was not reached', () => {
  const verdict = verdictOf({ peakCcu: 989 });
  expect(verdict.exitCode).toBe(99);
  expect(ruleOf(verdict, 'ccu-reached')).toMatchObject({ state: 'broken', observed: 989, limit: 990 });
  expect(verdictOf({ peakCcu: 990 }).rules.find(({ id }) => id === 'ccu-reached')?.state).toBe('held');
});

test('a generator that was blocked leaves no conclusion, unless the scenario relaxed the rule', () => {
  const verdict = verdictOf({ series: blocked }, breach);
  expect(verdict).toMatchObject({ outcome: 'invalid', exitCode: 90 });
  const relaxed = verdictOf({ series: blocked }, { rules: { ...DEFAULT_RULES, generatorLoopDelayMs: 5000 } });
  expect(relaxed.exitCode).toBe(0);
  expect(ruleOf(relaxed, 'generator-loop-delay')).toMatchObject({
    state: 'held',
    relaxed: true,
    limit: 5000,
  });
});

test('operations that nobody counted are no conclusion', () => {
  const { intent, monsterCommand } = recorded.operations;
  const operations = {
    intent: { ...intent, whole: { ...intent.whole, ok: intent.whole.ok - 1 } },
    monsterCommand,
  };
  const verdict = verdictOf({ operations });
  expect(verdict.exitCode).toBe(90);
  expect(ruleOf(verdict, 'conservation.intent')).toMatchObject({ state: 'broken', observed: 1 });
});

test('a generator that fell behind its own schedule is no conclusion', () => {
  const { intent, monsterCommand } = recorded.operations;
  // Every count agrees with every other; only rate times duration tells that half of it never came due.
  const half = (n: number): number => Math.floor(n / 2);
  const { measured } = intent;
  const behind = {
    ...measured,
    scheduled: measured.scheduled - half(measured.ok),
    ok: measured.ok - half(measured.ok),
  };
  const verdict = verdictOf({ operations: { intent: counting(intent, behind), monsterCommand } });
  expect(verdict.exitCode).toBe(90);
  expect(ruleOf(verdict, 'schedule-kept.intent')).toMatchObject({
    state: 'broken',
    observed: behind.scheduled,
  });
  expect(ruleOf(verdict, 'conservation.intent').state).toBe('held');
});

test.each(['lost', 'phantom', 'duplicated', 'holes'] as const)('one operation %s is data lost', (kind) => {
  const verdict = verdictOf({ integrity: integrity({ [kind]: 1, examples: ['entity 7'] }) }, breach);
  expect(verdict).toMatchObject({ outcome: 'fail', exitCode: 92 });
  expect(verdict.breachedBecause.join()).toContain('entity 7');
});

test('rows that nobody read: a question for a target, no conclusion for a stack of our own', () => {
  expect(ruleOf(verdictOf({ integrity: null, stackKind: 'target' }), 'integrity').state).toBe(
    'not-applicable',
  );
  expect(verdictOf({ integrity: null, stackKind: 'target' }).exitCode).toBe(0);
  expect(verdictOf({ integrity: null }).exitCode).toBe(90);
});

test('row writes that differ by more than 1% are no conclusion', () => {
  expect(verdictOf({ integrity: integrity({ rowWritesServers: 459_000 }) }).exitCode).toBe(0);
  expect(verdictOf({ integrity: integrity({ rowWritesServers: 460_000 }) }).exitCode).toBe(90);
});

test('a probe that was there and gave no data, or gaps for most of it, is no conclusion', () => {
  const probes = (samples: number, gaps: number) =>
    recorded.probes.map((probe) =>
      probe.name === 'postgres' ? { ...probe, samples, gaps, lastError: 'refused' } : probe,
    );
  expect(verdictOf({ probes: probes(0, 0) }).exitCode).toBe(90);
  expect(verdictOf({ probes: probes(10, 11) }).exitCode).toBe(90);
  expect(verdictOf({ probes: probes(10, 10) }).exitCode).toBe(0);
  // What it saw before the measure phase says nothing of that.
  const measured = (samples: number, gaps: number) =>
    recorded.probes.map((probe) =>
      probe.name === 'postgres'
        ? { ...probe, samples: 100, gaps, lastError: 'gone', measured: { samples, gaps } }
        : probe,
    );
  expect(verdictOf({ probes: measured(9, 10) }).exitCode).toBe(90);
  expect(verdictOf({ probes: measured(10, 10) }).exitCode).toBe(0);
  const absent = verdictOf({ probes: recorded.probes.filter(({ name }) => name !== 'postgres') });
  expect(absent.exitCode).toBe(90);
  expect(ruleOf(absent, 'probes-gave-data').observed).toBe('postgres: no such probe');
});

test('without an acknowledgement there is nothing to conclude from', () => {
  const { intent, monsterCommand } = recorded.operations;
  const none = {
    ...{ scheduled: 100, ok: 0, rejected: 0, failed: 0, failedUnsent: 0 },
    ...{ timedOut: 100, skipped: 0, unfinished: 0, idle: 0 },
  };
  const verdict = verdictOf({
    operations: {
      intent,
      // One kind that is dead is not hidden by the other.
      monsterCommand: counting(monsterCommand, none),
    },
  });
  expect(verdict.exitCode).toBe(90);
  expect(ruleOf(verdict, 'answers.intent').state).toBe('held');
  expect(ruleOf(verdict, 'answers.monsterCommand').state).toBe('broken');
});

test.each([
  {
    what: 'what failed before it was sent is no load',
    edit: (): Partial<Measurements> => failing({ failed: 2000, failedUnsent: 2000 }),
    exitCode: 99,
    broken: 'load-sustained.intent',
  },
  {
    what: 'what was sent and failed is no load that was carried',
    edit: (): Partial<Measurements> => failing({ failed: 2000, failedUnsent: 0 }),
    exitCode: 99,
    broken: 'operations-failed.intent',
  },
  {
    what: 'a run that completed without a measure phase',
    edit: (): Partial<Measurements> => ({ measured: null }),
    exitCode: 90,
    broken: 'run-completed',
  },
  {
    what: 'no probe at all',
    edit: (): Partial<Measurements> => ({ probes: [] }),
    exitCode: 90,
    broken: 'probes-gave-data',
  },
  {
    what: 'a generator that tells nothing',
    edit: (): Partial<Measurements> => ({
      series: Object.fromEntries(
        Object.entries(recorded.series).filter(([name]) => !name.startsWith('generator.')),
      ),
    }),
    exitCode: 90,
    broken: 'generator-loop-delay',
  },
  {
    what: 'fewer latencies than answers',
    edit: (): Partial<Measurements> => {
      const { intent, monsterCommand } = recorded.operations;
      const due = { ...intent.due, counts: intent.due.counts.slice(1) };
      return { operations: { intent: { ...intent, due }, monsterCommand } };
    },
    exitCode: 90,
    broken: 'conservation.intent',
  },
  {
    what: 'answers that the ledger does not know',
    edit: (): Partial<Measurements> => ({ integrity: integrity({ sent: 0, acked: 0, applied: 0 }) }),
    exitCode: 90,
    broken: 'integrity',
  },
  {
    what: 'acknowledged operations without a row write',
    edit: (): Partial<Measurements> => ({
      integrity: integrity({ rowWritesServers: 0, rowWritesPostgres: 0 }),
    }),
    exitCode: 90,
    broken: 'row-writes-agree',
  },
])('$what', ({ edit, exitCode, broken }) => {
  const verdict = verdictOf(edit());
  expect(verdict.exitCode).toBe(exitCode);
  expect(ruleOf(verdict, broken).state).toBe('broken');
});

test('what failed is laid at the door of whose fault it was', () => {
  const { scheduled } = recorded.operations.intent.measured;
  const states = (verdict: Verdict) =>
    ['load-sustained.intent', 'operations-failed.intent', 'answers.intent'].map(
      (id) => ruleOf(verdict, id).state,
    );
  // As much as may be left unsent may fail, and not a bit more.
  const some = verdictOf(failing({ failed: scheduled / 100, failedUnsent: 0 }));
  expect(states(some)).toEqual(['held', 'held', 'held']);
  expect(ruleOf(some, 'operations-failed.intent')).toMatchObject({ observed: 1, limit: 1, relaxed: false });
  const more = failing({ failed: scheduled / 100 + 1, failedUnsent: 0 });
  expect(verdictOf(more).breachedBecause).toEqual([
    expect.stringContaining('the target answered with errors'),
  ]);
  const relaxed = verdictOf(more, { rules: { ...DEFAULT_RULES, sentPercent: 98 } });
  expect(ruleOf(relaxed, 'operations-failed.intent')).toMatchObject({
    state: 'held',
    limit: 2,
    relaxed: true,
  });
  // Nor is a generator excused for what it did not send.
  expect(states(verdictOf(failing({ failed: 1000, failedUnsent: 1000 })))).toEqual([
    'broken',
    'held',
    'held',
  ]);
  const { intent, monsterCommand } = recorded.operations;
  const none = { ...intent.measured, ok: 0, rejected: 0, failed: scheduled };
  const all = (failedUnsent: number) =>
    verdictOf({ operations: { intent: counting(intent, { ...none, failedUnsent }), monsterCommand } });
  expect(states(all(0))).toEqual(['held', 'broken', 'broken']);
  expect(ruleOf(all(0), 'answers.intent').advice).toContain('see what the target answered');
  expect(states(all(scheduled))).toEqual(['broken', 'held', 'broken']);
  expect(ruleOf(all(scheduled), 'answers.intent').advice).not.toContain('what the target answered');
});

test('nothing met is never a pass', () => {
  for (const budgets of [[], BUDGETS.filter(({ state }) => state === 'untestable')]) {
    const verdict = verdictOf({}, { budgets });
    expect(verdict).toMatchObject({ outcome: 'invalid', exitCode: 90 });
    expect(verdict.invalidBecause.join()).toContain('no budget was met');
  }
});

test('a run that was given up early failed, and says when and why', () => {
  const ending = { state: 'stoppedEarly', because: '70% were skipped' } as const;
  const early = verdictOf({ ending });
  expect(early).toMatchObject({ outcome: 'fail', exitCode: 99 });
  expect(early.breachedBecause[0]).toBe(
    'load not sustained: stopped 25 s after GO, because 70% were skipped',
  );
  expect(verdictOf({ ending, series: blocked }).exitCode).toBe(90);
});

test('a stack that did not start is neither a pass nor a failure of the budgets', () => {
  const verdict = judged(failedRun());
  expect(verdict).toMatchObject({ outcome: 'invalid', exitCode: 93 });
  expect(verdict.invalidBecause).toEqual(['postgres: port 5432 is in use: stop what listens there']);
  expect(countRulings(verdict.rulings)).toMatchObject({ met: 0, breached: 0 });
});

test('of several verdicts the graver counts: 105, 93, 92, 90, 99', () => {
  const lost = { integrity: integrity({ lost: 1 }) };
  const interrupted = { state: 'interrupted', phase: 'measure' } as const;
  const down = { state: 'stackFailed', because: 'world-2 ended', hint: 'see its log' } as const;
  expect(verdictOf({ ...lost, series: blocked, ending: interrupted }, breach)).toMatchObject({
    exitCode: 105,
    outcome: 'invalid',
  });
  expect(verdictOf({ ...lost, series: blocked, ending: down }, breach).exitCode).toBe(93);
  expect(verdictOf({ ...lost, series: blocked }, breach)).toMatchObject({ exitCode: 92, outcome: 'fail' });
  expect(verdictOf({ series: blocked }, breach).exitCode).toBe(90);
  expect(verdictOf({}, breach).exitCode).toBe(99);
});

test('the bottleneck is named with the figure that shows it', () => {
  expect(verdictOf({}).bottleneck.resource).toBe('none');
  expect(verdictOf({ series: blocked }).bottleneck.resource).toBe('generator');
  const counter = (perSecond: number): Series => ({
    kind: 'counter',
    points: Array.from({ length: 28 }, (_, second) => [second, second * perSecond] as const),
  });
  const full = { ...recorded.series, 'host.cpuBusySeconds': counter(1.98) };
  expect(verdictOf({ series: full }).bottleneck).toMatchObject({
    resource: 'server',
    evidence: expect.stringContaining('host full: all 2 cores 99% busy'),
  });
  const core = { ...recorded.series, 'world.2.cpuSeconds': counter(0.97) };
  expect(verdictOf({ series: core }).bottleneck).toMatchObject({
    resource: 'server',
    evidence: expect.stringContaining('97% of one core'),
  });
  // Two servers flush 100 times a second each, and a flush takes over 10 ms: the writers never rest.
  const busy = { ...recorded.series, 'world.1.batches': counter(100), 'world.2.batches': counter(100) };
  const worlds = recorded.worlds && {
    ...recorded.worlds,
    flushMs: { bounds: [1, 2, 5, 10, 20, 50], counts: [0, 0, 0, 0, 4000, 0, 0] },
  };
  expect(verdictOf({ series: busy, worlds }).bottleneck).toMatchObject({
    resource: 'database',
    evidence: expect.stringContaining('of the time'),
  });
});

test('traffic that capbench did not see is noted once, with its reason', () => {
  const because = 'the player module ./mine.mjs opened no connection';
  const absences = ['bytesPerSecond', 'connections'].map((one) => ({ of: `network.${one}`, because }));
  const { notes } = verdictOf({ absences });
  expect(notes.filter((note) => note.includes(because))).toEqual([
    `network traffic is not measured: ${because}`,
  ]);
  expect(verdictOf({ absences: [{ of: 'integrity', because }] }).notes.join()).not.toContain(because);
});

test('where frames were wrong, the reader is told where they are in words', () => {
  const facts = (total: number) => ({
    player: { wrongFrames: { unit: null, count: 1, total, values: null } },
  });
  expect(verdictOf(facts(3)).notes).toContainEqual(expect.stringMatching(/^wrongFrames: .*logs\//));
  expect(verdictOf(facts(0)).notes).not.toContainEqual(expect.stringMatching(/^wrongFrames/));
});

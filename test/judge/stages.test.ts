import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../src/judge/verdict.ts';
import { contradictionsOf } from '../../src/measurement/contradictions.ts';
import type { Measurements, StageFacts } from '../../src/measurement/measurements.ts';
import type { MeasuredBudget } from '../../src/scenario/budget.ts';
import type { Stage } from '../../src/scenario/stages.ts';
import { seconds } from '../../src/units.ts';
import { budget, fluxFiguresOf, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { CUT, STAGES, STORM, stageFacts } from '../fixtures/recorded-stages.ts';
import { judged, recorded, ruleOf } from './measured.ts';

const verdictOf = (
  budgets: readonly MeasuredBudget[],
  over: Partial<Measurements> = {},
  stages: readonly Stage[] = STAGES,
): Verdict => {
  const { load } = scenarioOf();
  const m = measurementsOf({
    stages: [stageFacts(0), stageFacts(1), stageFacts(2, STORM)],
    faults: [CUT],
    ...over,
  });
  return judged(m, scenarioOf({ load: { ...load, stages }, budgets }));
};

const met = budget({ id: 'met', metric: 'integrity.lost', op: '=', limit: 0, metricUnit: 'ops' });
const stateOf = (verdict: Verdict, id: string) =>
  verdict.rulings.find(({ budget: { id: own } }) => own === id);

describe('budgets of a stage', () => {
  test("are ruled by the stage's own figures", () => {
    const p95 = (id: string, stage: string, limit: number) =>
      budget({ id, stage, metric: 'latency.intent.due', stat: 'p95', limit });
    const slow = stageFacts(1);
    const intent = {
      ...slow.operations.intent,
      due: { counts: [[50_000, 2000]] as const, min: 49_990, max: 50_000, sum: 99_995_000 },
    };
    const stages = [
      stageFacts(0),
      { ...slow, operations: { ...slow.operations, intent } },
      stageFacts(2, STORM),
    ];
    const verdict = verdictOf([p95('hold', 'hold', 25), p95('spike', 'spike', 25)], { stages });
    expect(stateOf(verdict, 'hold')).toMatchObject({ state: 'met' });
    expect(stateOf(verdict, 'spike')).toMatchObject({ state: 'breached', observed: 50, samples: 2000 });
    expect(verdict.exitCode).toBe(99);
  });

  test('a storm: connect p95, how many were cut, and the time to full strength', () => {
    const of = (metric: string, stat: string | null, limit: number, metricUnit = 'ms') =>
      budget({ id: metric, stage: 'storm', metric, stat, limit, metricUnit });
    const verdict = verdictOf([
      of('network.connectMs', 'p95', 10),
      of('network.reconnectMs', 'p95', 300),
      of('network.fullStrengthMs', null, 2, 's'),
      of('network.cut', null, 1001, 'players'),
    ]);
    expect(verdict.rulings.map(({ state, observed }) => [state, observed])).toEqual([
      ['met', 5],
      ['breached', 400],
      ['met', 1.5],
      ['met', 1000],
    ]);
  });

  test('who never came back breaches, and a stage that was never reached is unmeasured', () => {
    const full = budget({ id: 'full', stage: 'storm', metric: 'network.fullStrengthMs', limit: 2000 });
    const never = verdictOf([full], {
      stages: [stageFacts(0), stageFacts(1), stageFacts(2, { ...STORM, fullStrength: null })],
    });
    expect(stateOf(never, 'full')).toMatchObject({ state: 'breached', observed: null });
    const nobody = { counts: [], min: 0, max: 0, sum: 0 };
    const gone = { ...STORM, fullStrength: null, reconnects: 0, connect: nobody, reconnect: nobody };
    for (const metric of ['network.connectMs', 'network.reconnectMs']) {
      const back = budget({ id: 'back', stage: 'storm', metric, stat: 'p95', limit: 2000 });
      const none = verdictOf([back], { stages: [stageFacts(0), stageFacts(1), stageFacts(2, gone)] });
      expect(stateOf(none, 'back')).toMatchObject({ state: 'breached', observed: null, cause: null });
    }
    const short = verdictOf([full], { stages: [stageFacts(0)] });
    expect(stateOf(short, 'full')).toMatchObject({
      state: 'unmeasured',
      reason: 'the stage storm was never reached',
    });
    expect(ruleOf(short, 'stages-measured')).toMatchObject({
      state: 'broken',
      observed: 'not measured: spike, storm',
    });
    expect(short.exitCode).toBe(90);
  });

  test('need samples of their own', () => {
    const tight = budget({
      id: 'tight',
      stage: 'storm',
      metric: 'latency.intent.due',
      stat: 'p999',
      limit: 1000,
    });
    const verdict = verdictOf([tight, met]);
    expect(ruleOf(verdict, 'samples.tight')).toMatchObject({ state: 'broken' });
    expect(ruleOf(verdict, 'samples.tight').advice).toMatch(/^measure the stage storm about \d+ s longer: /);
  });
});

describe('rules of the load', () => {
  test('are judged in each stage', () => {
    const verdict = verdictOf([met]);
    expect(ruleOf(verdict, 'load-sustained.intent')).toMatchObject({
      state: 'not-applicable',
      observed: 'judged in each stage',
    });
    for (const { name } of STAGES) {
      expect(ruleOf(verdict, `load-sustained.intent.${name}`)).toMatchObject({
        state: 'held',
        observed: 100,
        limit: 99,
      });
      expect(ruleOf(verdict, `schedule-kept.intent.${name}`)).toMatchObject({ state: 'held' });
    }
    expect(ruleOf(verdict, 'stages-measured')).toMatchObject({ state: 'held', observed: '3 of 3' });
    expect(verdict.exitCode).toBe(0);
  });

  const skipping = (): StageFacts => {
    const facts = stageFacts(1);
    const { intent } = facts.operations;
    const measured = { ...intent.measured, ok: intent.measured.ok - 400, skipped: 400 };
    return { ...facts, operations: { ...facts.operations, intent: { ...intent, measured } } };
  };

  test('a stage that is not sustained breaches, where it does not say that so much may be missed', () => {
    const stages = [stageFacts(0), skipping(), stageFacts(2, STORM)];
    const verdict = verdictOf([met], { stages });
    expect(ruleOf(verdict, 'load-sustained.intent.spike')).toMatchObject({
      state: 'broken',
      observed: 80,
      limit: 99,
    });
    expect(ruleOf(verdict, 'load-sustained.intent.hold')).toMatchObject({ state: 'held' });
    expect(verdict.exitCode).toBe(99);
    const relaxed = STAGES.map((one) => (one.name === 'spike' ? { ...one, sentPercent: 75 } : one));
    const allowed = verdictOf([met], { stages }, relaxed);
    expect(ruleOf(allowed, 'load-sustained.intent.spike')).toMatchObject({
      state: 'held',
      limit: 75,
      relaxed: true,
    });
    const notes = allowed.notes.filter((note) => /^relaxed: (load|operations)-/.test(note));
    expect(notes).toEqual([
      'relaxed: load-sustained 75% (default 99%) in the stage spike',
      'relaxed: operations-failed 25% (default 1%) in the stage spike',
    ]);
    expect(allowed.exitCode).toBe(0);
  });

  test('what was sent in a stage and failed breaches there, where it may not be missed', () => {
    const facts = stageFacts(1);
    const { intent } = facts.operations;
    const measured = { ...intent.measured, ok: intent.measured.ok - 400, failed: 400 };
    const failing = { ...facts, operations: { ...facts.operations, intent: { ...intent, measured } } };
    const stages = [stageFacts(0), failing, stageFacts(2, STORM)];
    const verdict = verdictOf([met], { stages });
    expect(ruleOf(verdict, 'load-sustained.intent.spike')).toMatchObject({ state: 'held', observed: 100 });
    expect(ruleOf(verdict, 'operations-failed.intent.spike')).toMatchObject({
      state: 'broken',
      observed: 20,
    });
    expect(ruleOf(verdict, 'operations-failed.intent.hold')).toMatchObject({ state: 'held', observed: 0 });
    expect(ruleOf(verdict, 'operations-failed.intent')).toMatchObject({ state: 'not-applicable' });
    expect(verdict.exitCode).toBe(99);
    const relaxed = STAGES.map((one) => (one.name === 'spike' ? { ...one, sentPercent: 75 } : one));
    const allowed = verdictOf([met], { stages }, relaxed);
    expect(ruleOf(allowed, 'operations-failed.intent.spike')).toMatchObject({ state: 'held', limit: 25 });
    expect(allowed.exitCode).toBe(0);
  });

  test('the steady state is judged within a stage that is long enough, and not across stages', () => {
    const verdict = verdictOf([met]);
    expect(verdict.rules.filter(({ id }) => id === 'steady-throughput.intent')).toEqual([]);
    expect(ruleOf(verdict, 'steady-throughput.intent.hold')).toMatchObject({ state: 'held' });
    expect(ruleOf(verdict, 'steady-throughput.intent.spike')).toMatchObject({
      state: 'not-applicable',
      observed: '2 means of a second, 15 are needed: a longer stage',
    });
    expect(ruleOf(verdict, 'steady-p95.intent.storm')).toMatchObject({
      state: 'not-applicable',
      observed: 'faults, or a storm, were planned within the stage',
    });
    const slice = recorded.series['load.intent.slice.answered'];
    const drifting = {
      ...slice!,
      points: slice!.points.map(([at, value]) => [at, value * (at < 13 ? 1 : 2)] as const),
    };
    const drifted = verdictOf([met], {
      series: { ...recorded.series, 'load.intent.slice.answered': drifting },
    });
    expect(ruleOf(drifted, 'steady-throughput.intent.hold')).toMatchObject({ state: 'broken' });
    expect(ruleOf(drifted, 'steady-throughput.intent.hold').advice).toContain('during the stage hold');
    const stepped = {
      ...slice!,
      points: slice!.points.map(([at, value]) => [at, value * (at < 21 ? 1 : 3)] as const),
    };
    const apart = verdictOf([met], { series: { ...recorded.series, 'load.intent.slice.answered': stepped } });
    expect(ruleOf(apart, 'steady-throughput.intent.hold')).toMatchObject({ state: 'held' });
  });

  test('what was planned is the area under the rates', () => {
    const twice = STAGES.map((one) => (one.name === 'spike' ? { ...one, rate: 2 } : one));
    const verdict = verdictOf([met], {}, twice);
    expect(ruleOf(verdict, 'schedule-kept.intent')).toMatchObject({
      state: 'broken',
      limit: '22000 to within 1000',
    });
    expect(ruleOf(verdict, 'schedule-kept.monsterCommand.spike')).toMatchObject({ state: 'broken' });
    expect(ruleOf(verdict, 'schedule-kept.monsterCommand.hold')).toMatchObject({ state: 'held' });
  });
});

test('a run without stages has none of it', () => {
  const verdict = judged(recorded);
  expect(verdict.rules.some(({ id }) => /stages|\.(hold|spike|storm)$/.test(id))).toBe(false);
  expect(fluxFiguresOf(recorded).stages).toEqual([]);
});

test('stages that deny one another, or the whole, are no facts', () => {
  const whole = [stageFacts(0), stageFacts(1), stageFacts(2)];
  expect(contradictionsOf(measurementsOf({ stages: whole }))).toEqual([]);
  const gap = contradictionsOf(measurementsOf({ stages: [whole[0]!, whole[2]!] }));
  expect(gap.join()).toContain('stages.storm: from 23');
  const { intent } = whole[1]!.operations;
  const more = { ...intent, measured: { ...intent.measured, scheduled: 9000, ok: 9000 } };
  const sum = contradictionsOf(
    measurementsOf({
      stages: [whole[0]!, { ...whole[1]!, operations: { ...whole[1]!.operations, intent: more } }, whole[2]!],
    }),
  );
  expect(sum.join()).toContain('stages: 27000 intent operations scheduled');
});

describe('stages with numbers of players', () => {
  const numbers = [800, 1000, 600];
  const stages = STAGES.map((stage, i) => {
    const { reconnect: _, ...rest } = stage;
    return { ...rest, lasting: seconds([8, 6, 6][i]!), players: numbers[i]! };
  });
  const starts = [5, 13, 19];
  const facts = stages.map(({ name }, i) => {
    const [from, to] = [starts[i]!, starts[i + 1] ?? 25];
    const before = numbers[Math.max(0, i - 1)]!;
    const levelFrom = from + Math.abs(numbers[i]! - before) / scenarioOf().load.connectsPerSecond;
    return { ...stageFacts(0, { name, from, levelFrom, to }), playersBefore: before, players: numbers[i]! };
  });
  const verdictFor = (connected: readonly number[]) => {
    const points = Array.from({ length: 28 }, (_, at) => {
      const i = starts.findLastIndex((start) => at > start);
      return [at, connected[Math.max(0, i)]!] as const;
    });
    const m = measurementsOf({ stages: facts });
    const { load } = scenarioOf();
    const s = scenarioOf({ load: { ...load, stages }, budgets: [met] });
    const series = { ...m.series, 'load.connected': { kind: 'gauge' as const, points } };
    return judged({ ...m, series }, s);
  };

  test('each is judged by its own number, and the whole by none', () => {
    const verdict = verdictFor(numbers);
    expect(ruleOf(verdict, 'presence')).toMatchObject({
      state: 'not-applicable',
      observed: 'judged in each stage',
    });
    expect(
      verdict.rules.flatMap(({ id, state }) => (id.startsWith('presence.') ? [[id, state]] : [])),
    ).toEqual([
      ['presence.hold', 'held'],
      ['presence.spike', 'held'],
      ['presence.storm', 'held'],
    ]);
    const agrees = ruleOf(verdict, 'scenario-agrees');
    expect(agrees.observed).not.toContain('the stage');
  });

  test('a stage in which players are missing is breached', () => {
    const verdict = verdictFor([800, 970, 600]);
    expect(ruleOf(verdict, 'presence.spike')).toMatchObject({ state: 'broken', observed: 970, limit: 990 });
    expect(ruleOf(verdict, 'presence.hold')).toMatchObject({ state: 'held' });
  });
});

import { expect, test } from 'vitest';
import { glossOf } from '../../../src/judge/rules/gloss.ts';
import { scenarioOf } from '../../fixtures/recorded-run.ts';
import { STAGES, STORM, stageFacts } from '../../fixtures/recorded-stages.ts';
import { judged, recorded, verdictOf } from '../measured.ts';

const { operations, load } = scenarioOf();
const staged = verdictOf(
  { stages: [stageFacts(0), stageFacts(1), stageFacts(2, STORM)] },
  { load: { ...load, stages: STAGES } },
);
const target = verdictOf({ stackKind: 'target', probesAsked: ['metrics-1'] });
const disturbed = verdictOf({
  clockDriftMs: 61,
  strayAnswers: 3,
  canary: { beforeMs: 20, afterMs: 40 },
  peakCcu: 900,
});
const rules = [judged(recorded), staged, target, disturbed].flatMap((verdict) => verdict.rules);

test('every rule has words of its own', () => {
  const names = new Set(rules.map(({ id }) => id.split('.')[0] ?? ''));
  expect(names.size).toBeGreaterThan(30);
  expect([...names].filter((name) => glossOf(name, operations).title === name)).toEqual([]);
});

test('a number that a rule observed is on the side of its limit that the words say, or the rule is breached', () => {
  const sides = rules.flatMap(({ id, state, observed, limit }) => {
    if (state === 'not-applicable' || typeof observed !== 'number' || typeof limit !== 'number') return [];
    const { bound, unit } = glossOf(id, operations);
    expect([id, bound === null, unit === '']).toEqual([id, false, false]);
    const met = bound === 'at least' ? observed >= limit : Math.abs(observed) <= limit;
    return [{ id, met, state }];
  });
  expect(sides.filter(({ met, state }) => met !== (state === 'held'))).toEqual([]);
  expect(sides.filter(({ met }) => !met).length).toBeGreaterThanOrEqual(4);
});

test('the words name the operation, the stage or the budget', () => {
  expect(glossOf('steady-p95.monsterCommand.spike', operations).title).toBe(
    'steadiness of p95 from the first quarter to the last: monster commands, stage spike',
  );
  expect(glossOf('samples.intent-p95', operations).title).toMatch(/: intent-p95$/);
});

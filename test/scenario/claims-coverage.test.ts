import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Budget } from '../../src/scenario/budget.ts';
import { read } from './scenario-text.ts';

const root = join(import.meta.dirname, '../..');
const scenarios = readdirSync(join(root, 'scenarios'))
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => read(readFileSync(join(root, 'scenarios', name))));

/** Claims that a run has to rule: what kind of proof they need is in fixtures/claims.json. */
const file = z.object({
  systems: z.record(
    z.string(),
    z.object({ claims: z.array(z.object({ id: z.string(), verify: z.string() })) }),
  ),
});
const { systems } = file.parse(JSON.parse(readFileSync(join(root, 'fixtures/claims.json'), 'utf8')));
const toRule = (system: string): readonly string[] =>
  (systems[system]?.claims ?? [])
    .filter(({ verify }) => verify === 'measure' || verify === 'chaos')
    .map(({ id }) => id);

/** A host with two cores refuses them, or cannot carry them. */
const FOR_LARGE_HOSTS = new Set(['quiz-2000', 'quiz-cluster']);

/**
 * What may keep every run from ruling them. That this scenario does not start a component (`component:`) is no such reason, since
 * another one may; nor is arithmetic, which rules other kinds of claims.
 */
const OUT_OF_REACH = /^(?:hardware|price|vendor|duration|procedure|no-number): /;

/**
 * Settings that a run only repeats from its scenario, so that a budget of them cannot fail. Those of PostgreSQL, Redis and HAProxy are
 * read from what runs.
 */
const REPEATED =
  /^stack\.applied\.(?:world\w+|edge(?:Program|Balance|MaxFails|FailTimeout|ReadTimeout|OpenedWithin))$/;
/** A run that is judged has had its faults: their number is the scenario's. */
const COUNT_OF_FAULTS = /^outage\..+\.count$/;

/** Whether no figure of a run could breach it. */
function cannotFail(budget: Budget): boolean {
  if (budget.state !== 'measured' || budget.contradicted !== null) return false;
  const { metric, op, limit } = budget;
  if (REPEATED.test(metric.path) || COUNT_OF_FAULTS.test(metric.path)) return true;
  // No figure is negative.
  return op === '>=' && typeof limit === 'number' && limit <= 0;
}

describe.each([
  ['flux', 69],
  ['massless', 14],
  ['mud', 37],
  ['quiz', 28],
  ['realm', 56],
])('the document of %s', (system, count) => {
  const ids = toRule(system);
  const own = scenarios.filter(
    (scenario) => scenario.system === system && !FOR_LARGE_HOSTS.has(scenario.name),
  );
  const budgetsOf = (id: string) => own.flatMap(({ budgets }) => budgets.filter(({ claim }) => claim === id));

  test('every claim that a run can rule is a budget of a scenario for two cores', () => {
    expect(ids).toHaveLength(count);
    expect(ids.filter((id) => budgetsOf(id).length === 0)).toEqual([]);
  });

  test('what no scenario can rule has one of six reasons, and is a fifth at most', () => {
    const never = ids.filter((id) => budgetsOf(id).every(({ state }) => state === 'untestable'));
    const others = never.flatMap((id) =>
      budgetsOf(id).some((budget) => budget.state === 'untestable' && OUT_OF_REACH.test(budget.missing))
        ? []
        : [id],
    );
    expect(others).toEqual([]);
    expect(never.length).toBeLessThanOrEqual(ids.length / 5);
  });

  test('what rules a claim is a figure that could breach it', () => {
    const idle = own.flatMap(({ name, budgets }) =>
      budgets.flatMap((budget) =>
        budget.claim !== null && ids.includes(budget.claim) && cannotFail(budget)
          ? [`${name} ${budget.claim}`]
          : [],
      ),
    );
    expect(idle).toEqual([]);
  });
});

const NUMBER = /\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten)\b/i;

test('why a claim is contradicted is said with the numbers that contradict it', () => {
  const without = scenarios.flatMap(({ name, budgets }) =>
    budgets.flatMap((budget) => {
      const why = budget.state === 'untestable' ? null : budget.contradicted;
      return why === null || NUMBER.test(why) ? [] : [`${name} ${budget.id}: ${why}`];
    }),
  );
  expect(without).toEqual([]);
});

test('a scenario has claims of the document of its own system only', () => {
  const foreign = scenarios.flatMap(({ name, system, budgets }) =>
    budgets.flatMap(({ claim }) =>
      claim === null || systems[system]?.claims.some(({ id }) => id === claim) === true
        ? []
        : [`${name} ${claim}`],
    ),
  );
  expect(foreign).toEqual([]);
});

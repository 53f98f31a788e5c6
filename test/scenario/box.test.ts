import { expect, test } from 'vitest';
import { withBox } from '../../src/scenario/box.ts';
import { limitsText } from '../../src/scenario/component-limits.ts';
import { scenarioHash } from '../../src/scenario/resolved.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';
import { read, shipped, written } from './scenario-text.ts';

const boxed = (scenario: Scenario, box = { cpus: 2, memory: 3686 }): Scenario =>
  withBox(scenario, box, SYSTEMS.systemOf(scenario).scenario, SYSTEMS);

const TEXT = `name: limited
system: mud
load: { players: 8 }
world: { servers: 1, limits: { cpus: 4, memory: 512MB } }
postgres: { limits: { memory: 8GB } }
limits: { stack: { cpus: 16 } }
budgets: [{ id: own, metric: load.peakCcu, op: '>=', limit: 8, unit: players }]
`;

test('the stack has the box, and no component more than that', () => {
  const { limits, world, postgres, redis } = boxed(read(TEXT));
  expect(limits).toEqual({ stack: { cpus: 2, memory: 3686 } });
  expect(limitsText(world.limits ?? {})).toBe('2 CPUs, 512MB');
  expect(limitsText(postgres.limits ?? {})).toBe('3686MB');
  expect(redis?.limits).toBeUndefined();
});

test('a budget asks for memory that suffices, once, and load and the other budgets stay', () => {
  const before = read(TEXT);
  const once = boxed(before);
  expect(once.budgets.map(({ id }) => id)).toEqual(['own', 'box-memory']);
  expect(once.budgets.at(-1)).toMatchObject({
    ...{ op: '<=', limit: 100, unit: '%', stat: 'max' },
    metric: { path: 'limits.stack.memoryPercent', figure: 'limits.memoryPercent', unit: '%' },
  });
  expect(once.load).toEqual(before.load);
  expect(once.altered).toEqual([]);
  expect(scenarioHash(once)).not.toBe(scenarioHash(before));
  const again = boxed(once, { cpus: 1, memory: 768 });
  expect(again.budgets).toHaveLength(2);
  expect(again.limits).toEqual({ stack: { cpus: 1, memory: 768 } });
});

test('a bundle keeps it', () => {
  for (const name of ['quickstart', 'realm-10']) {
    const scenario = boxed(read(shipped(name)));
    const kept = read(written(scenario));
    expect(kept).toEqual(scenario);
    expect(scenarioHash(kept)).toBe(scenarioHash(scenario));
  }
});

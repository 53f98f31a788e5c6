import { expect, test } from 'vitest';
import { limitsOf } from '../../src/scenario/component-limits.ts';
import { limitMetricOf } from '../../src/scenario/limit-metric.ts';
import { limitsSchema } from '../../src/scenario/limits.ts';
import { writeScenario } from '../../src/scenario/resolved.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';
import { read } from './scenario-text.ts';

const text = (sections: string): string => `
name: limited
system: quiz
load: { players: 2 }
${sections}
budgets: []
`;

test('limits are read in every section, each server of the world has its own, and other components have none', () => {
  const scenario = read(
    text(`
world: { servers: 2, workers: 1, limits: { cpus: 1, memory: 512MB } }
postgres: { limits: { cpus: 0.5 } }
redis: { limits: { memory: 1GB } }
edge: { limits: { cpus: 2 } }`),
  );
  expect(limitsOf(scenario, 'world-1')).toEqual({ cpus: 1, memory: 512 });
  expect(limitsOf(scenario, 'world-2')).toEqual({ cpus: 1, memory: 512 });
  expect(limitsOf(scenario, 'server')).toEqual({ cpus: 1, memory: 512 });
  expect(limitsOf(scenario, 'postgres')).toEqual({ cpus: 0.5 });
  expect(limitsOf(scenario, 'redis')).toEqual({ memory: 1024 });
  expect(limitsOf(scenario, 'edge')).toEqual({ cpus: 2 });
  expect(limitsOf(scenario, 'relay')).toBeNull();
  expect(limitsOf(read(text('')), 'world-1')).toBeNull();
});

test.each([
  [{ cpus: 0.05 }, 'a number of CPUs of 0.1 to 1,024'],
  [{ cpus: 1025 }, 'a number of CPUs of 0.1 to 1,024'],
  [{ memory: '8MB' }, 'a size of 16MB to 1TB in whole megabytes, such as 512MB or 3GB'],
  [{ memory: '2TB' }, 'a size of 16MB to 1TB in whole megabytes, such as 512MB or 3GB'],
  [{}, 'cpus, memory, or both'],
  [{ cpu: 1 }, 'cpus, memory'],
])('%o is refused: expected %s', (limits, message) => {
  expect(limitsSchema.safeParse(limits).error?.issues[0]?.message).toBe(message);
});

test('a figure of limits is found by its path', () => {
  expect(limitMetricOf('limits.world-1.cpuPercent')).toEqual({
    ...{ component: 'world-1', figure: 'cpuPercent', unit: '%', isSpread: true },
  });
  expect(limitMetricOf('limits.redis.outOfMemoryKills')).toMatchObject({ unit: 'kills', isSpread: false });
  expect(limitMetricOf('limits.redis.cpus')).toBeNull();
  expect(limitMetricOf('limits.redis.cpuPercent.max')).toBeNull();
  expect(limitMetricOf('limits.World.cpuPercent')).toBeNull();
  expect(limitMetricOf('outage.redis.count')).toBeNull();
});

const realm = (sections: string): string => `
name: limited
system: realm
load: { players: 2 }
${sections}
budgets: []
`;

test('the whole stack, and a component without a section, have theirs under limits', () => {
  const scenario = read(realm('limits: { stack: { cpus: 1.5, memory: 2GB }, relay: { cpus: 0.5 } }'));
  expect(limitsOf(scenario, 'stack')).toEqual({ cpus: 1.5, memory: 2048 });
  expect(limitsOf(scenario, 'relay')).toEqual({ cpus: 0.5 });
  expect(limitsOf(scenario, 'world-1')).toBeNull();
  expect(limitsOf(scenario, 'constructor')).toBeNull();
  const written = read(writeScenario(scenario, SYSTEMS.systemOf(scenario).scenario));
  expect(written.limits).toEqual(scenario.limits);
});

test.each([
  ['limits: { relays: { cpus: 1 } }', /limits\.relays: got limits of what is not started here/],
  [
    'limits: { world-1: { cpus: 1 } }',
    /limits\.world-1: got limits of what is not started here, .*world\.limits$/m,
  ],
  ['limits: { world: { cpus: 1 } }', /limits\.world: got limits of world, expected them in world\.limits$/m],
  ['limits: { stack: {} }', /limits\.stack: got a map, expected cpus, memory, or both/],
  ['postgres: { limits: { cpus: 1 } }', /postgres\.limits: got limits of what is not started here/],
  [
    'limits: { stack: { cpus: 1, memory: 1GB } }\nworld: { limits: { cpus: 2, memory: 1GB } }',
    /world\.limits\.cpus: got 2, expected at most the 1 of limits\.stack, which it is part of$/m,
  ],
  [
    'limits: { stack: { memory: 1GB }, relay: { memory: 2GB } }',
    /limits\.relay\.memory: got 2048MB, expected at most the 1024MB of limits\.stack/,
  ],
])('%s is refused', (sections, message) => {
  expect(() => read(realm(sections))).toThrow(message);
});

test('limits where capbench starts nothing are refused', () => {
  const own = `
name: mine
system: own
load: { players: 1, operations: { get: { perSecond: 1 } } }
players: { protocol: http, requests: [{ path: /, operation: get }] }
budgets: []
`;
  for (const [sections, path] of [
    ['world: { limits: { cpus: 1 } }', 'world.limits'],
    ['limits: { stack: { cpus: 1 } }', 'limits.stack'],
  ] as const)
    expect(() => read(own + sections)).toThrow(
      `${path}: got limits, and capbench starts nothing here that could be limited`,
    );
});

import { expect, test } from 'vitest';
import { type LimitWays, limitSettings, planLimits } from '../../src/stack/limit-plan.ts';

const TWO: LimitWays = { cpus: [0, 1], taskset: '/usr/bin/taskset', groups: null };
const of = (name: string, cpus?: number, memory?: number) => ({ name, limits: { cpus, memory } });

test('whole CPUs are bound, each component to those after the one before, and shared where there are too few', () => {
  const plans = planLimits([of('world-1', 1), of('world-2', 1), of('postgres', 2), of('redis', 1)], TWO);
  expect(plans.map(({ cpus }) => cpus)).toEqual([
    { by: 'affinity', of: [0] },
    { by: 'affinity', of: [1] },
    { by: 'affinity', of: [0, 1] },
    { by: 'affinity', of: [0] },
  ]);
  // In a container the first CPU may be another one.
  expect(planLimits([of('world-1', 2)], { ...TWO, cpus: [4, 6, 7] })[0]?.cpus).toEqual({
    ...{ by: 'affinity', of: [4, 6] },
  });
});

test('a share of a CPU is held by a control group, or by the next whole number of CPUs; memory is measured then', () => {
  const limited = [of('world-1', 0.5, 512)];
  expect(planLimits(limited, { ...TWO, groups: 2 })).toMatchObject([{ cpus: 'quota', memory: 'group' }]);
  expect(planLimits(limited, TWO)).toMatchObject([
    { cpus: { by: 'affinity', of: [0], isMore: true }, memory: 'measured' },
  ]);
  expect(planLimits(limited, { ...TWO, taskset: null })[0]?.cpus).toBe('measured');
  expect(planLimits([of('world-1', 0.5)], TWO)[0]?.memory).toBeNull();
  expect(planLimits([of('world-1', undefined, 512)], TWO)[0]?.cpus).toBeNull();
});

test('without taskset, or with fewer CPUs than wanted, whole CPUs are a quota or measured', () => {
  expect(planLimits([of('world-1', 1)], { ...TWO, taskset: null, groups: 1 })[0]?.cpus).toBe('quota');
  expect(planLimits([of('world-1', 1)], { ...TWO, taskset: null })[0]?.cpus).toBe('measured');
  expect(planLimits([of('world-1', 3)], TWO)[0]?.cpus).toBe('measured');
  // macOS
  expect(planLimits([of('world-1', 1)], { cpus: [], taskset: null, groups: null })[0]?.cpus).toBe('measured');
});

test('one setting for each section says how its limits are held, and why they are not', () => {
  const limited = [of('world-1', 1, 512), of('world-2', 1, 512), of('postgres', 0.5)];
  const FOUR: LimitWays = { ...TWO, cpus: [0, 1, 2, 3] };
  expect(limitSettings(planLimits(limited, FOUR), FOUR)).toEqual([
    {
      setting: 'worldLimits',
      documented: '1 CPU, 512MB',
      applied: '1 CPU by affinity, memory measured against it',
      reason: expect.stringMatching(/^capbench makes control groups only where CAPBENCH_CGROUP/),
      hardware: false,
    },
    {
      setting: 'postgresLimits',
      documented: '0.5 CPUs',
      applied: '1 CPU by affinity, measured against 0.5 CPUs',
      reason: expect.stringMatching(/CAPBENCH_CGROUP/),
      hardware: false,
    },
  ]);
  const ways: LimitWays = { ...FOUR, groups: 1 };
  expect(limitSettings(planLimits(limited, ways), ways)).toMatchObject([
    { applied: '1 CPU by affinity, 512MB by control group (version 1)', reason: null },
    { applied: '0.5 CPUs by quota of a control group (version 1)', reason: null },
  ]);
  const bare: LimitWays = { ...TWO, taskset: null };
  expect(limitSettings(planLimits([of('edge', 1)], bare), bare)[0]?.reason).toMatch(/^there is no taskset/);
});

test('limits that need more CPUs together than there are say that the components share them', () => {
  const limited = [of('world-1', 1, 512), of('world-2', 1), of('postgres', 0.5), of('redis', undefined, 64)];
  const ways: LimitWays = { ...TWO, groups: 2 };
  expect(limitSettings(planLimits(limited, ways), ways)).toMatchObject([
    {
      setting: 'worldLimits',
      reason: 'all limits together take 2.5 CPUs, and this host has 2, which the components share',
      hardware: true,
    },
    { setting: 'postgresLimits', hardware: true },
    { setting: 'redisLimits', reason: null, hardware: false },
  ]);
});

test('components share the CPUs of the stack, whose limits are a setting of their own', () => {
  const EIGHT: LimitWays = { ...TWO, cpus: [0, 1, 2, 3, 4, 5, 6, 7] };
  const plans = planLimits([of('world-1', 1), of('postgres', 2), of('relay', 0.5)], EIGHT, {
    cpus: 2,
    memory: 4096,
  });
  expect(plans.map(({ name, cpus }) => [name, cpus])).toEqual([
    ['stack', { by: 'affinity', of: [0, 1] }],
    ['world-1', { by: 'affinity', of: [0] }],
    ['postgres', { by: 'affinity', of: [0, 1] }],
    ['relay', { by: 'affinity', of: [1], isMore: true }],
  ]);
  expect(plans[0]?.memory).toBe('measured');
  const why = 'all limits together take 4 CPUs, and the stack may use 2, which the components share';
  expect(limitSettings(plans, EIGHT)).toMatchObject([
    {
      setting: 'stackLimits',
      documented: '2 CPUs, 4096MB',
      applied: '2 CPUs by affinity, memory measured against it',
    },
    // No other hardware would change that.
    { setting: 'worldLimits', reason: why, hardware: false },
    { setting: 'postgresLimits', reason: why },
    { setting: 'relayLimits', reason: expect.stringContaining(why) },
  ]);
  expect(planLimits([], EIGHT, { cpus: 2.5 })[0]?.cpus).toMatchObject({ of: [0, 1, 2], isMore: true });
  expect(
    planLimits([of('redis', 1)], { ...EIGHT, groups: 2 }, { cpus: 2.5 }).map(({ cpus }) => cpus),
  ).toEqual(['quota', { by: 'affinity', of: [0] }]);
});

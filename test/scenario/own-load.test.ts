import { expect, test } from 'vitest';
import type { Budget } from '../../src/scenario/budget.ts';
import { NO_OVERRIDES } from '../../src/scenario/overrides.ts';
import { withOwnLoad } from '../../src/scenario/own-load.ts';
import { readScenario } from '../../src/scenario/read-scenario.ts';
import { writeScenario } from '../../src/scenario/resolved.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';

const FILE = `
name: mine
system: own
load: { players: 200, operations: { intent: { perSecond: 400 } } }
players: { protocol: json, commands: [{ command: look }] }
budgets:
  - { id: connected, metric: load.peakCcu, op: '>=', limit: 198, unit: players, fullLoad: true }
  - { id: exactly, metric: load.peakCcu, op: '=', limit: 200, unit: players }
  - { id: rate, metric: throughput.intentsPerSecond, op: '>=', limit: 390, unit: ops/s }
  - { id: p95, metric: latency.intent.due, stat: p95, op: <, limit: 200, unit: ms, fullLoad: true }
  - { id: memory, metric: host.memoryUsedPercent, stat: max, op: <=, limit: 80, unit: '%' }
  - { id: idle, metric: host.cpuPercent, stat: mean, op: '>=', limit: 5, unit: '%', fullLoad: true }
  - { id: sent, metric: load.sentPercent.intent, op: '>=', limit: 99, unit: '%' }
`;
const context = { systems: SYSTEMS, claims: new Map() };
const read = (scale: number | null, set: readonly string[] = []) =>
  readScenario({ file: 'mine.yaml', bytes: new TextEncoder().encode(FILE) }, context, {
    ...NO_OVERRIDES,
    scale,
    set,
  });
const limits = (budgets: readonly Budget[]): Record<string, unknown> =>
  Object.fromEntries(
    budgets.map((one) => [one.id, one.state === 'measured' ? [one.limit, one.fullLoad] : one.state]),
  );

test.each([
  [1.189, { connected: [235, false], exactly: [237, false], rate: [463.71, false] }],
  [0.25, { connected: [49, false], exactly: [50, false], rate: [97.5, false] }],
  [1, { connected: [198, false], exactly: [200, false], rate: [390, false] }],
])('at scale %d budgets on the load ask for that of the step, and upper bounds stay', (scale, expected) => {
  const own = withOwnLoad(read(scale), read(null));
  const { connected, exactly, rate, ...others } = limits(own.budgets);
  const players = own.load.players;
  expect({ connected, exactly }).toEqual({ connected: expected.connected, exactly: [players, false] });
  expect((rate as [number])[0]).toBeCloseTo((390 * players) / 200, 6);
  expect(others).toEqual({
    ...{ p95: [200, false], memory: [80, false], sent: [99, false] },
    // It says nothing about more players or fewer.
    idle: 'untestable',
  });
});

test('what --set changed is no longer what was promised at full load; the players are those that there are', () => {
  const set = ['load.players=100'];
  const own = withOwnLoad(read(2, set), read(null, set));
  expect(own.load.players).toBe(200);
  expect(limits(own.budgets)).toMatchObject({
    ...{ connected: [200, false], rate: [780, false] },
    ...{ p95: [200, true], idle: [5, true] },
  });
});

test('the scenario of a step is read from its bundle as it was judged', () => {
  const own = withOwnLoad(read(1.5), read(null));
  const bytes = new TextEncoder().encode(writeScenario(own, SYSTEMS.systemOf(own).scenario));
  expect(readScenario({ file: 'scenario.yaml', bytes }, context, NO_OVERRIDES)).toEqual(own);
});

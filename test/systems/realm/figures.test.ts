import { expect, test } from 'vitest';
import type { Measurements } from '../../../src/measurement/measurements.ts';
import { baseOf, realmFigures } from '../../../src/systems/realm/figures.ts';
import { healthFields, heapBytesIn } from '../../../src/systems/realm/probe.ts';
import { read } from '../../scenario/scenario-text.ts';

const SCENARIO = read('name: r\nsystem: realm\nload: { players: 20, duration: 10s }\n');

/** A counter that grows by so much a second, or a gauge, from GO to 12 s later. */
const counter = (perSecond: number) => ({
  kind: 'counter',
  points: Array.from({ length: 13 }, (_, second) => [second, 1_000 + perSecond * second]),
});
const gauge = (value: number) => ({
  kind: 'gauge',
  points: Array.from({ length: 13 }, (_, second) => [second, value]),
});

/** Two worlds with ten agents each, in a measure phase of ten seconds. */
function figures() {
  const world = {
    updates: counter(10),
    lateUpdates: counter(1),
    updateSeconds: counter(0.05),
    thinkSeconds: counter(0.003),
    thinks: counter(10),
    syncSeconds: counter(0.004),
    signingSeconds: counter(0.005),
    syncs: counter(0.2),
    syncFailures: counter(0),
    signedEvents: counter(2),
    chats: counter(1),
    emotes: counter(0.5),
    moves: counter(20),
    bytesOut: counter(5_000),
    bytesIn: counter(900),
    logBytes: counter(10),
    connections: gauge(10),
    agents: gauge(10),
    unsyncedAgents: gauge(4),
  };
  const series = Object.fromEntries(
    [1, 2].flatMap((i) => Object.entries(world).map(([name, one]) => [`world.${i}.${name}`, one])),
  );
  const health = { 'realm.1.healthFields': gauge(7), 'realm.2.healthFields': gauge(6) };
  const m = { series: { ...series, ...health }, measured: { from: 1, to: 11 }, stages: [], worlds: null };
  return realmFigures.of(m as unknown as Measurements, SCENARIO).realm as Readonly<Record<string, unknown>>;
}

test('shares are of one core, of the mean world', () => {
  expect(figures()).toMatchObject({
    ...{
      updatePercent: expect.closeTo(5),
      updateMs: expect.closeTo(5),
      lateUpdatesPercent: expect.closeTo(10),
    },
    ...{
      thinkPercent: expect.closeTo(0.3),
      thinkPercentPerAgent: expect.closeTo(0.03),
      thinkMs: expect.closeTo(0.3),
    },
    ...{ syncPercent: expect.closeTo(0.4), syncBurstPercent: expect.closeTo(80), syncMs: expect.closeTo(20) },
  });
});

test('intervals are of one world or of one agent, and rates of all', () => {
  expect(figures()).toMatchObject({
    ...{ meanUpdateIntervalMs: expect.closeTo(100), thinkIntervalSeconds: expect.closeTo(1) },
    ...{ syncIntervalSeconds: expect.closeTo(5), signedEventsPerSecond: expect.closeTo(4) },
    ...{ movesPerSecond: expect.closeTo(40), saidPerSecond: expect.closeTo(3) },
    ...{ bytesOutPerSecond: expect.closeTo(10_000), bytesInPerSecond: expect.closeTo(1_800) },
    ...{ logBytesPerDay: expect.closeTo(20 * 86_400), syncFailures: 0 },
    ...{ unsyncedAgents: { mean: 8, min: 8, max: 8 }, agents: { mean: 20, min: 20, max: 20 } },
    // Of the world that has fewer.
    healthFields: { mean: 6, min: 6, max: 6 },
  });
});

test('without stages nothing is known of a world without agents', () => {
  expect(figures()).toMatchObject({ baseMemoryBytes: null, baseHeapBytes: null, baseCpuPercent: null });
});

test('what a world needs without agents is where the line over the stages begins', () => {
  expect(
    baseOf([
      [1, 103],
      [10, 130],
      [20, 160],
    ]),
  ).toBeCloseTo(100);
  expect(
    baseOf([
      [1, 103],
      [10, 130],
    ]),
  ).toBeNull();
  expect(baseOf([])).toBeNull();
});

const HEALTH = {
  ...{ status: 'ok', uptime: 12, agents: { active: 3, total: 10 }, connections: 3 },
  memory: { used: '80MB', heap: '12.5MB' },
};

test.each<[what: string, body: unknown, fields: number]>([
  ['as documented', HEALTH, 7],
  ['with more', { ...HEALTH, world: 'realm' }, 7],
  ['starting', { ...HEALTH, status: 'starting' }, 6],
  ['without memory', { ...HEALTH, memory: undefined }, 5],
  ['memory as a number', { ...HEALTH, memory: { used: 80, heap: 12 } }, 5],
  ['agents as a number', { ...HEALTH, agents: 3 }, 5],
  ['nothing', null, 0],
])('the documented fields of GET /health: %s', (_, body, fields) => {
  expect(healthFields(body)).toBe(fields);
});

test('the heap is what health says in megabytes', () => {
  expect(heapBytesIn(HEALTH)).toBe(12.5e6);
  expect(heapBytesIn({})).toBeNull();
});

import { expect, test } from 'vitest';
import type { Measurements, Series } from '../../../src/measurement/measurements.ts';
import { masslessFigures } from '../../../src/systems/massless/figures.ts';
import { measurementsOf } from '../../fixtures/recorded-run.ts';
import { read } from '../../scenario/scenario-text.ts';

const scenario = read('name: z\nsystem: massless\nload: { players: 40, duration: 10s }\n');

/** One point a second from 0 to 10: `of` of the second. */
const series = (kind: Series['kind'], of: (second: number) => number): Series => ({
  kind,
  points: Array.from({ length: 11 }, (_, second) => [second, of(second)] as const),
});

/** Of two servers, the first of which has two rooms. */
function figuresOf(own: Readonly<Record<string, Series>>): Record<string, unknown> {
  const m: Measurements = measurementsOf({ measured: { from: 0, to: 10 }, series: own });
  return masslessFigures.of(m, scenario).massless as Record<string, unknown>;
}

test('rates of ticks are those of a room, over the rooms of all servers', () => {
  const found = figuresOf({
    'world.1.rooms': series('gauge', () => 2),
    'world.2.rooms': series('gauge', () => 1),
    'world.1.ticks': series('counter', (s) => 40 * s),
    'world.2.ticks': series('counter', (s) => 17 * s),
    'world.1.lateTicks': series('counter', (s) => s),
    'world.2.lateTicks': series('counter', (s) => 2 * s),
    'world.1.overruns': series('counter', () => 0),
    'world.2.overruns': series('counter', () => 0),
    'world.1.players': series('gauge', () => 27),
    'world.2.players': series('gauge', () => 15),
    'world.1.patchBytes': series('counter', (s) => 8_400 * s),
    'world.2.patchBytes': series('counter', (s) => 4_200 * s),
    'world.1.memoryBytes': series('gauge', () => 100e6),
    'world.2.memoryBytes': series('gauge', () => 80e6),
  });
  expect(found).toMatchObject({
    ticksPerSecond: { mean: 19, min: 19, max: 19 },
    overrunPercent: 0,
    playersPerRoom: { mean: 14 },
    patchBytesPerPlayerSecond: 300,
    memoryPerRoomBytes: { min: 50e6, max: 80e6 },
    rooms: { mean: 3 },
  });
  expect(found.lateTicksPercent).toBeCloseTo((100 * 3) / 57, 6);
});

test('what was not read is null; of Redis the worst server and the last census count', () => {
  const found = figuresOf({
    'world.1.redisLostSeconds': series('gauge', (s) => (s > 4 ? 0.3 : 0)),
    'world.2.redisLostSeconds': series('gauge', () => 0),
    'massless.leaderboardPlayers': series('gauge', (s) => (s === 5 ? 0 : 30 + s)),
    'massless.sessions': {
      kind: 'gauge',
      points: [
        [0, 40],
        [10, 38],
      ],
    },
  });
  expect(found).toMatchObject({
    ...{ redisLostSeconds: 0.3, sessions: 38, leaderboardPlayersAtEnd: 40 },
    leaderboardPlayers: { min: 0, max: 40 },
    ...{ trades: null, patchBytesPerPlayerSecond: null, lateTicksPercent: null, sessionsWithoutTtl: null },
    ticksPerSecond: { mean: null, min: null, max: null },
    tickMs: { p50: null, p95: null, p99: null },
  });
});

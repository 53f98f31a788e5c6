import { z } from 'zod';
import { bucketQuantile } from '../../buckets.ts';
import { figure, quantiles, type Read, spread } from '../../measurement/figure-kinds.ts';
import { UNDERSTOOD } from '../../measurement/figures.ts';
import type { Measurements, Series } from '../../measurement/measurements.ts';
import {
  gaugeOf,
  increaseOf,
  measuredOf,
  percentOf,
  ratesAt,
  ratio,
  secondsOf,
  spreadOf,
  sumColumns,
  sumOf,
  togetherOf,
  valuesAt,
} from '../../measurement/readings.ts';
import type { SystemFigures } from '../../measurement/system-figures.ts';

const massless = z.object({
  rooms: spread('zones', 'Of all servers.'),
  playersPerRoom: spread('players', 'Players of all rooms, over the rooms.'),
  ticksPerSecond: spread('Hz', 'Ticks of a room per second, over the rooms of all servers.'),
  tickMs: quantiles('ms', 'What a tick takes: inputs, who sees whom, and the patches.'),
  lateTicksPercent: figure(
    '%',
    'Of the ticks: those that began later than 1.5 periods after the one before.',
  ),
  overrunPercent: figure('%', 'Of the ticks: those that took longer than a period, 50 ms at 20 Hz.'),
  skippedTicks: figure('ticks', 'Left out after a delay.'),
  patchesPerSecond: figure('patches/s', 'Frames of the state that the servers sent.'),
  patchBytesPerPlayerSecond: figure('bytes/s', 'Of the state, to each player.'),
  trades: figure('ops', 'Committed.'),
  transfers: figure('ops', 'From zone to zone.'),
  savedRowsPerSecond: figure('rows/s', 'Places that were saved.'),
  saveMs: quantiles('ms', 'A save of all characters of a server that have moved.'),
  refusedJoins: figure('connections', 'Players that a server refused, as it counts them.'),
  memoryPerRoomBytes: spread('bytes', 'Of a server’s process, over its rooms.'),
  leaderboardPlayers: spread('players', 'That the leaderboard in Redis has.'),
  leaderboardPlayersAtEnd: figure('players', 'The same after the drain.'),
  wrongScores: figure(
    'players',
    'Players whose score in Redis was not that of their trades in PostgreSQL, after the drain.',
  ),
  leaderboardRebuilt: figure('x', 'Times that a server wrote the leaderboard from PostgreSQL.'),
  sessions: figure('keys', 'Sessions of players in Redis, after the drain.'),
  sessionsWithoutTtl: figure('keys', 'Of them, those that never expire.'),
  redisLostSeconds: figure(
    's',
    'The longest span of writes that Redis had answered, and no longer had when it answered again; null where it was never away.',
  ),
});

const sections = {
  massless,
  world: z.object(UNDERSTOOD.world),
  database: z.object({ queryMs: UNDERSTOOD.database.queryMs }),
};

const NO_QUANTILES = { p50: null, p95: null, p99: null };

/** Figures of zones, from their servers' pages, their Redis, and the players' sockets. */
export const masslessFigures: SystemFigures = {
  sections,
  of: (m) => ({
    massless: masslessOf(m),
    world: { responseMs: NO_QUANTILES },
    database: { queryMs: quantilesOf(m, 'flushMs') },
  }),
};

function quantilesOf({ worlds }: Measurements, name: string) {
  const data = worlds?.[name];
  if (data === undefined || data === null) return NO_QUANTILES;
  const [p50, p95, p99] = [50, 95, 99].map((percent) => bucketQuantile(data, percent));
  return { p50: p50 ?? null, p95: p95 ?? null, p99: p99 ?? null };
}

function masslessOf(m: Measurements): Read<typeof massless> {
  const { window, each } = measuredOf(m, 'world');
  const grown = (name: string) => sumOf(each(name).map((series) => increaseOf(series, window)));
  const most = (name: string) => spreadOf(each(name).map((series) => gaugeOf(series, window).max)).max;
  const seconds = secondsOf(window);
  const length = window.to - window.from;
  const rooms = sumColumns(each('rooms').map((series) => valuesAt(series, seconds)));
  const over = (series: readonly Series[]) => {
    const values = sumColumns(series.map((one) => valuesAt(one, seconds)));
    return spreadOf(values.map((value, i) => ratio(value, rooms[i] ?? null)));
  };
  const ticks = sumColumns(each('ticks').map((series) => ratesAt(series, seconds)));
  const players = togetherOf(each('players'), window).mean;
  const perSecond = (count: number | null) => (count === null || length <= 0 ? null : count / length);
  return {
    rooms: togetherOf(each('rooms'), window),
    playersPerRoom: over(each('players')),
    // The first second would need a reading before the window.
    ticksPerSecond: spreadOf(ticks.slice(1).map((rate, i) => ratio(rate, rooms[i + 1] ?? null))),
    tickMs: quantilesOf(m, 'tickMs'),
    lateTicksPercent: percentOf(grown('lateTicks'), grown('ticks')),
    overrunPercent: percentOf(grown('overruns'), grown('ticks')),
    skippedTicks: grown('skippedTicks'),
    patchesPerSecond: perSecond(grown('patches')),
    patchBytesPerPlayerSecond: ratio(perSecond(grown('patchBytes')), players),
    trades: grown('trades'),
    transfers: grown('transfers'),
    savedRowsPerSecond: perSecond(grown('savedRows')),
    saveMs: quantilesOf(m, 'saveMs'),
    refusedJoins: grown('refusedJoins'),
    memoryPerRoomBytes: memoryOf(each('memoryBytes'), each('rooms'), seconds),
    leaderboardPlayers: gaugeOf(m.series['massless.leaderboardPlayers'], window),
    leaderboardPlayersAtEnd: lastOf(m, 'massless.leaderboardPlayers'),
    wrongScores: lastOf(m, 'massless.wrongScores'),
    leaderboardRebuilt: grown('leaderboardRebuilt'),
    sessions: lastOf(m, 'massless.sessions'),
    sessionsWithoutTtl: lastOf(m, 'massless.sessionsWithoutTtl'),
    redisLostSeconds: most('redisLostSeconds'),
  };
}

/** What was read last, after the drain. */
const lastOf = (m: Measurements, series: string): number | null =>
  m.series[series]?.points.at(-1)?.[1] ?? null;

/** By second and server. */
function memoryOf(memory: readonly Series[], rooms: readonly Series[], seconds: readonly number[]) {
  return spreadOf(
    memory.flatMap((own, server) => {
      const has = valuesAt(rooms[server], seconds);
      return valuesAt(own, seconds).map((bytes, i) => ratio(bytes, has[i] ?? null));
    }),
  );
}

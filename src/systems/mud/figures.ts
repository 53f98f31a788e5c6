import { z } from 'zod';
import { bucketQuantile } from '../../buckets.ts';
import { figure, type Read, spread } from '../../measurement/figure-kinds.ts';
import { UNDERSTOOD } from '../../measurement/figures.ts';
import type { Measurements } from '../../measurement/measurements.ts';
import { gaugeOf, increaseOf, measuredOf, percentOf, ratio, sumOf } from '../../measurement/readings.ts';
import type { SystemFigures } from '../../measurement/system-figures.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { roomsOf } from './scenario.ts';
import { EVENT_TYPES } from './server/game.ts';
import type { KeyKind } from './store-probe.ts';

const mud = z.object({
  savesPerSecond: figure('batches/s', 'Rounds in which an instance saved states.'),
  statesPerSave: figure('rows/batch'),
  mostUnsaved: figure('entities', 'States that were in Redis alone, when a round began.'),
  redisCommandsPerRoundTrip: figure('ops/batch', 'Commands that were sent to Redis together.'),
  stateBytes: figure('bytes', 'Mean of a state as JSON.'),
  storedStateBytes: figure('bytes', 'Mean of a state as Redis has it.'),
  compressedPercent: figure('%', 'Of the states that were written.'),
  degradedCommands: figure('ops', 'Carried out on PostgreSQL, because Redis was away.'),
  unavailableCommands: figure('ops', 'That could not be carried out.'),
  breakerOpened: figure('x', 'Times that an instance gave Redis up.'),
  breakerClosed: figure('x', 'Times that an instance used Redis again.'),
  recalledStates: figure('rows', 'Read from PostgreSQL, because Redis had forgotten them.'),
  eventTypes: figure('types', 'Of the five documented types of events, those that were published.'),
  keysPerPlayer: figure('keys', 'Documented keys of players, for each player.'),
  keysPerRoom: figure('keys', 'Documented keys of rooms, for each room.'),
  globalKeys: figure('keys'),
  otherKeys: figure('keys', 'The servers’ own: what has to be saved, and who moves the clock.'),
  ttlSeconds: spread(
    's',
    'How long the keys of players would have lived on, over samples of 20 players a second; 10^9 for one that never expires.',
  ),
  keysWithoutTtl: figure('keys', 'Of the same samples, the most at once.'),
  roomChannels: figure('channels', 'Channels room:{room_id} with subscribers.'),
  userChannels: figure('channels', 'Channels user:{username} with subscribers.'),
  otherChannels: figure('channels', 'Neither those, nor `global`.'),
});

const sections = {
  mud,
  world: z.object(UNDERSTOOD.world),
  database: z.object({ queryMs: UNDERSTOOD.database.queryMs }),
};

/** Figures of the text game, from its instances' pages and from the keys and channels of its Redis. */
export const mudFigures: SystemFigures = {
  sections,
  of: (m, scenario) => ({
    mud: mudOf(m, scenario),
    world: { responseMs: NO_QUANTILES },
    database: { queryMs: quantilesOf(m) },
  }),
};

const NO_QUANTILES = { p50: null, p95: null, p99: null };

function quantilesOf({ worlds }: Measurements) {
  const data = worlds?.flushMs;
  if (data === undefined) return NO_QUANTILES;
  const [p50, p95, p99] = [50, 95, 99].map((percent) => bucketQuantile(data, percent));
  return { p50: p50 ?? null, p95: p95 ?? null, p99: p99 ?? null };
}

/** What was read last: the census is taken where the measure phase begins and ends. */
const lastOf = (m: Measurements, series: string): number | null =>
  m.series[series]?.points.at(-1)?.[1] ?? null;

const keysOf = (m: Measurements, kinds: readonly (KeyKind | 'other')[]): number | null =>
  sumOf(kinds.map((kind) => lastOf(m, `mud.keys.${kind}`)));

function mudOf(m: Measurements, scenario: Scenario): Read<typeof mud> {
  const { window, each } = measuredOf(m, 'world');
  const grown = (name: string) => sumOf(each(name).map((series) => increaseOf(series, window)));
  const most = (name: string) => maxOf(each(name).map((series) => gaugeOf(series, window).max));
  const seconds = window.to - window.from;
  const [saves, savedStates, states] = [grown('saves'), grown('savedStates'), grown('states')];
  const shortest = gaugeOf(m.series['mud.shortestTtlSeconds'], window);
  const longest = gaugeOf(m.series['mud.longestTtlSeconds'], window);
  const published = EVENT_TYPES.map((type) => grown(`events_${type}`));
  return {
    savesPerSecond: saves === null || seconds <= 0 ? null : saves / seconds,
    statesPerSave: ratio(savedStates, saves),
    mostUnsaved: most('mostUnsaved'),
    redisCommandsPerRoundTrip: ratio(grown('redisCommands'), grown('redisRoundTrips')),
    stateBytes: ratio(grown('stateJsonBytes'), states),
    storedStateBytes: ratio(grown('stateStoredBytes'), states),
    compressedPercent: percentOf(grown('compressedStates'), states),
    degradedCommands: grown('degraded'),
    unavailableCommands: grown('unavailable'),
    breakerOpened: grown('breakerOpened'),
    breakerClosed: grown('breakerClosed'),
    recalledStates: grown('recalled'),
    eventTypes: published.includes(null) ? null : published.filter((count) => (count ?? 0) > 0).length,
    keysPerPlayer: ratio(
      keysOf(m, ['playerState', 'playerLocation', 'playerSession']),
      scenario.load.players,
    ),
    keysPerRoom: ratio(keysOf(m, ['roomState', 'roomPlayers', 'roomEvents']), roomsOf(scenario)),
    globalKeys: keysOf(m, ['global']),
    otherKeys: keysOf(m, ['other']),
    ttlSeconds: { mean: shortest.mean, min: shortest.min, max: longest.max },
    keysWithoutTtl: gaugeOf(m.series['mud.keysWithoutTtl'], window).max,
    roomChannels: lastOf(m, 'mud.channels.room'),
    userChannels: lastOf(m, 'mud.channels.user'),
    otherChannels: lastOf(m, 'mud.channels.other'),
  };
}

const maxOf = (values: readonly (number | null)[]): number | null =>
  values.reduce((most, value) => (value === null ? most : Math.max(most ?? value, value)), null);

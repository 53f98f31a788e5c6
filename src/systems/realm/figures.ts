import { z } from 'zod';
import { bucketQuantile } from '../../buckets.ts';
import { figure, quantiles, type Read, spread } from '../../measurement/figure-kinds.ts';
import { type Spread, UNDERSTOOD } from '../../measurement/figures.ts';
import type { Measurements } from '../../measurement/measurements.ts';
import { type StageMeans, slopeOf, stageMeans } from '../../measurement/per-player-figures.ts';
import {
  gaugeOf,
  increaseOf,
  measuredOf,
  NO_SPREAD,
  numbered,
  percentOf,
  ratio,
  sumOf,
  togetherOf,
} from '../../measurement/readings.ts';
import type { SystemFigures } from '../../measurement/system-figures.ts';

const realm = z.object({
  updateIntervalMs: quantiles(
    'ms',
    'From one update of a world to its next, whether or not there was something to tell.',
  ),
  meanUpdateIntervalMs: figure('ms', 'The same, on average, without the width of a histogram’s buckets.'),
  lateUpdatesPercent: figure('%', 'Of the updates: later than one and a half intervals.'),
  updatePercent: figure('%', 'Of one core: what updates take of the time, of the mean world.'),
  updateMs: figure('ms', 'How long an update occupies its world, on average.'),
  thinkPercent: figure('%', 'Of one core: what thinking takes of the time, of the mean world.'),
  thinkPercentPerAgent: figure('%', 'The same, for each agent.'),
  thinkMs: figure('ms', 'How long a thought occupies its world, on average.'),
  thinkIntervalSeconds: figure('s', 'From one thought of an agent to its next, on average.'),
  syncPercent: figure(
    '%',
    'Of one core: what signing and sending to the relay takes of the time, of the mean world.',
  ),
  syncMs: figure('ms', 'How long a sync occupies its world, on average; other work is done in between.'),
  syncBurstPercent: figure('%', 'Of one core while a sync signs its events: the rest is for agents.'),
  syncIntervalSeconds: figure('s', 'From one sync of a world to its next, on average.'),
  syncFailures: figure('x', 'Syncs that the relay did not confirm.'),
  signedEventsPerSecond: figure('events/s', 'Of all worlds.'),
  unsyncedAgents: spread('entities', 'Agents with commands that the relay does not have, of all worlds.'),
  agents: spread('entities', 'Agents that the worlds have, connected or not.'),
  movesPerSecond: figure('ops/s', 'Moves that were applied, as the worlds count them.'),
  saidPerSecond: figure('ops/s', 'Chats and emotes, as the worlds count them.'),
  bytesOutPerSecond: figure('bytes/s', 'What the worlds sent to agents, as they count it.'),
  bytesInPerSecond: figure('bytes/s', 'What the worlds received from agents, as they count it.'),
  logBytesPerDay: figure('bytes', 'What the worlds wrote to their logs in the measure phase, for a day.'),
  healthFields: spread('fields', 'Of the seven documented fields of GET /health, those that were there.'),
  heapBytes: spread('bytes', 'Of the largest heap, as GET /health says.'),
  baseMemoryBytes: figure('bytes', 'Of the worlds without agents: where the line over the stages begins.'),
  baseHeapBytes: figure('bytes', 'The part of that which is V8’s heap.'),
  baseRuntimeBytes: figure('bytes', 'The rest of it: Node.js, its code and its buffers.'),
  baseCpuPercent: figure('%', 'Of one core without agents: where the line over the stages begins.'),
});

const sections = { realm, world: z.object(UNDERSTOOD.world) };

const DAY_SECONDS = 86_400;

/** Figures from the worlds' metrics and their health: what updates, thinking and the relay cost. */
export const realmFigures: SystemFigures = {
  sections,
  of: (m) => ({ realm: realmOf(m), world: { responseMs: { p50: null, p95: null, p99: null } } }),
};

function realmOf(m: Measurements): Read<typeof realm> {
  const { window, each } = measuredOf(m, 'world');
  const grown = (name: string): number | null => sumOf(each(name).map((one) => increaseOf(one, window)));
  const seconds = window.to - window.from;
  const perSecond = (name: string): number | null => (seconds > 0 ? ratio(grown(name), seconds) : null);
  const worlds = each('updates').length;
  /** Of one core, of the mean world: seconds of work, of all worlds, in a second. */
  const share = (name: string): number | null => percentOf(perSecond(name), worlds);
  const millis = (work: string, of: string): number | null => {
    const each = ratio(grown(work), grown(of));
    return each === null ? null : 1e3 * each;
  };
  /** From one to the next in one world, on average, in these parts of a second. */
  const everyOf = (name: string, parts: number): number | null => {
    const rate = perSecond(name);
    return rate === null || rate === 0 ? null : (parts * worlds) / rate;
  };
  const thinkers = togetherOf(each('connections'), window).mean;
  const said = sumOf([perSecond('chats'), perSecond('emotes')]);
  const logged = perSecond('logBytes');
  return {
    updateIntervalMs: quantilesOf(m),
    meanUpdateIntervalMs: everyOf('updates', 1e3),
    lateUpdatesPercent: percentOf(grown('lateUpdates'), grown('updates')),
    updatePercent: share('updateSeconds'),
    updateMs: millis('updateSeconds', 'updates'),
    thinkPercent: share('thinkSeconds'),
    thinkPercentPerAgent: ratio(percentOf(perSecond('thinkSeconds'), 1), thinkers),
    thinkMs: millis('thinkSeconds', 'thinks'),
    thinkIntervalSeconds: ratio(thinkers, perSecond('thinks')),
    syncPercent: share('syncSeconds'),
    syncMs: millis('syncSeconds', 'syncs'),
    syncBurstPercent: percentOf(grown('syncSeconds'), grown('signingSeconds')),
    syncIntervalSeconds: everyOf('syncs', 1),
    syncFailures: grown('syncFailures'),
    signedEventsPerSecond: perSecond('signedEvents'),
    unsyncedAgents: togetherOf(each('unsyncedAgents'), window),
    agents: togetherOf(each('agents'), window),
    movesPerSecond: perSecond('moves'),
    saidPerSecond: said,
    bytesOutPerSecond: perSecond('bytesOut'),
    bytesInPerSecond: perSecond('bytesIn'),
    logBytesPerDay: logged === null ? null : DAY_SECONDS * logged,
    healthFields: fewest(numbered(m.series, 'realm', 'healthFields').map((one) => gaugeOf(one, window))),
    heapBytes: most(numbered(m.series, 'realm', 'heapBytes').map((one) => gaugeOf(one, window))),
    ...basesOf(m),
  };
}

/** Where the lines over the stages' players begin: without any. Null with fewer than three numbers of players. */
function basesOf(m: Measurements) {
  const means = stageMeans(m);
  const heaps = numbered(m.series, 'realm', 'heapBytes');
  const heapIn = (name: string): number | null => {
    const stage = m.stages.find((one) => one.name === name);
    return stage === undefined ? null : togetherOf(heaps, { from: stage.levelFrom, to: stage.to }).mean;
  };
  const base = (of: (mean: StageMeans) => number | null): number | null =>
    baseOf(
      means.flatMap((mean) => {
        const value = of(mean);
        return value === null ? [] : [[mean.players, value] as const];
      }),
    );
  const memory = base(({ memoryBytes }) => memoryBytes);
  const heap = base(({ stage }) => heapIn(stage));
  return {
    baseMemoryBytes: memory,
    baseHeapBytes: heap,
    baseRuntimeBytes: memory === null || heap === null ? null : memory - heap,
    baseCpuPercent: base(({ cpuPercentOfCore }) => cpuPercentOfCore),
  };
}

/** The value at 0 of the line of least squares; null where there is none. */
export function baseOf(points: readonly (readonly [players: number, value: number])[]): number | null {
  const { slope } = slopeOf(points);
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  return slope === null ? null : mean(1) - slope * mean(0);
}

function quantilesOf({ worlds }: Measurements) {
  const data = worlds?.updateIntervalMs;
  const at = (percent: number): number | null => (data == null ? null : bucketQuantile(data, percent));
  return { p50: at(50), p95: at(95), p99: at(99) };
}

/** Of several worlds the one with the least, and the one with the most. */
const fewest = (all: readonly Spread[]): Spread => ends(all, 'min');
const most = (all: readonly Spread[]): Spread => ends(all, 'max');

function ends(all: readonly Spread[], by: 'min' | 'max'): Spread {
  const [first = NO_SPREAD, ...others] = all;
  return others.reduce((found, one) => {
    const [a, b] = [found[by], one[by]];
    if (a === null || b === null) return NO_SPREAD;
    return (by === 'min' ? b < a : b > a) ? one : found;
  }, first);
}

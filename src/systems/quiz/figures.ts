import { z } from 'zod';
import { bucketQuantile } from '../../buckets.ts';
import { figure, spread } from '../../measurement/figure-kinds.ts';
import { UNDERSTOOD } from '../../measurement/figures.ts';
import type { Measurements, Series } from '../../measurement/measurements.ts';
import {
  gaugeOf,
  increaseOf,
  measuredOf,
  percentOf,
  ratesAt,
  secondsOf,
  spreadOf,
  sumColumns,
  sumOf,
  togetherOf,
  valuesAt,
  type Window,
} from '../../measurement/readings.ts';
import type { SystemFigures } from '../../measurement/system-figures.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { matchesAsked } from './scenario.ts';

const sections = {
  quiz: z.object({
    activeMatches: spread('matches', 'Of all servers, as they count them.'),
    peakMatches: figure('matches', 'The most at once; of several servers, in any reading of them all.'),
    plateauSeconds: figure(
      's',
      'The longest time without a break with at least 99% of the matches that the load asks for.',
    ),
    matchesCreated: figure('matches'),
    matchesCompleted: figure('matches', 'Their rows are committed.'),
    evictedMatches: figure('matches', 'Times that Redis no longer had a match that was being played.'),
    createdPerSecondPeak: figure('matches/s', 'In the busiest second of the run.'),
    workers: spread('workers', 'Worker processes that are ready, of all servers.'),
    busyWorkers: spread('workers', 'Those with a match.'),
    workersLost: figure('workers', 'They ended, and were replaced.'),
    serverSharePercent: spread('%', 'Of the matches in progress, by server.'),
    heapBytes: spread('bytes', 'Of the process with the largest used heap.'),
    redisFailures: figure('errors', 'Round trips to Redis that failed.'),
    over1800MatchesSeconds: figure(
      's',
      'The longest time without a break with more than 1,800 matches in progress.',
    ),
    overHeapSeconds: figure(
      's',
      'The longest time without a break in which a process used more than 7,000,000,000 bytes of heap.',
    ),
    errorsPerSecondPeak: figure(
      'ops/s',
      'Errors of the servers: the highest mean of five minutes, or of the measure phase if it is shorter.',
    ),
    overErrorsSeconds: figure(
      's',
      'The longest time without a break in which that mean is above 0.05 errors a second.',
    ),
  }),
  world: z.object(UNDERSTOOD.world),
  database: z.object(UNDERSTOOD.database),
};

/** The alarms of the document. */
const ALARM = { matches: 1_800, heapBytes: 7e9, errorsPerSecond: 0.05, errorsOverSeconds: 300 };
/** Of the matches that are asked for. */
const PLATEAU = 0.99;

/** Figures from the servers' metrics: matches, workers, and how long each alarm's condition holds. */
export const quizFigures: SystemFigures = {
  sections,
  of: (m, scenario) => ({
    quiz: quizOf(m, scenario),
    world: { responseMs: { p50: null, p95: null, p99: null } },
    database: { queryMs: quantilesOf(m), writersBusyPercent: null },
  }),
};

function quizOf(m: Measurements, scenario: Scenario) {
  const { window, each } = measuredOf(m, 'world');
  const grown = (name: string) => sumOf(each(name).map((series) => increaseOf(series, window)));
  const seconds = secondsOf(window);
  const together = (name: string) => totals(each(name), seconds);
  const matches = together('activeMatches');
  const heaps = each('largestHeapBytes').map((series) => valuesAt(series, seconds));
  const largestHeap = seconds.map((_, i) => largest(heaps.map((values) => values[i] ?? null)));
  const errors = meansOf(
    sumColumns(each('rejected').map((series) => ratesAt(series, seconds))),
    ALARM.errorsOverSeconds,
  );
  const created = sumColumns(each('matchesCreated').map((series) => ratesAt(series, secondsOf(wholeRun(m)))));
  return {
    activeMatches: togetherOf(each('activeMatches'), window),
    peakMatches: peakOf(each('peakMatches'), matches, window),
    plateauSeconds: longest(matches, (value) => value >= PLATEAU * matchesAsked(scenario.load)),
    matchesCreated: grown('matchesCreated'),
    matchesCompleted: grown('matchesCompleted'),
    evictedMatches: grown('matchesEvicted'),
    createdPerSecondPeak: largest(created),
    workers: togetherOf(each('workers'), window),
    busyWorkers: togetherOf(each('busyWorkers'), window),
    workersLost: grown('workersLost'),
    serverSharePercent: sharesOf(each('activeMatches'), window),
    heapBytes: spreadOf(largestHeap),
    redisFailures: grown('redisFailures'),
    over1800MatchesSeconds: longest(matches, (value) => value > ALARM.matches),
    overHeapSeconds: longest(largestHeap, (value) => value > ALARM.heapBytes),
    errorsPerSecondPeak: largest(errors),
    overErrorsSeconds: longest(errors, (value) => value > ALARM.errorsPerSecond),
  };
}

/** Servers have their peaks at different times: their sum would count a match at each server that has played it. */
function peakOf(
  peaks: readonly Series[],
  together: readonly (number | null)[],
  window: Window,
): number | null {
  const [only, ...others] = peaks;
  return only !== undefined && others.length === 0 ? gaugeOf(only, window).max : largest(together);
}

const totals = (series: readonly Series[], seconds: readonly number[]): readonly (number | null)[] =>
  sumColumns(series.map((one) => valuesAt(one, seconds)));

/** From GO to the last reading: the first matches are created before the measure phase. */
function wholeRun(m: Measurements): Window {
  const { each } = measuredOf(m, 'world');
  const ends = each('matchesCreated').map(({ points }) => points.at(-1)?.[0] ?? 0);
  return { from: 1, to: Math.max(0, ...ends) };
}

function largest(values: readonly (number | null)[]): number | null {
  return spreadOf(values).max;
}

/** The longest run of seconds, one after another, for which this holds. Null where nothing was read. */
function longest(values: readonly (number | null)[], holds: (value: number) => boolean): number | null {
  if (values.every((value) => value === null)) return null;
  let most = 0;
  let now = 0;
  for (const value of values) {
    now = value !== null && holds(value) ? now + 1 : 0;
    most = Math.max(most, now);
  }
  return most;
}

/** The mean of each value and those before it, at most so many. */
const meansOf = (values: readonly (number | null)[], most: number): readonly (number | null)[] =>
  values.map((_, i) => spreadOf(values.slice(Math.max(0, i + 1 - most), i + 1)).mean);

function sharesOf(series: readonly Series[], window: Window) {
  const means = series.map((one) => gaugeOf(one, window).mean);
  const sum = sumOf(means);
  return spreadOf(means.map((mean) => percentOf(mean, sum)));
}

function quantilesOf({ worlds }: Measurements) {
  const data = worlds?.flushMs;
  const at = (percentile: number) => (data === undefined ? null : bucketQuantile(data, percentile));
  return { p50: at(50), p95: at(95), p99: at(99) };
}

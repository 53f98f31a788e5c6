import { expect, test } from 'vitest';
import type { Measurements } from '../../src/measurement/measurements.ts';
import { readMeasurements } from '../../src/measurement/read-measurements.ts';
import { budget, fluxFiguresOf, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { CUT, STAGES, STORM, stageFacts } from '../fixtures/recorded-stages.ts';
import { counter, gauge, judged } from './measured.ts';

/**
 * Every number of measurements.json is changed by itself, and the run is read and judged again: it is refused, or
 * ruled otherwise, or tells another figure. What decides nothing at all is in a table here, with the reason.
 */

const recorded = measurementsOf();
const probe = { samples: 31, gaps: 1, lastError: null, measured: { samples: 20, gaps: 0 } };
const stopped = { lost: 0, phantom: 0, duplicated: 0, holes: 0 };
const facts = {
  ...measurementsOf({
    stages: [0, 1, 2].map((i) => stageFacts(i, i === 2 ? STORM : {})),
    ...{ disconnects: 1000, reconnects: 1000 },
    reconnect: { counts: [[400_000, 1000]], min: 400_000, max: 400_000, sum: 400_000_000 },
    faults: [
      CUT,
      {
        ...CUT,
        id: 'stop-world-1-1',
        action: 'stop',
        of: 'world-1',
        from: 12,
        to: 13,
        dropped: null,
        rows: stopped,
      },
    ],
    probes: [...recorded.probes, { ...probe, name: 'redis' }, { ...probe, name: 'metrics-1' }],
    histograms: { order_ms: { bounds: [1, 5, 10], counts: [50, 40, 9, 1] } },
    series: {
      ...recorded.series,
      'redis.operations': counter(1000),
      'redis.usedMemoryBytes': gauge((second) => 2 ** 20 + second),
      'metrics.1.orders_total': counter(5),
      'metrics.1.rooms': gauge((second) => 10 + second),
    },
  }),
};
const scenario = scenarioOf({
  load: { ...scenarioOf().load, stages: STAGES },
  budgets: [
    ...scenarioOf().budgets,
    budget({ id: 'orders', metric: 'target.metrics.orders_total', stat: 'increase', limit: 1e6 }),
    budget({ id: 'order', metric: 'target.metrics.order_ms', stat: 'p95', limit: 1e6 }),
    budget({ id: 'rooms', metric: 'target.metrics.rooms', stat: 'max', limit: 1e6 }),
  ],
});

type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };
type Path = readonly (string | number)[];

const isList = (value: Plain): value is readonly Plain[] => Array.isArray(value);
const isTree = (value: Plain): value is { readonly [key: string]: Plain } =>
  typeof value === 'object' && value !== null && !isList(value);

/** A few wide buckets prove as much as thousands, and are read sooner; a part of a histogram stays a part of it. */
function coarse(value: Plain): Plain {
  if (isList(value)) return value.map(coarse);
  if (!isTree(value)) return value;
  const { counts, sum } = value;
  if (counts === undefined || sum === undefined || !isList(counts) || counts.length === 0) {
    return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, coarse(own)]));
  }
  const merged = new Map<number, number>();
  for (const [bucket, count] of counts.map((pair) => (isList(pair) ? pair.map(Number) : []))) {
    const end = Math.ceil(2 ** (Math.ceil(4 * Math.log2(bucket ?? 1)) / 4));
    merged.set(end, (merged.get(end) ?? 0) + (count ?? 0));
  }
  const ends = [...merged.keys()];
  const total = [...merged].reduce((all, [end, count]) => all + end * count, 0);
  return { counts: [...merged], min: Math.min(...ends), max: Math.max(...ends), sum: total };
}

const plain = coarse(JSON.parse(JSON.stringify(facts)));

/** The path of every number. */
function numbersOf(value: Plain, path: Path = []): Path[] {
  if (typeof value === 'number') return [path];
  if (isList(value)) return value.flatMap((own, i) => numbersOf(own, [...path, i]));
  return isTree(value) ? Object.entries(value).flatMap(([key, own]) => numbersOf(own, [...path, key])) : [];
}

/** Places in a list are one (those of a pair are two), and so are both operations, and servers and workers. */
const patternOf = (path: Path): string =>
  path
    .map((key, i) =>
      typeof key !== 'number'
        ? key
            .replaceAll(/\.\d+\./g, '.N.')
            .replace(/^intent$|^monsterCommand$/, '<op>')
            .replace(/\.(intent|monsterCommand)\./, '.<op>.')
        : typeof path[i - 1] === 'number'
          ? ['time or value', 'value or count'][key]
          : '*',
    )
    .join('.');

function at(value: Plain, path: Path): Plain {
  return path.reduce<Plain>(
    (here, key) => (isList(here) ? (here[Number(key)] ?? null) : isTree(here) ? (here[key] ?? null) : null),
    value,
  );
}

function withNumber(here: Plain, [key, ...rest]: Path, value: number): Plain {
  if (key === undefined) return value;
  if (isList(here)) return here.map((own, i) => (i === key ? withNumber(own, rest, value) : own));
  return isTree(here) ? { ...here, [key]: withNumber(here[key] ?? null, rest, value) } : here;
}

const told = (m: Measurements): string => JSON.stringify([judged(m, scenario), fluxFiguresOf(m, scenario)]);

function read(value: Plain): Measurements | null {
  const parsed = readMeasurements(value);
  return parsed.state === 'valid' ? parsed.measurements : null;
}
const before = read(plain);
const toldBefore = before === null ? '' : told(before);

/** Whether that number in this place is refused, or makes another ruling, rule or figure. */
function isNoticed(path: Path, value: number): boolean {
  const m = read(withNumber(plain, path, value));
  return m === null || told(m) !== toldBefore;
}

/** By patterns: the numbers in the first, the middle and the last place of the first list of that kind. */
const patterns = new Map<string, Path[]>();
for (const path of numbersOf(plain)) {
  const pattern = patternOf(path);
  patterns.set(pattern, [...(patterns.get(pattern) ?? []), path]);
}
const placesOf = (pattern: string): readonly Path[] => {
  const all = patterns.get(pattern) ?? [];
  const list = (path: Path): string =>
    path
      .slice(
        0,
        path.findLastIndex((key, i) => typeof key === 'number' && typeof path[i - 1] !== 'number'),
      )
      .join('/');
  const first = all.filter((path) => list(path) === list(all[0] ?? []));
  return [first[first.length >> 1], first[0], first.at(-1)].filter((path) => path !== undefined);
};

const DRAWN = 'drawn, or a column of series.csv';
const NAMED = 'told beside what decides';
const LOST_STATISTICS = 'what lost its rows or its statistics tells less than before GO';
const OF_A_TARGET = 'what somebody else’s server says of itself is taken as it says it';

/** What may be any number that is not negative, with no ruling, rule or figure the other for it. */
const DECIDES_NOTHING: Readonly<Record<string, string>> = {
  'ceilings.batchRows': NAMED,
  'ceilings.connections': NAMED,
  'foreign.*.pid': NAMED,
  'series.load.<op>.inFlight.points.*.value or count': DRAWN,
  'series.postgres.walSyncs.points.*.value or count': DRAWN,
  'series.world.N.bytesOut.points.*.value or count': DRAWN,
  'series.world.N.frames.points.*.value or count': DRAWN,
  'series.world.N.queued.points.*.value or count': DRAWN,
};
/** What may be negative. */
const MAY_BE_NEGATIVE: Readonly<Record<string, string>> = {
  clockDriftMs: 'a clock may be set back',
  'integrity.applied': LOST_STATISTICS,
  'integrity.rowWritesPostgres': LOST_STATISTICS,
  'integrity.rowWritesServers': LOST_STATISTICS,
  'series.metrics.N.orders_total.points.*.value or count': OF_A_TARGET,
  'series.metrics.N.rooms.points.*.value or count': OF_A_TARGET,
  'series.redis.operations.points.*.value or count': OF_A_TARGET,
  'series.redis.usedMemoryBytes.points.*.value or count': OF_A_TARGET,
};

test('the facts are those of a run that was read and judged', () => {
  expect(readMeasurements(plain)).toMatchObject({ state: 'valid' });
  expect(before === null ? null : judged(before, scenario)).toMatchObject({
    exitCode: 0,
    invalidBecause: [],
  });
});

/** The numbers that none of the changes, in none of the places, makes a difference to. */
const unnoticed = (
  places: (all: readonly Path[]) => readonly Path[],
  changes: (value: number) => readonly number[],
) =>
  [...patterns.keys()]
    .filter((pattern) =>
      places(placesOf(pattern)).every((path) => {
        const value = Number(at(plain, path));
        return changes(value).every((other) => other === value || !isNoticed(path, other));
      }),
    )
    .sort();
const thousandfold = (value: number): number => (value === 0 ? 1000 : 1000 * value);

test('each number decides something, or is known not to', () => {
  const changes = (value: number) => [thousandfold(value), value + 1, 0];
  expect(unnoticed((all) => all, changes)).toEqual(Object.keys(DECIDES_NOTHING).sort());
});

test('a thousandfold in the middle of the run is noticed', () => {
  // A later end only leaves more time for everything else.
  const known = [...Object.keys(DECIDES_NOTHING), 'phases.end'].sort();
  expect(
    unnoticed(
      (all) => all.slice(0, 1),
      (value) => [thousandfold(value)],
    ),
  ).toEqual(known);
});

test('a negative number is refused, or is known to be one', () => {
  const taken = [...patterns.keys()].filter((pattern) => {
    const [path = []] = placesOf(pattern);
    return read(withNumber(plain, path, -1 - Number(at(plain, path)))) !== null;
  });
  expect(taken.sort()).toEqual(Object.keys(MAY_BE_NEGATIVE).sort());
});

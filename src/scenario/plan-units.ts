import { plural } from './plan-nouns.ts';

/** A unit as it is written, what it measures, and how many of the base unit one of it is. */
interface Unit {
  readonly spelled: string;
  /** `s`, `bytes`, `bytes/s`, `share`, or what is counted: `ops/s`, `row writes/s`, `connections`. */
  readonly base: string;
  readonly factor: number;
}

const SECONDS = { s: 1, min: 60, h: 3600, day: 86_400, month: 30 * 86_400, year: 365 * 86_400 } as const;

/** Sizes are of 1,024 as everywhere in a scenario; rates of a network are of 1,000, as networks are sold. */
const MEASURES: Readonly<Record<string, readonly [base: string, factor: number]>> = {
  ...named('s', 1e-9, 'ns'),
  ...named('s', 1e-6, 'us'),
  ...named('s', 1e-3, 'ms'),
  ...named('s', SECONDS.s, 's', 'sec', 'second', 'seconds'),
  ...named('s', SECONDS.min, 'min', 'm', 'minute', 'minutes'),
  ...named('s', SECONDS.h, 'h', 'hour', 'hours'),
  ...named('s', SECONDS.day, 'd', 'day', 'days'),
  ...named('s', 7 * SECONDS.day, 'week', 'weeks'),
  ...named('s', SECONDS.month, 'month', 'months'),
  ...named('bytes', 1, 'B', 'byte', 'bytes'),
  ...named('bytes', 2 ** 10, 'kB', 'KB', 'KiB'),
  ...named('bytes', 2 ** 20, 'MB', 'MiB'),
  ...named('bytes', 2 ** 30, 'GB', 'GiB'),
  ...named('bytes', 2 ** 40, 'TB', 'TiB'),
  ...named('bytes', 2 ** 50, 'PB', 'PiB'),
  ...named('bytes/s', 1, 'B/s', 'byte/s', 'bytes/s'),
  ...named('bytes/s', 1e3, 'kB/s', 'KB/s'),
  ...named('bytes/s', 1e6, 'MB/s'),
  ...named('bytes/s', 1e9, 'GB/s'),
  ...named('bytes/s', 1e12, 'TB/s'),
  ...named('bytes/s', 1 / 8, 'bps', 'bit/s'),
  ...named('bytes/s', 1e3 / 8, 'kbps', 'kbit/s'),
  ...named('bytes/s', 1e6 / 8, 'Mbps', 'Mbit/s'),
  ...named('bytes/s', 1e9 / 8, 'Gbps', 'Gbit/s'),
  x: ['share', 1],
  '%': ['share', 0.01],
};

function named(base: string, factor: number, ...names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, [base, factor] as const]));
}

/**
 * Other words for what is counted. A player has one connection, so that players and connections may be compared; operations,
 * row writes and batches may not.
 */
const WORDS: Readonly<Record<string, string>> = {
  ...{ users: 'connections', CCU: 'connections', players: 'connections', clients: 'connections' },
  ...{ 'connections/3 s': 'connections', 'players/s': 'connections/s' },
  ...{ operations: 'ops', commands: 'ops', intents: 'ops' },
  ...{ 'operations/s': 'ops/s', 'intents/s': 'ops/s', 'commands/s': 'ops/s' },
  ...{ 'UPDATE ops/s': 'row writes/s', 'INSERT ops/s': 'row writes/s', 'rows/s': 'row writes/s' },
  'batched ops/s': 'batches/s',
  ...{ core: 'cores', cpus: 'cores', vCPU: 'cores', vCPUs: 'cores', 'P-cores': 'cores', 'E-cores': 'cores' },
  ...{ CPU: 'cores', CPUs: 'cores' },
  ...{ containers: 'servers', instances: 'servers', workers: 'processes' },
  'percentage points': '%',
};

/** `MB/agent` is a size, and `KB/s/user` a rate. */
const EACH = /\/(?!(?:s|min|minute|h|hour|day|month|year)(?:\/|$))[A-Za-z]+/g;
/** A rate of another period than a second. Prices are of a month. */
const PERIOD = /^(?<what>.+)\/(?<period>min|minute|h|hour|day|month|year)$/;
const CURRENCY = /^[A-Z]{3}$/;

const lookUp = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** Whether a unit is a measure and no word for things: `min`, but not `days`. */
export const isMeasure = (unit: string): boolean =>
  lookUp(MEASURES, unit) !== undefined && !/^(?:byte|day|week|month|second|minute|hour)s?$/.test(unit);

/** A unit of a document or of a plan. What is no known measure counts things of its own name. */
export function planUnit(spelled: string): Unit {
  const plain = spelled.replace(EACH, '').replace(/ (?:each|free|total)$/, '');
  const { what, period } = PERIOD.exec(plain)?.groups ?? {};
  if (what !== undefined && period !== undefined) {
    const time = lookUp(MEASURES, period)?.[1] ?? SECONDS.year;
    if (CURRENCY.test(what)) {
      const months = period === 'year' ? 12 : time / SECONDS.month;
      return { spelled, base: `${what}/month`, factor: 1 / months };
    }
    const { base, factor } = planUnit(`${what}/s`);
    return { spelled, base, factor: factor / time };
  }
  const word = lookUp(WORDS, plain) ?? lookUp(WORDS, inPlural(plain)) ?? plain;
  const name = word.startsWith('%') ? '%' : word;
  const [base, factor] = lookUp(MEASURES, name) ?? [inPlural(name), 1];
  return { spelled, base, factor };
}

/** `matches/s` of `match/s`, so that one of a thing is compared with several. */
const inPlural = (unit: string): string => unit.replace(/^[a-z]{3,}(?=\/|$)/, plural);

/** The measure that is spelled so but for its capitals: `GB` of `gb`. */
export const measureLike = (spelled: string): string | undefined =>
  lookUp(MEASURES, spelled) === undefined
    ? Object.keys(MEASURES).find((name) => name.toLowerCase() === spelled.toLowerCase())
    : undefined;

/** What a key of a plan expects: a base unit, or one of the words of EXPECTED. */
export const EXPECTED = {
  /** The unit of the other figures of its entry. */
  any: 'the unit of the other figures beside it',
  /** That, or a percentage of the whole. */
  part: 'the unit of the other figures beside it, or a percentage',
  whole: 'the unit of the other figures beside it',
  count: 'a number of things',
  rate: 'a rate per second',
  share: 'a percentage, or a multiple (x)',
  s: 'a time such as 10ms, 30s or 5min',
  bytes: 'a size such as 64kB or 512MB',
  'bytes/s': 'a rate such as 20kB/s or 8Gbps',
} as const;

/** Whether a figure of this base unit may stand where `expected` is. */
export function fits(base: string, expected: string): boolean {
  switch (expected) {
    case 'any':
    case 'part':
    case 'whole':
      return true;
    case 'count':
      return !['s', 'bytes', 'share'].includes(base) && !base.endsWith('/s');
    case 'rate':
      return base.endsWith('/s');
    case 'players':
      return base === 'connections';
    default:
      return base === expected;
  }
}

/** The unit of a number without one; null where it must have one, undefined where others decide. */
export function unitOfNumber(expected: string): string | null | undefined {
  if (expected === 's' || expected === 'bytes' || expected === 'bytes/s') return null;
  if (expected === 'any' || expected === 'part' || expected === 'whole') return undefined;
  if (expected === 'count') return '';
  if (expected === 'rate') return '/s';
  return expected === 'share' ? 'x' : expected;
}

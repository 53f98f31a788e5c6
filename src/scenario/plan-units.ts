/** A unit as it is written, what it measures, and how many of the base unit one of it is. */
interface Unit {
  readonly spelled: string;
  /** `s`, `bytes`, `bytes/s`, `share`, or what is counted: `ops/s`, `row writes/s`, `connections`. */
  readonly base: string;
  readonly factor: number;
}

/** Sizes are of 1,024 as everywhere in a scenario; rates of a network are of 1,000, as networks are sold. */
const MEASURES: Readonly<Record<string, readonly [base: string, factor: number]>> = {
  us: ['s', 1e-6],
  ms: ['s', 1e-3],
  s: ['s', 1],
  min: ['s', 60],
  m: ['s', 60],
  h: ['s', 3600],
  d: ['s', 86_400],
  days: ['s', 86_400],
  month: ['s', 30 * 86_400],
  B: ['bytes', 1],
  bytes: ['bytes', 1],
  kB: ['bytes', 2 ** 10],
  KB: ['bytes', 2 ** 10],
  MB: ['bytes', 2 ** 20],
  GB: ['bytes', 2 ** 30],
  TB: ['bytes', 2 ** 40],
  'B/s': ['bytes/s', 1],
  'kB/s': ['bytes/s', 1e3],
  'KB/s': ['bytes/s', 1e3],
  'MB/s': ['bytes/s', 1e6],
  kbps: ['bytes/s', 125],
  Mbps: ['bytes/s', 125e3],
  Gbps: ['bytes/s', 125e6],
  x: ['share', 1],
  '%': ['share', 0.01],
};

/**
 * Other words for what is counted. A player has one connection, so that players and connections may be compared; operations,
 * row writes and batches may not.
 */
const WORDS: Readonly<Record<string, string>> = {
  ...{ users: 'connections', CCU: 'connections', players: 'connections', clients: 'connections' },
  ...{ 'connections/3 s': 'connections', 'players/s': 'connections/s' },
  ...{ 'intents/s': 'ops/s', 'commands/s': 'ops/s', 'ops/batch': 'ops' },
  ...{ 'UPDATE ops/s': 'row writes/s', 'INSERT ops/s': 'row writes/s', 'rows/s': 'row writes/s' },
  'batched ops/s': 'batches/s',
  ...{ core: 'cores', cpu: 'cores', vCPU: 'cores', 'P-cores': 'cores', 'E-cores': 'cores' },
  ...{ containers: 'servers', instances: 'servers', instance: 'servers', workers: 'processes' },
  ...{ 'GB free': 'GB', day: 'days', 'percentage points': '%' },
};

/** `MB/agent` is a size, and `KB/s/user` a rate. */
const EACH = /\/(?:user|agent|connection|player|CCU)\b/;

/** A unit of a document or of a plan. What is no known measure counts things of its own name. */
export function planUnit(spelled: string): Unit {
  const plain = spelled.replace(EACH, '');
  const word = (Object.hasOwn(WORDS, plain) ? WORDS[plain] : undefined) ?? plain;
  const name = word.startsWith('%') ? '%' : word;
  const [base, factor] = (Object.hasOwn(MEASURES, name) ? MEASURES[name] : undefined) ?? [name, 1];
  return { spelled, base, factor };
}

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
  const isMeasure = ['s', 'bytes', 'bytes/s', 'share'].includes(base);
  switch (expected) {
    case 'any':
    case 'part':
    case 'whole':
      return true;
    case 'count':
      return !isMeasure && !base.endsWith('/s');
    case 'rate':
      return base.endsWith('/s');
    default:
      return base === expected;
  }
}

/** The unit of a number without one; null where it must have one, undefined where others decide. */
export function unitOfNumber(expected: string): string | null | undefined {
  if (expected === 's' || expected === 'bytes' || expected === 'bytes/s') return null;
  if (expected === 'any' || expected === 'part' || expected === 'whole') return undefined;
  if (expected === 'count' || expected === 'rate') return '';
  return expected === 'share' ? 'x' : expected;
}

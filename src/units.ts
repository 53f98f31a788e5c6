/** Integer microseconds, of an instant after GO or of a span; hot code uses these. */
export type Micros = number & { readonly unit: 'us' };

export const micros = (value: number): Micros => Math.round(value) as Micros;
export const seconds = (value: number): Micros => Math.round(value * 1e6) as Micros;
export const toSeconds = (value: Micros): number => value / 1e6;
export const toMillis = (value: number): number => value / 1e3;

export const DURATION = /^(\d+(?:\.\d+)?)(us|ms|s|m|h)$/;
const DURATION_MICROS = { us: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3600e6 } as const;

/** `30s`, `5m`, `10ms`, `1.5h` as microseconds; undefined when the text is no duration. */
export function parseDuration(text: string): Micros | undefined {
  const match = DURATION.exec(text.trim());
  if (match === null) return undefined;
  return micros(Number(match[1]) * DURATION_MICROS[match[2] as keyof typeof DURATION_MICROS]);
}

export const SIZE = /^(\d+(?:\.\d+)?)(B|kB|MB|GB|TB)$/;
const SIZE_BYTES = { B: 1, kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 } as const;

/** PostgreSQL's way of writing sizes (`32GB` is 32 x 2^30); undefined when the text is no size. */
export function parseBytes(text: string): number | undefined {
  const match = SIZE.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * SIZE_BYTES[match[2] as keyof typeof SIZE_BYTES];
}

/**
 * The only conversions that budgets may use: [from, to] -> factor. Everything else is refused, so that a row write is
 * never divided by a batch.
 */
const CONVERSIONS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  us: { ms: 1e-3, s: 1e-6 },
  ms: { s: 1e-3 },
  s: { ms: 1e3, min: 1 / 60 },
  bytes: { kB: 2 ** -10, MB: 2 ** -20, GB: 2 ** -30, TB: 2 ** -40 },
  'bytes/s': { 'kB/s': 2 ** -10, Gbps: 8e-9, Mbps: 8e-6 },
};

/** The factor from one unit to another; undefined when they may not be compared. */
export function conversion(from: string, to: string): number | undefined {
  if (from === to) return 1;
  const known = Object.hasOwn(CONVERSIONS, from) ? CONVERSIONS[from] : undefined;
  return known !== undefined && Object.hasOwn(known, to) ? known[to] : undefined;
}

/** The units in which a figure may be compared. */
export const comparableUnits = (from: string): readonly string[] => [
  from,
  ...Object.keys((Object.hasOwn(CONVERSIONS, from) ? CONVERSIONS[from] : undefined) ?? {}),
];

/** One for each number of digits: to make one takes a hundred times as long as to use it. */
const FORMATS = new Map<number, Intl.NumberFormat>();

/** `12,345.678` */
export function grouped(value: number, fractionDigits = 3): string {
  const known = FORMATS.get(fractionDigits);
  const format = known ?? new Intl.NumberFormat('en-US', { maximumFractionDigits: fractionDigits });
  if (known === undefined) FORMATS.set(fractionDigits, format);
  return format.format(value);
}

/** `1 player`, `1,200 players` */
export const counted = (count: number, noun: string): string =>
  `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;

/** The inverse of `parseDuration`, in the largest unit that gives an integer. */
export function formatDuration(span: Micros): string {
  if (span % 1e6 === 0) return `${span / 1e6}s`;
  return span % 1e3 === 0 ? `${span / 1e3}ms` : `${span}us`;
}

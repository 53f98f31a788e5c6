import type { Budget, Operator } from '../scenario/budget.ts';
import { conversion, parseBytes } from '../units.ts';

/** `~` allows this share of the limit on both sides. */
const ABOUT = 0.1;
/** Binary conversions round: a smaller part of a number than this is not a difference. */
const ROUNDING = 1e-9;

const close = (a: number, b: number, share: number): boolean => Math.abs(a - b) <= share * Math.abs(b);

const HOLDS: Partial<Record<Operator, (observed: number, limit: number) => boolean>> = {
  '<': (observed, limit) => observed < limit,
  '<=': (observed, limit) => observed <= limit,
  '>': (observed, limit) => observed > limit,
  '>=': (observed, limit) => observed >= limit,
  '=': (observed, limit) => close(observed, limit, ROUNDING),
  '~': (observed, limit) => close(observed, limit, ABOUT + ROUNDING),
};

/** Whether an observed number keeps a limit. A limit that does not fit the operator is never kept. */
export function keeps(
  observed: number,
  op: Operator,
  limit: Budget['limit'] | readonly [number, number],
): boolean {
  if (typeof limit === 'object') {
    const [low, high] = limit;
    return op === 'between' && observed >= low && observed <= high;
  }
  return typeof limit === 'number' && (HOLDS[op]?.(observed, limit) ?? false);
}

/** Whether an observed text is the expected one. */
export const isText = (observed: string, op: Operator, limit: string): boolean =>
  (op === 'is' || op === '=') && sameSetting(observed, limit);

const DURATION = /^(-?\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)$/;
const DURATION_SECONDS = { us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86_400 } as const;

/** PostgreSQL's way of writing durations (`10min`), in seconds; undefined for any other text. */
function parseInterval(text: string): number | undefined {
  const match = DURATION.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * DURATION_SECONDS[match[2] as keyof typeof DURATION_SECONDS];
}

/**
 * A setting's text as a number in the unit of a budget: `32GB` and `32gb` are 32 in GB, `10min` is 600 in s, a bare
 * number is itself. Undefined when the text is not a number, or has another kind of unit.
 */
export function settingNumber(text: string, unit: string): number | undefined {
  const trimmed = text.trim();
  if (/^-?\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  const bytes = parseBytes(trimmed) ?? parseBytes(capitalised(trimmed));
  if (bytes !== undefined) return converted(bytes, 'bytes', unit);
  const interval = parseInterval(trimmed);
  return interval === undefined ? undefined : converted(interval, 's', unit);
}

/** `8gb`, as redis.conf writes sizes, in PostgreSQL's way. */
const capitalised = (text: string): string =>
  text.replace(/(?<=^\d+)[kmg]b$/, (unit) => (unit === 'kb' ? 'kB' : unit.toUpperCase()));

function converted(value: number, from: string, to: string): number | undefined {
  const factor = conversion(from, to);
  return factor === undefined ? undefined : value * factor;
}

/** Whether two settings mean the same: `1GB` and `1024MB`, `1min` and `60s`, or the same text. */
export function sameSetting(a: string, b: string): boolean {
  if (a.trim() === b.trim()) return true;
  const sizes = [parseBytes(a), parseBytes(b)];
  if (sizes[0] !== undefined && sizes[0] === sizes[1]) return true;
  const intervals = [parseInterval(a), parseInterval(b)];
  return intervals[0] !== undefined && intervals[0] === intervals[1];
}

import { z } from 'zod';
import {
  DURATION,
  formatDuration,
  grouped,
  type Micros,
  parseBytes,
  parseDuration,
  SIZE,
  seconds,
} from '../units.ts';

/** The leaves of a scenario's schema. The message of every issue is what was expected; finding.ts adds what it got. */

/** A whole number from `min` to `max`, inclusive. */
export function whole(min: number, max: number) {
  const error = `a whole number of ${grouped(min, 6)} to ${grouped(max, 6)}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

/** A finite number from `min` to `max`, inclusive; `what` names it in the error. */
export function quantity(min: number, max: number, what = 'a number') {
  const error = `${what} of ${grouped(min, 6)} to ${grouped(max, 6)}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

// Control characters could put escape sequences into terminals and reports.
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
const ON_ONE_LINE = /^[^\0-\x1f\x7f-\x9f\u2028\u2029]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
const ON_LINES = /^[^\0-\x09\x0b-\x1f\x7f-\x9f]*$/;

/** Text on one line, of `shortest` to `longest` characters. */
export function line(longest: number, shortest = 1) {
  const error = `text of ${shortest} to ${longest} characters on one line`;
  return z.string({ error }).min(shortest, { error }).max(longest, { error }).regex(ON_ONE_LINE, { error });
}

/** Text that may have line breaks. */
export function prose(longest: number) {
  const error = `text of at most ${longest} characters, without control characters`;
  return z.string({ error }).max(longest, { error }).regex(ON_LINES, { error });
}

export function word(pattern: RegExp, expected: string) {
  return z.string({ error: expected }).regex(pattern, { error: expected });
}

export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, { error: words.length === 1 ? `${words[0]}` : `one of ${words.join(', ')}` });
}

const micros = z.custom<Micros>((value) => typeof value === 'number');
const wholeMegabytes = z.custom<number>((value) => typeof value === 'number');

/** A duration such as `30s`, `5m` or `10ms`; parsed to microseconds. */
export const duration = (min: string, max: string) =>
  durationOf(min, max, `a duration of ${min} to ${max}, such as 500ms, 30s or 5m`, 1);

/** The same in whole seconds, for programs that have no finer times. */
export const wholeSeconds = (min: string, max: string) =>
  durationOf(min, max, `a duration of ${min} to ${max} in whole seconds, such as 30s or 5m`, 1e6);

function durationOf(min: string, max: string, error: string, step: number) {
  const [low, high] = [parseDuration(min) ?? seconds(0), parseDuration(max) ?? seconds(0)];
  return z.codec(z.string({ error }).meta({ pattern: DURATION.source }), micros, {
    decode: (text, context) => {
      const value = parseDuration(text);
      if (value !== undefined && value >= low && value <= high && value % step === 0) return value;
      context.issues.push({ code: 'custom', message: error, input: text });
      return z.NEVER;
    },
    encode: formatDuration,
  });
}

/** A size such as `64kB` or `16MB`, which stays as it is written. */
export function size(min: string, max: string, example = '64kB or 16MB') {
  const error = `a size of ${min} to ${max}, such as ${example}`;
  const [low, high] = [parseBytes(min) ?? 0, parseBytes(max) ?? 0];
  return (
    z
      .string({ error })
      .meta({ pattern: SIZE.source })
      // It ends there, so that a union of which it is a part reports what the union expects.
      .refine((text) => (parseBytes(text) ?? -1) >= low && (parseBytes(text) ?? -1) <= high, {
        error,
        abort: true,
      })
  );
}

/** A size in whole megabytes in PostgreSQL's notation, such as `512MB` or `3GB`; parsed to megabytes. */
export function megabytes(min: string, max: string) {
  const error = `a size of ${min} to ${max} in whole megabytes, such as 512MB or 3GB`;
  const [low, high] = [parseBytes(min) ?? 0, parseBytes(max) ?? 0];
  return z.codec(z.string({ error }).meta({ pattern: SIZE.source }), wholeMegabytes, {
    decode: (text, context) => {
      const bytes = parseBytes(text);
      const isWhole = bytes !== undefined && Number.isInteger(bytes / 2 ** 20);
      if (isWhole && bytes >= low && bytes <= high) return bytes / 2 ** 20;
      context.issues.push({ code: 'custom', message: error, input: text });
      return z.NEVER;
    },
    encode: (megabytes) => `${megabytes}MB`,
  });
}

/**
 * A map that refuses unknown keys; the message is the list of the known ones.
 * @param aliases keys to list as well; their values have been moved already (aliases.ts)
 */
export function map<T extends z.core.$ZodLooseShape>(shape: T, aliases: readonly string[] = []) {
  const known = [...Object.keys(shape), ...aliases].join(', ');
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? known : `a map with the keys ${known}`),
  });
}

export function list<T extends z.ZodType>(element: T, longest: number, of: string, shortest = 0) {
  const error = `a list of ${shortest} to ${longest} ${of}`;
  return z.array(element, { error }).min(shortest, { error }).max(longest, { error });
}

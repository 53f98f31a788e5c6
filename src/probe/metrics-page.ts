import { normalizedLabel } from '../scenario/metric-selector.ts';
import { readHead, readNumber } from '../scenario/sample-head.ts';
import { excerptOf } from './excerpt.ts';

/** One sample of a requested name. */
export interface PageSample {
  /** Its labels in a canonical order and spelling, so that it is the same in every reading. */
  readonly key: string;
  readonly labels: ReadonlyMap<string, string>;
  /** May be NaN, or infinite. */
  readonly value: number;
}

/** A malformed line that has, or may have, a requested name. */
export interface UnreadableLine {
  readonly name: string;
  /** Null where they are malformed, too. */
  readonly labels: ReadonlyMap<string, string> | null;
  /** `line 12: its value "x" is not a number` */
  readonly problem: string;
}

/** The samples and descriptions of the requested names. */
export interface MetricsPage {
  readonly samples: ReadonlyMap<string, readonly PageSample[]>;
  /** `# TYPE`: name of the family -> counter, gauge, histogram, summary, untyped, unknown, ... */
  readonly types: ReadonlyMap<string, string>;
  /** Families with a TYPE, HELP or UNIT line, which may have no sample yet. */
  readonly described: ReadonlySet<string>;
  readonly unreadable: readonly UnreadableLine[];
}

/** Samples of requested names. */
const MOST_SAMPLES = 5_000;
const MOST_UNREADABLE = 20;
/** `# TYPE name counter`; the name may be quoted. */
const DESCRIPTION = /^#[ \t]*(HELP|TYPE|UNIT)[ \t]+("(?:[^"\\]|\\.)*"|[^ \t]+)(?:[ \t]+([^ \t]+))?/;
const EOF = /^#[ \t]*EOF[ \t]*$/;
const OWN_NAME = /[a-zA-Z_:][\w:]*/y;
/** After the value: a timestamp (milliseconds, or seconds in OpenMetrics), and an exemplar. */
const REST = /^(?:[ \t]+[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)?[ \t]*(?:[ \t]#.*)?$/i;

interface Known extends PageSample {
  readonly timestamp: number | null;
}

/**
 * Reads the Prometheus text format 0.0.4 and OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec) and
 * keeps only the requested names. Exemplars and `_created` are ignored; timestamps only decide which of two samples of
 * one label set is the newer one.
 * @throws an Error for any other text, for an OpenMetrics page without its EOF line, and for too many samples
 */
export function readMetricsPage(
  text: string,
  names: ReadonlySet<string>,
  { isOpenMetrics = false } = {},
): MetricsPage {
  const samples = new Map<string, Map<string, Known>>();
  const types = new Map<string, string>();
  const described = new Set<string>();
  const unreadable: UnreadableLine[] = [];
  let hasSample = false;
  let hasEnd = false;
  let kept = 0;
  let number = 0;

  const takeSample = (line: string): void => {
    const sample = readSample(line);
    if (sample.problem === null) hasSample = true;
    const { name, labels, problem } = sample;
    if (name === null || !names.has(name)) return;
    const refuse = (because: string): void => {
      if (unreadable.length < MOST_UNREADABLE)
        unreadable.push({ name, labels, problem: `line ${number}: ${because}` });
    };
    if (problem !== null || labels === null) {
      refuse(problem ?? 'its labels cannot be read');
      return;
    }
    const own = samples.get(name) ?? new Map<string, Known>();
    samples.set(name, own);
    const key = keyOf(labels);
    const { value, timestamp } = sample;
    const before = own.get(key);
    if (before === undefined) {
      kept += 1;
      if (kept > MOST_SAMPLES) {
        throw new Error(`the budgets select more than ${MOST_SAMPLES} samples: select fewer by label`);
      }
    } else if (before.timestamp === null || timestamp === null || before.timestamp === timestamp) {
      if (!Object.is(before.value, value)) {
        refuse(`${name} with these labels appears twice, with ${before.value} and ${value}`);
      }
      return;
    } else if (before.timestamp > timestamp) return;
    own.set(key, { key, labels, value, timestamp });
  };

  for (let from = text.startsWith('\uFEFF') ? 1 : 0; from < text.length; ) {
    const at = text.indexOf('\n', from);
    const end = at < 0 ? text.length : at;
    const line = text.slice(from, end).trim();
    from = end + 1;
    number += 1;
    if (line === '') continue;
    if (line.startsWith('#')) {
      if (EOF.test(line)) hasEnd = true;
      const [, word, quoted = '', type] = DESCRIPTION.exec(line) ?? [];
      if (word === undefined) continue;
      const name = quoted.startsWith('"') ? (readHead(`{${quoted}}`).name ?? quoted) : quoted;
      described.add(name);
      if (word === 'TYPE' && type !== undefined) types.set(name, type.toLowerCase());
      continue;
    }
    // Most lines have other names: one readable line is enough to show that this is such a page.
    if (hasSample && !line.startsWith('{')) {
      OWN_NAME.lastIndex = 0;
      const name = OWN_NAME.exec(line)?.[0];
      if (name !== undefined && !names.has(name)) continue;
    }
    takeSample(line);
  }
  // A page on which nothing was counted yet has only descriptions.
  if (!hasSample && !hasEnd && described.size === 0 && unreadable.length === 0) {
    throw new Error(`the answer is not Prometheus text: it begins with ${excerptOf(text)}`);
  }
  if (isOpenMetrics && !hasEnd)
    throw new Error('the OpenMetrics page is incomplete: it ends without "# EOF"');
  return {
    samples: new Map([...samples].map(([name, own]) => [name, [...own.values()]])),
    ...{ types, described, unreadable },
  };
}

/** Labels sorted by name, with numeric values normalised. */
const keyOf = (labels: ReadonlyMap<string, string>): string =>
  JSON.stringify(
    [...labels]
      .map(([name, value]) => [name, normalizedLabel(name, value)])
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  );

interface ReadSample {
  readonly name: string | null;
  readonly labels: ReadonlyMap<string, string> | null;
  readonly value: number;
  readonly timestamp: number | null;
  readonly problem: string | null;
}

/** @param line without blanks around it */
function readSample(line: string): ReadSample {
  const { name, labels, end, problem } = readHead(line);
  const failed = (because: string): ReadSample => ({
    // In a malformed head the probable name is used.
    name: name ?? /^[{"\s]*([a-zA-Z_:][\w:]*)/.exec(line)?.[1] ?? null,
    ...{ labels, value: Number.NaN, timestamp: null, problem: because },
  });
  if (problem !== null) return failed(problem);
  const token = /^[^ \t]+/.exec(line.slice(end))?.[0] ?? '';
  const value = readNumber(token);
  if (token === '') return failed('it has no value');
  if (value === null) return failed(`its value ${excerptOf(token)} is not a number`);
  const rest = line.slice(end + token.length);
  if (!REST.test(rest)) return failed(`${excerptOf(rest)} follows its value`);
  const timestamp = readNumber(/^[ \t]+([^ \t#]+)/.exec(rest)?.[1] ?? '');
  return { name, labels, value, timestamp, problem: null };
}

/** Samples of a family have its name and one of these suffixes. */
const SUFFIX = /_(?:total|created|bucket|count|sum|gcount|gsum|info)$/;

/** How the types of Prometheus and of OpenMetrics are read. */
const TYPES = {
  counter: ['counter'],
  histogram: ['histogram', 'gaugehistogram'],
  gauge: ['gauge', 'summary', 'info', 'stateset'],
};

/** The kind of a name's samples; null where the page does not declare it. A histogram has no samples of its own name. */
export function kindOf(name: string, { types }: MetricsPage): 'counter' | 'gauge' | 'histogram' | null {
  const [own] = Object.entries(TYPES).find(([, all]) => all.includes(types.get(name) ?? '')) ?? [];
  if (own !== undefined) return own as keyof typeof TYPES;
  const suffix = SUFFIX.exec(name)?.[0];
  const family = suffix === undefined ? undefined : types.get(name.slice(0, -suffix.length));
  if (family === undefined || family === 'unknown' || family === 'untyped') return null;
  if (suffix === '_total') return family === 'counter' ? 'counter' : null;
  if (suffix === '_created' || suffix === '_info' || family === 'gaugehistogram') return 'gauge';
  if (family === 'summary') return suffix === '_bucket' ? null : 'counter';
  return family === 'histogram' ? 'counter' : null;
}

/** Whether the page tells of a name: of a sample with whatever labels, or of a family that has no such sample yet. */
export function isDeclared(name: string, page: MetricsPage): boolean {
  const { samples, described, types } = page;
  if ((samples.get(name)?.length ?? 0) > 0 || described.has(name)) return true;
  const family = name.replace(SUFFIX, '');
  if (family === name || !described.has(family)) return false;
  return kindOf(name, page) !== null || !types.has(family);
}

/** A budget may name a counter with or without the `_total` that OpenMetrics adds to its name. */
export const otherNameOf = (name: string): string =>
  name.endsWith('_total') ? name.slice(0, -'_total'.length) : `${name}_total`;

/** The name of a requested counter on this page: OpenMetrics adds `_total`, the text format may not. */
export function nameOn(page: MetricsPage, name: string): string {
  const other = otherNameOf(name);
  const isThere = (one: string): boolean => (page.samples.get(one)?.length ?? 0) > 0;
  if (isThere(name) || !isThere(other)) return name;
  return kindOf(other, page) === 'counter' ? other : name;
}

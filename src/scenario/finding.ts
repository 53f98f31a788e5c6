import type { z } from 'zod';
import { parseBytes, parseDuration } from '../units.ts';
import { nearest } from './nearest.ts';
import { type Path, type Problem, pathText, shown } from './problem.ts';

/** A problem without its position in the file. */
export interface Finding {
  readonly path: Path;
  /** Whether the key itself or its value is wrong. */
  readonly of: 'key' | 'value';
  readonly message: string;
  readonly hint: string | null;
}

export const findingAt = (path: Path, message: string, hint: string | null = null): Finding => ({
  path,
  of: 'value',
  message,
  hint,
});

/** A function that adds findings to a list. */
export const reporter =
  (findings: Finding[]) =>
  (...args: Parameters<typeof findingAt>): void =>
    void findings.push(findingAt(...args));

/** The value at a path of plain data; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const segment of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined;
    at = Reflect.get(at, segment);
  }
  return at;
}

function hintFor(value: unknown, expected: string): string | null {
  if (typeof value === 'number' && !Number.isFinite(value)) return 'comparisons with it are meaningless';
  if (typeof value === 'number') {
    const [, kind = '', low = '', high = ''] =
      /^a (duration|size) of (\S+) to (\S+?),? /.exec(expected) ?? [];
    const parse = kind === 'size' ? parseBytes : parseDuration;
    const [least, most] = [parse(low), parse(high)];
    const text = `${value}${kind === 'size' ? 'MB' : 's'}`;
    const amount = parse(text);
    if (
      least !== undefined &&
      most !== undefined &&
      amount !== undefined &&
      amount >= least &&
      amount <= most
    )
      return `add its unit: ${text}`;
  }
  if (typeof value === 'string' && expected.startsWith('one of ')) {
    const meant = nearest(value, expected.slice('one of '.length).split(', '));
    return meant === undefined ? null : `did you mean ${meant}?`;
  }
  if (expected.startsWith('1, the version')) return 'other versions need another version of capbench';
  if (typeof value === 'string' && /^(a whole number|a number|a rate)/.test(expected)) {
    const digits = value.replaceAll(/[_,' ]/g, '');
    if (/^\d+$/.test(digits)) return `write it without quotes and separators: ${digits}`;
  }
  return null;
}

/** Unknown keys that are reported at most. */
export const MOST_UNKNOWN = 50;

export function unknownKey(path: Path, key: string, known: readonly string[]): Finding {
  const meant = nearest(key, known);
  return {
    path: [...path, key],
    of: 'key',
    message: `unknown key ${shown(key)}, expected one of ${known.join(', ')}`,
    hint: meant === undefined ? null : `did you mean ${meant}?`,
  };
}

/** Zod's issues about `root` as findings, one per path. The message of an issue is what was expected. */
export function findingsOf(
  issues: readonly z.core.$ZodIssue[],
  root: unknown,
  under: Path,
): readonly Finding[] {
  const findings = new Map<string, Finding>();
  const add = (finding: Finding) => {
    const key = pathText(finding.path);
    if (!findings.has(key)) findings.set(key, finding);
  };
  for (const issue of issues) {
    const path: Path = [
      ...under,
      ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part)),
    ];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys.slice(0, MOST_UNKNOWN))
        add(unknownKey(path, key, issue.message.split(', ')));
      continue;
    }
    const value = valueAt(root, path);
    add(findingAt(path, `got ${shown(value)}, expected ${issue.message}`, hintFor(value, issue.message)));
  }
  return [...findings.values()];
}

/** Findings with their positions, in the order of the file. */
export const located = (
  findings: readonly Finding[],
  where: (finding: Finding) => string,
): readonly Problem[] =>
  findings
    .map((finding) => ({
      where: where(finding),
      path: pathText(finding.path),
      message: finding.message,
      hint: finding.hint,
    }))
    .sort((a, b) => position(a) - position(b));

/** Sort key by line and column; 0 for a finding outside the file. */
function position({ where }: Problem): number {
  const [, line, column] = /:(\d+):(\d+)$/.exec(where) ?? [];
  return line === undefined ? 0 : Number(line) * 1e6 + Number(column);
}

import { type Finding, found, valueAt } from './finding.ts';
import type { Path } from './problem.ts';

/** A document in which every key has its own name. */
export interface Canonical {
  readonly value: object;
  readonly findings: readonly Finding[];
  /** The path as it is written. */
  written(path: Path): Path;
}

const startsWith = (path: Path, start: Path): boolean => start.every((key, i) => key === path[i]);

function without(value: object, [key, ...rest]: Path): object {
  if (key === undefined) return value;
  const { [key]: inner, ...others } = value as Record<string, unknown>;
  return rest.length === 0 || typeof inner !== 'object' || inner === null
    ? others
    : { ...others, [key]: without(inner, rest) };
}

function withValue(around: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  const map = typeof around === 'object' && around !== null ? (around as Record<string, unknown>) : {};
  return { ...map, [key]: withValue(map[key], rest, value) };
}

/**
 * Gives what is written under another name its own. Where both names are there, the one that a `--set` gave wins;
 * from one source, both are a mistake.
 */
export function canonicalOf(
  root: object,
  aliases: Readonly<Record<string, string>>,
  isFromFlag: (path: Path) => boolean,
): Canonical {
  const findings: Finding[] = [];
  const renamed: { readonly from: Path; readonly to: Path }[] = [];
  let value = root;
  for (const [alias, name] of Object.entries(aliases)) {
    const [from, to] = [alias.split('.'), name.split('.')];
    const given = valueAt(value, from);
    if (given === undefined) continue;
    value = without(value, from);
    if (valueAt(value, to) !== undefined && isFromFlag(from) === isFromFlag(to)) {
      findings.push(found(from, `${alias} and ${name} are both there, expected one: they are the same`));
    } else if (valueAt(value, to) === undefined || isFromFlag(from)) {
      value = withValue(value, to, given) as object;
      renamed.push({ from, to });
    }
  }
  return {
    value,
    findings,
    written: (path) => {
      const one = renamed.find(({ to }) => startsWith(path, to));
      return one === undefined ? path : [...one.from, ...path.slice(one.to.length)];
    },
  };
}

import { type Finding, valueAt } from './finding.ts';
import { type Path, shown, startsWith } from './problem.ts';

/** Other names of keys, which keep working, by alias. Both are keys with dots between them. */
export type Aliases = Readonly<Record<string, string>>;

/** The path, with what stands at its beginning instead of `from`. */
const moved = (path: Path, from: Path, to: Path): Path => [...to, ...path.slice(from.length)];

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function without(value: unknown, [key = '', ...rest]: Path): unknown {
  if (!isMap(value)) return value;
  const { [key]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...others, [key]: without(inner, rest) };
}

/** Undefined where something else than a map is in the way. */
function withValue(around: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  if (around !== undefined && !isMap(around)) return undefined;
  const inner = withValue(around?.[key], rest, value);
  return inner === undefined ? undefined : { ...around, [key]: inner };
}

/** The own name of what is written at a path. */
export function ownName(path: Path, aliases: Aliases): Path {
  for (const [alias, name] of Object.entries(aliases)) {
    const from = alias.split('.');
    if (startsWith(path, from)) return moved(path, from, name.split('.'));
  }
  return path;
}

/**
 * Gives what is written under another name its own. Where both names are there, the one that was set later wins
 * (`orderOf`: -1 for what stands in the file); from one source, both are a mistake.
 */
export function canonicalOf(document: unknown, aliases: Aliases, orderOf: (path: Path) => number) {
  const findings: Finding[] = [];
  const renamed: { readonly from: Path; readonly to: Path }[] = [];
  let value = document;
  for (const [alias, name] of Object.entries(aliases)) {
    const [from, to] = [alias.split('.'), name.split('.')];
    const given = valueAt(value, from);
    if (given === undefined) continue;
    value = without(value, from);
    const isTwice = valueAt(value, to) !== undefined;
    if (isTwice && orderOf(from) === orderOf(to)) {
      const message = `${shown(given)} is there beside ${name}, expected one of the two: they are the same`;
      findings.push({ path: from, of: 'key', message, hint: `keep ${name}` });
    } else if (!isTwice || orderOf(from) > orderOf(to)) {
      const filled = withValue(value, to, given);
      // What is in the way is a mistake of its own.
      if (filled !== undefined) renamed.push({ from, to });
      value = filled ?? value;
    }
  }
  const written = (path: Path): Path => {
    const one = renamed.find(({ to }) => startsWith(path, to));
    return one === undefined ? path : moved(path, one.to, one.from);
  };
  return { value, findings, written };
}

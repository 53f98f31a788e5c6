import { type Finding, valueAt } from './finding.ts';
import { type Path, shown, startsWith } from './problem.ts';

/** Alternative names of keys: alias -> name, both with dots between keys. */
export type Aliases = Readonly<Record<string, string>>;

/** The path with its beginning `from` replaced by `to`. */
const moved = (path: Path, from: Path, to: Path): Path => [...to, ...path.slice(from.length)];

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function without(value: unknown, [key = '', ...rest]: Path): unknown {
  if (!isMap(value)) return value;
  const { [key]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...others, [key]: without(inner, rest) };
}

/** Undefined where the path leads through a value that is not a map. */
function withValue(around: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  if (around !== undefined && !isMap(around)) return undefined;
  const inner = withValue(around?.[key], rest, value);
  return inner === undefined ? undefined : { ...around, [key]: inner };
}

/** The path with an alias replaced by the key's name. */
export function canonicalPath(path: Path, aliases: Aliases): Path {
  for (const [alias, name] of Object.entries(aliases)) {
    const from = alias.split('.');
    if (startsWith(path, from)) return moved(path, from, name.split('.'));
  }
  return path;
}

/**
 * Moves values from aliases to the keys' names. If a document has both, the one that was set later wins (`orderOf`: -1 for
 * values of the file); both from one source are an error.
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
      const message = `got ${shown(given)} beside ${name}, expected only one of the two: they are the same key`;
      findings.push({ path: from, of: 'key', message, hint: `keep ${name}` });
    } else if (!isTwice || orderOf(from) > orderOf(to)) {
      const filled = withValue(value, to, given);
      // A value that is not a map is reported by its own schema.
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

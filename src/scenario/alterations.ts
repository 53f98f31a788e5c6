import { type Finding, valueAt } from './finding.ts';
import { type Path, pathText, shown, startsWith } from './problem.ts';
import type { SystemScenario } from './system-scenario.ts';

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
function ownName(path: Path, aliases: Aliases): Path {
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

/** What makes the load another one than the file's; how long it lasts and how it is judged does not. */
const SECTIONS = ['system', 'world', 'postgres', 'faults'];
const LOAD = ['players', 'operations', 'operationsPerSecond', 'stages', 'churn'];

const isLoad = ([section, key]: Path, { load = {}, sections = {} }: SystemScenario): boolean =>
  section === 'load'
    ? key === undefined || LOAD.includes(String(key)) || Object.hasOwn(load, key)
    : SECTIONS.includes(String(section)) || Object.hasOwn(sections, String(section));

/**
 * `load.players=400` for each `--set` that made another load of the document, the last one of a path; after
 * those that a resolved scenario brought along. What stayed as it was is no change, by whichever of its names.
 * @param value the document after all of them, with each key under its own name (alterations.ts)
 */
export function alterations(
  document: unknown,
  value: unknown,
  paths: readonly Path[],
  earlier: readonly string[],
  system: SystemScenario,
): readonly string[] {
  const { aliases = {} } = system;
  const before = canonicalOf(document, aliases, () => -1).value;
  const changes = new Map<string, string>();
  for (const path of paths) {
    const name = ownName(path, aliases);
    const after = valueAt(value, name);
    if (!isLoad(name, system) || valueAt(before, name) === after) continue;
    const text = typeof after === 'object' ? JSON.stringify(after) : String(after).trim();
    changes.set(pathText(name), `${pathText(path)}=${text}`);
  }
  const nameOf = (text: string): string =>
    pathText(ownName(text.slice(0, text.indexOf('=')).split('.'), aliases));
  return [...earlier.filter((text) => !changes.has(nameOf(text))), ...changes.values()];
}

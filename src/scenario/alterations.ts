import { canonicalOf, ownName } from './aliases.ts';
import { valueAt } from './finding.ts';
import { type Path, pathText } from './problem.ts';
import type { SystemScenario } from './system-scenario.ts';

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
 * @param value the document after all of them, with each key under its own name (aliases.ts)
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

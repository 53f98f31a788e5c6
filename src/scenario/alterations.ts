import { canonicalOf, canonicalPath } from './aliases.ts';
import { valueAt } from './finding.ts';
import { type Path, pathText } from './problem.ts';
import type { SystemScenario } from './system-scenario.ts';

/** Keys that change the load. Duration and budgets do not. */
const SECTIONS = ['system', 'world', 'postgres', 'redis', 'edge', 'limits', 'faults'];
const LOAD = ['players', 'operations', 'operationsPerSecond', 'stages', 'churn'];

const isLoad = ([section, key]: Path, { load = {}, sections = {} }: SystemScenario): boolean =>
  section === 'load'
    ? key === undefined || LOAD.includes(String(key)) || Object.hasOwn(load, key)
    : SECTIONS.includes(String(section)) || Object.hasOwn(sections, String(section));

/**
 * `load.players=400` for each path whose `--set` changed the load, after the alterations that a resolved scenario already
 * has. Setting a key to the value that it had is no change.
 * @param value the document after all settings, without aliases (aliases.ts)
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
    const name = canonicalPath(path, aliases);
    const after = valueAt(value, name);
    if (!isLoad(name, system) || valueAt(before, name) === after) continue;
    const text = typeof after === 'object' ? JSON.stringify(after) : String(after).trim();
    changes.set(pathText(name), `${pathText(path)}=${text}`);
  }
  const nameOf = (text: string): string =>
    pathText(canonicalPath(text.slice(0, text.indexOf('=')).split('.'), aliases));
  return [...earlier.filter((text) => !changes.has(nameOf(text))), ...changes.values()];
}

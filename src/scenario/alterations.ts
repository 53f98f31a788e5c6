import { valueAt } from './finding.ts';
import type { Overridden } from './overrides.ts';
import type { Path } from './problem.ts';
import type { SystemScenario } from './system-scenario.ts';

/** What makes the load another one than the file's; how long it lasts and how it is judged does not. */
const SECTIONS = ['world', 'postgres', 'faults'];
const LOAD = ['players', 'operations', 'stages', 'churn'];

/** The paths that make the load: those of every system, and those of this one by every name that they have. */
function loadPaths({ load = {}, sections = {}, aliases = {} }: SystemScenario): (path: Path) => boolean {
  const known = [
    ...[...SECTIONS, ...Object.keys(sections), ...Object.keys(aliases)],
    ...[...LOAD, ...Object.keys(load)].map((key) => `load.${key}`),
  ];
  return ([room, key]) => known.includes(String(room)) || known.includes(`${room}.${key}`);
}

/**
 * `load.players=400` for each `--set` that made another load of the document, the last one of a path; after
 * those that a resolved scenario brought along. What stayed as it was is no change.
 */
export function alterations(
  document: unknown,
  { value, paths }: Overridden,
  earlier: readonly string[],
  system: SystemScenario,
): readonly string[] {
  const changes = new Map<string, string>();
  for (const path of paths.filter(loadPaths(system))) {
    const [before, after] = [valueAt(document, path), valueAt(value, path)];
    if (before === after) continue;
    const name = path.join('.');
    changes.set(name, `${name}=${typeof after === 'object' ? JSON.stringify(after) : String(after).trim()}`);
  }
  const kept = earlier.filter((text) => !changes.has(text.slice(0, text.indexOf('='))));
  return [...kept, ...changes.values()];
}

import { valueAt } from './finding.ts';
import type { Overridden } from './overrides.ts';
import type { Path } from './problem.ts';

/** What makes the load another one than the file's; how long it lasts and how it is judged does not. */
const LOAD = ['players', 'intentsPerSecond', 'monsters', 'monsterCommandsPerSecond', 'stages', 'churn'];

const isLoad = ([room, key]: Path): boolean =>
  room === 'world' ||
  room === 'postgres' ||
  room === 'faults' ||
  room === 'players' ||
  (room === 'load' && LOAD.includes(String(key)));

/**
 * `load.players=400` for each `--set` that made another load of the document, the last one of a path; after
 * those that a resolved scenario brought along. What stayed as it was is no change.
 */
export function alterations(
  document: unknown,
  { value, paths }: Overridden,
  earlier: readonly string[],
): readonly string[] {
  const changes = new Map<string, string>();
  for (const path of paths.filter(isLoad)) {
    const [before, after] = [valueAt(document, path), valueAt(value, path)];
    if (before === after) continue;
    const name = path.join('.');
    changes.set(name, `${name}=${typeof after === 'object' ? JSON.stringify(after) : String(after).trim()}`);
  }
  const kept = earlier.filter((text) => !changes.has(text.slice(0, text.indexOf('='))));
  return [...kept, ...changes.values()];
}

import { valueAt } from './finding.ts';
import { type Path, startsWith } from './problem.ts';

const PLAYERS: Path = ['load', 'players'];

/**
 * The players of the stages follow `--players`: where a setting gave the document another number of players, those of each
 * stage are changed in proportion, unless a setting named them. Anything else than numbers is left to be refused.
 * @param document before the settings; `value`: after them; `paths`: what they set
 */
export function withStagePlayers(document: unknown, value: unknown, paths: readonly Path[]): unknown {
  const [before, after] = [valueAt(document, PLAYERS), valueAt(value, PLAYERS)];
  const stages = valueAt(value, ['load', 'stages']);
  if (typeof before !== 'number' || typeof after !== 'number' || !(before > 0) || !Array.isArray(stages)) {
    return value;
  }
  const isSet = (path: Path): boolean => paths.some((set) => startsWith(path, set));
  if (before === after || !Number.isInteger(after) || isSet(['load', 'stages'])) return value;
  const changed: readonly unknown[] = stages.map((stage: unknown, i) => {
    const players = valueAt(stage, ['players']);
    if (typeof players !== 'number' || isSet(['load', 'stages', i, 'players'])) return stage;
    return { ...(stage as object), players: Math.max(1, Math.round((players * after) / before)) };
  });
  const { load } = value as { readonly load: object };
  return { ...(value as object), load: { ...load, stages: changed } };
}

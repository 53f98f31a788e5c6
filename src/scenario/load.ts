import { type Micros, micros, seconds } from '../units.ts';
import { mapOperations, type PerOperation, perOperation } from './operations.ts';
import type { Overrides } from './overrides.ts';
import type { Load, OperationLoad } from './scenario.ts';
import type { LoadEntry } from './schema.ts';
import { lengthOf, type Stage, scaledChurn, stretched } from './stages.ts';
import type { SystemScenario } from './system-scenario.ts';

/** A scenario's `load:` with what follows from the rest of it. */
export const loadOf = ({ operationsPerSecond, ...entry }: LoadEntry, system: SystemScenario): Load => ({
  ...entry,
  operations: operationLoads(entry, operationsPerSecond ?? entry.players, system),
  duration: entry.duration ?? (entry.stages === undefined ? seconds(60) : lengthOf(entry.stages)),
});

/** An operation's own rate, its share of the total by its weight, or else what the system says. */
function operationLoads(
  { operations, players }: Pick<LoadEntry, 'operations' | 'players'>,
  total: number,
  { operations: all, defaultPerSecond }: SystemScenario,
): PerOperation<OperationLoad> {
  const weights = Object.values(operations).reduce((sum, one) => sum + (one?.weight ?? 0), 0);
  return perOperation(all, (id) => {
    const { perSecond, weight } = operations[id] ?? {};
    if (weight !== undefined) return { perSecond: (total * weight) / weights };
    return { perSecond: perSecond ?? defaultPerSecond?.(id, { players }) ?? 0 };
  });
}

/** At another scale and length: players and all rates together, and no server is left without a player. */
export function changedLoad(
  load: Load,
  servers: number,
  { scale, duration }: Overrides,
  system: SystemScenario,
): Load {
  const factor = scale ?? 1;
  const players = Math.round(load.players * factor);
  const scaled: Load = {
    ...load,
    players: factor === 1 ? load.players : Math.max(servers, players),
    operations: mapOperations(load.operations, ({ perSecond }) => ({ perSecond: perSecond * factor })),
    duration: micros(duration ?? load.duration) satisfies Micros,
    ...(load.churn === undefined ? {} : { churn: scaledChurn(load.churn, factor) }),
    ...(load.stages === undefined ? {} : { stages: shapeOf(load.stages, factor, duration) }),
  };
  return system.scale?.(scaled, factor) ?? scaled;
}

/** The stages at another scale and length; their rates are multiples, and stay. */
function shapeOf(stages: readonly Stage[], factor: number, duration: Micros | null): readonly Stage[] {
  const long = duration === null ? stages : stretched(stages, duration);
  return long.map(({ churn, ...one }) =>
    churn === undefined ? one : { ...one, churn: scaledChurn(churn, factor) },
  );
}

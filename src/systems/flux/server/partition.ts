import type { WorldConfig } from './config.ts';

/** A half-open range of entity ids. */
interface IdRange {
  readonly from: number;
  readonly to: number;
}

/** The part of the world that one instance owns. No place is shared, and no exit leads to another instance. */
export interface Partition {
  readonly players: IdRange;
  readonly monsters: IdRange;
  /** Its places have the global numbers `placeOffset` to `placeOffset + places - 1`. */
  readonly places: number;
  readonly placeOffset: number;
}

type WorldSize = Pick<WorldConfig, 'instances' | 'players' | 'monsters' | 'playersPerPlace'>;

/** Instance i (1-based) of S owns players floor((i-1)P/S) to floor(iP/S) - 1 of P; monsters likewise, from id P on. */
export function partitionOf(size: WorldSize, instance: number): Partition {
  const { instances, players, monsters } = size;
  let placeOffset = 0;
  for (let earlier = 1; earlier < instance; earlier++) placeOffset += placesOf(size, earlier);
  return {
    players: share(players, instances, instance, 0),
    monsters: share(monsters, instances, instance, players),
    places: placesOf(size, instance),
    placeOffset,
  };
}

export function share(total: number, instances: number, instance: number, firstId: number): IdRange {
  return {
    from: firstId + Math.floor(((instance - 1) * total) / instances),
    to: firstId + Math.floor((instance * total) / instances),
  };
}

/** At least one, since the monsters of an instance without players need a place. */
function placesOf(size: WorldSize, instance: number): number {
  const { from, to } = share(size.players, size.instances, instance, 0);
  return Math.max(1, Math.ceil((to - from) / size.playersPerPlace));
}

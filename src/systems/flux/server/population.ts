import type { WorldConfig } from './config.ts';

/** Entity ids, half-open. */
interface IdRange {
  readonly from: number;
  readonly to: number;
}

/** What one instance owns: entities by id, and places. No place is shared, and no exit leads to another's. */
export interface Population {
  readonly players: IdRange;
  readonly monsters: IdRange;
  /** Its places are the global numbers `placeOffset` .. `placeOffset + places - 1`. */
  readonly places: number;
  readonly placeOffset: number;
}

type WorldSize = Pick<WorldConfig, 'instances' | 'players' | 'monsters' | 'playersPerPlace'>;

/** Instance i (1-based) of S owns [floor((i-1)P/S), floor(iP/S)) of P players; monsters likewise, from id P on. */
export function populationOf(size: WorldSize, instance: number): Population {
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

/** At least one: an instance without players still has monsters somewhere. */
function placesOf(size: WorldSize, instance: number): number {
  const { from, to } = share(size.players, size.instances, instance, 0);
  return Math.max(1, Math.ceil((to - from) / size.playersPerPlace));
}

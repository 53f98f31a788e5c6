import type { Way } from './measurement.ts';
import { REFERENCE, type World } from './world.ts';

/** Something that is to be measured. */
export interface Job {
  readonly kind: 'run' | 'search';
  readonly world: World;
  readonly way: Way;
  readonly machine: number;
  /** Of the run; where the search begins. */
  readonly players: number;
}

/** Its name, of its file and its folder. */
export const nameOf = ({ kind, world, way, machine, players }: Job): string =>
  `${world.name}-${way}-${machine}-${kind === 'run' ? players : 'search'}`;

/** All measurements of a way: costs first, then the searches, the worlds in turn. */
export function jobsOf(worlds: readonly World[], way: Way): readonly Job[] {
  const runs = worlds.flatMap((world) =>
    [...world.fit, ...world.larger].map(
      (players): Job => ({ kind: 'run', world, way, machine: REFERENCE, players }),
    ),
  );
  const most = Math.max(...worlds.map(({ machines }) => machines.length));
  const searches = Array.from({ length: most }, (_, i) => i).flatMap((i) =>
    worlds.flatMap((world): Job[] => {
      const machine = world.machines[i];
      if (machine === undefined) return [];
      return [
        {
          ...{ kind: 'search', world, way, machine },
          players: Math.max(1, Math.round(machine * world.fromPerCore)),
        },
      ];
    }),
  );
  return [...runs, ...searches];
}

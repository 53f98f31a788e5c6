import { BANDS, type Place, ticksBetween } from '../wire.ts';
import type { Colyseus, View } from './colyseus.ts';
import { type Band, Interest } from './interest.ts';

/** A Colyseus map of the state. */
interface Places {
  set(key: string, place: MutablePlace): unknown;
  delete(key: string): boolean;
}
interface MutablePlace {
  x: number;
  z: number;
}
interface ZoneSchema {
  tick: number;
  readonly near: Places;
  readonly mid: Places;
  readonly far: Places;
}

/** A character in the state of its zone. */
export interface Presence {
  readonly key: string;
  readonly slot: number;
  /** What its player sees; absent where all see all. */
  readonly view: View | undefined;
  /** By band: it is in the state once for each of them, which change at different rates. */
  readonly places: readonly MutablePlace[];
  place: Place;
}

/** The state of a room: who is where, and who sees whom. */
export interface ZoneState {
  readonly state: object;
  readonly size: number;
  enter(id: number, place: Place): Presence;
  leave(presence: Presence): void;
  move(presence: Presence, place: Place): void;
  /** Writes what is due at this tick into the state; the next patch has it. */
  write(tick: number): void;
}

/**
 * Patches of all clients of a room are encoded into one buffer, one after the other, and Colyseus does not always enlarge it in time:
 * what exceeds it is cut off. The longest are those in which everybody comes into everybody's sight at once.
 */
const bufferBytes = (players: number): number =>
  Math.min(BUFFER_BYTES.most, Math.max(BUFFER_BYTES.least, players ** 2 * BUFFER_BYTES.ofPair));
const BUFFER_BYTES = { least: 2 ** 20, most: 128 * 2 ** 20, ofPair: 40 };

export type ZoneStateClass = (isBanded: boolean, tickRate: number) => ZoneState;

/** Defines the classes of the state once for the process. `players`: the most in one zone. */
export function zoneStates(
  { schema: { schema, Encoder, StateView } }: Pick<Colyseus, 'schema'>,
  players: number,
): ZoneStateClass {
  Encoder.BUFFER_SIZE = bufferBytes(players);
  const PlaceSchema = schema({ x: 'float32', z: 'float32' }) as new () => MutablePlace;
  const maps = (view: boolean) =>
    Object.fromEntries(
      BANDS.map(({ name }) => [name, view ? { map: PlaceSchema, view } : { map: PlaceSchema }]),
    );
  const Banded = schema({ tick: 'uint32', ...maps(true) }) as new () => ZoneSchema;
  const Open = schema({ tick: 'uint32', ...maps(false) }) as new () => ZoneSchema;

  const placed = ({ x, z }: Place): MutablePlace => {
    const one = new PlaceSchema();
    one.x = x;
    one.z = z;
    return one;
  };

  return (isBanded, tickRate) => {
    const state = isBanded ? new Banded() : new Open();
    const bands = isBanded ? BANDS : BANDS.slice(0, 1);
    const everyTicks = bands.map((band) => ticksBetween(band, tickRate));
    const interest = new Interest();
    const bySlot: (Presence | undefined)[] = [];
    const moved = bands.map(() => new Set<Presence>());
    let count = 0;

    const see = (viewer: Presence, seen: Presence, before: Band, after: Band): void => {
      if (before > 0) viewer.view?.remove(seen.places[before - 1]!);
      if (after > 0) viewer.view?.add(seen.places[after - 1]!);
    };

    return {
      state,
      get size() {
        return count;
      },
      enter(id, place) {
        const presence: Presence = {
          key: String(id),
          slot: isBanded ? interest.enter(place) : -1,
          view: isBanded ? new StateView() : undefined,
          places: bands.map(() => placed(place)),
          place,
        };
        count += 1;
        for (const [i, { name }] of bands.entries()) state[name].set(presence.key, presence.places[i]!);
        if (isBanded) {
          bySlot[presence.slot] = presence;
          presence.view?.add(presence.places[0]!);
        }
        return presence;
      },
      leave(presence) {
        count -= 1;
        if (isBanded) {
          // Otherwise it would stay in sight if it came back in another band before the next patch.
          interest.leave(presence.slot, (by, band) => bySlot[by]?.view?.remove(presence.places[band - 1]!));
          bySlot[presence.slot] = undefined;
        }
        for (const [i, { name }] of bands.entries()) {
          moved[i]?.delete(presence);
          state[name].delete(presence.key);
        }
      },
      move(presence, place) {
        presence.place = place;
        if (isBanded) interest.move(presence.slot, place);
        for (const one of moved) one.add(presence);
      },
      write(tick) {
        state.tick = tick;
        for (const [i, every] of everyTicks.entries()) {
          if (tick % every !== 0) continue;
          for (const { places, place } of moved[i]!) {
            places[i]!.x = place.x;
            places[i]!.z = place.z;
          }
          moved[i]!.clear();
        }
        if (!isBanded) return;
        interest.update((one, other, before, after) => {
          const [a, b] = [bySlot[one]!, bySlot[other]!];
          see(a, b, before, after);
          see(b, a, before, after);
        });
      },
    };
  };
}

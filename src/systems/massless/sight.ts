import type { PlaceHistory } from './place-history.ts';
import { BANDS, type Place, type PlaceView, STEP_UNITS, ticksBetween, type ZoneView } from './wire.ts';

/** Inputs of a player that may be applied between two places of it that another sees, at the slowest band. */
const STEPS_BETWEEN = 20;
/** Both the viewer and who it sees have gone on since the band was chosen. */
export const SLACK_UNITS = 2 * STEPS_BETWEEN * STEP_UNITS;

/** What a player that decodes the state sees. */
export interface Sight {
  /** Characters in all bands, with its own. */
  readonly inSight: number;
  /** Those that are farther away than their band reaches. */
  readonly outOfBand: number;
  /** Its own place; null where the state does not have it. */
  readonly own: Place | null;
}

/** What a decoded state has for a player; null until it has the maps of the bands. */
export function sightOf(state: Partial<ZoneView> | null | undefined, player: number): Sight | null {
  const bands = BANDS.map(({ name, reach }) => ({ reach, places: state?.[name] }));
  if (bands.some(({ places }) => places === undefined)) return null;
  const own = state?.near?.get(String(player)) ?? null;
  let [inSight, outOfBand] = [0, 0];
  for (const { reach, places } of bands) {
    for (const place of places?.values() ?? []) {
      inSight += 1;
      if (own !== null && distance(own, place) > reach + SLACK_UNITS) outOfBand += 1;
    }
  }
  return { inSight, outOfBand, own: own === null ? null : { x: own.x, z: own.z } };
}

/** A state as it is now. */
export const copyOf = ({ tick, ...state }: Partial<ZoneView>): Partial<ZoneView> => ({
  ...(tick === undefined ? {} : { tick }),
  ...Object.fromEntries(
    BANDS.map(({ name }) => [
      name,
      new Map([...(state[name] ?? [])].map(([key, { x, z }]) => [key, { x, z }])),
    ]),
  ),
});

/** The state has 32-bit floats: of a place in the largest zone, in units. */
const ROUNDING = 1e-3;

/**
 * How a viewer's state contradicts what is known of another character in its room: it has to be in the band of their distance
 * and in no other, and where it was when that band was written last. `''` where it does not; null where too little is known.
 */
export function wrongSight(
  state: Partial<ZoneView>,
  viewer: PlaceHistory,
  other: { readonly player: number; readonly places: PlaceHistory },
  tickRate: number,
): string | null {
  const { tick } = state;
  const [from, to] = tick === undefined ? [null, null] : [viewer.at(tick), other.places.at(tick)];
  if (tick === undefined || from === null || to === null) return null;
  const apart = distance(from, to);
  const key = String(other.player);
  const due = BANDS.find(({ reach }) => apart <= reach);
  const seen = BANDS.filter(({ name }) => state[name]?.has(key) === true);
  const names = seen.map(({ name }) => name).join(' and ') || 'no band';
  const at = `at tick ${tick} player ${other.player}, ${apart.toFixed(2)} units away, is in ${names}`;
  if (seen.length !== (due === undefined ? 0 : 1) || seen[0] !== due)
    return `${at}, expected ${due?.name ?? 'no band'}`;
  if (due === undefined) return '';
  const every = ticksBetween(due, tickRate);
  const written = other.places.at(Math.floor(tick / every) * every);
  const place = state[due.name]!.get(key)!;
  if (written === null || distance(written, place) <= ROUNDING) return '';
  return `${at} at ${place.x}, ${place.z}, expected ${written.x}, ${written.z}`;
}

/** In units. */
export const distance = (a: Place | PlaceView, b: Place | PlaceView): number =>
  Math.hypot(a.x - b.x, a.z - b.z);

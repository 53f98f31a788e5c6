import { BANDS, type Place, type PlaceView, STEP_UNITS, type ZoneView } from './wire.ts';

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

/** In units. */
export const distance = (a: Place | PlaceView, b: Place | PlaceView): number =>
  Math.hypot(a.x - b.x, a.z - b.z);

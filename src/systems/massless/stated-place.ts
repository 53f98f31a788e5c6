import type { Place } from './wire.ts';

/** The ledger keeps one whole number of what a server last stated of a player: the place, in thousandths of a unit. */
const PER_UNIT = 1_000;
const PLACES = 2 ** 26;

/** The longest side of a zone whose places fit, in units. */
export const LONGEST_SIDE = Math.floor((PLACES - 1) / PER_UNIT / 2);

export const statedPlace = ({ x, z }: Place): number =>
  Math.round(x * PER_UNIT) * PLACES + Math.round(z * PER_UNIT);

export const placeStated = (stated: number): Place => ({
  x: Math.floor(stated / PLACES) / PER_UNIT,
  z: (stated % PLACES) / PER_UNIT,
});

/** Whether a place is the stated one, but for its rounding. */
export const isPlace = (stated: number, { x, z }: Place): boolean => {
  const place = placeStated(stated);
  return Math.abs(place.x - x) <= 1 / PER_UNIT && Math.abs(place.z - z) <= 1 / PER_UNIT;
};

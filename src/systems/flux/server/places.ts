import { streamSeed } from '../../../rng.ts';

export const DIRECTIONS = ['north', 'east', 'south', 'west'] as const;

/** No neighbour in this direction: the edge of the grid, or a wall. */
export const NOWHERE = -1;

const WALL_SALT = 0x77a11;
/** One in five pairs of neighbours has a wall between them. */
const WALL_ONE_IN = 5;

/**
 * The places of one server: a nearly square grid, whose last row may be shorter, with walls between some neighbours.
 * Inside the server a place has a local number from 0 to count-1; `offset` is added for the global number.
 */
export class Places {
  readonly count: number;
  readonly offset: number;
  /** Four per place, in the order of DIRECTIONS. */
  readonly #neighbours: Int32Array;
  /** The exits of each place as JSON text, made once. */
  readonly #exitsJson: readonly string[];

  constructor(count: number, offset: number) {
    this.count = count;
    this.offset = offset;
    this.#neighbours = gridOf(count, offset);
    this.#exitsJson = Array.from({ length: count }, (_, place) => JSON.stringify(this.exits(place)));
  }

  /** The local place in that direction (an index of DIRECTIONS), or NOWHERE. */
  neighbour(place: number, direction: number): number {
    return this.#neighbours[place * 4 + direction] ?? NOWHERE;
  }

  exits(place: number): string[] {
    return DIRECTIONS.filter((_, direction) => this.neighbour(place, direction) !== NOWHERE);
  }

  exitsJson(place: number): string {
    return this.#exitsJson[place] ?? '[]';
  }
}

function gridOf(count: number, offset: number): Int32Array {
  const width = Math.ceil(Math.sqrt(count));
  const neighbours = new Int32Array(count * 4).fill(NOWHERE);
  const open = (from: number, to: number, there: number, back: number): void => {
    if (to >= count || isWall(offset + from, offset + to)) return;
    neighbours[from * 4 + there] = to;
    neighbours[to * 4 + back] = from;
  };
  for (let place = 0; place < count; place++) {
    if ((place + 1) % width !== 0) open(place, place + 1, 1, 3);
    open(place, place + width, 2, 0);
  }
  return neighbours;
}

/** Whether a wall is between two global places, the lower first: the same in both directions and after every restart. */
function isWall(lower: number, higher: number): boolean {
  return streamSeed(WALL_SALT, lower, higher) % WALL_ONE_IN === 0;
}

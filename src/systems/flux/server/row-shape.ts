import { random } from '../../../rng.ts';
import { PgInt4Array, PgTextArray } from '../pg-array.ts';

/**
 * How an entity's state is stored, in addition to `id, last_seq, applied_n, seq_sum, seq_hash`, which every shape has: SQL
 * fragments, and the encoder of the state's array parameters.
 */
export interface RowShape {
  /** Percentage of a page that the initial rows fill; the rest is room for HOT updates. */
  readonly fillfactor: number;
  /** Definitions and names of the state's columns. */
  readonly definitions: string;
  readonly names: string;
  /** A select list that reads `place` and `damage`. */
  readonly selected: string;
  /** Columns of the subquery u, from the array parameters $2 onwards. */
  readonly unnested: string;
  readonly assigned: string;
  /** Number of array parameters for the state. */
  readonly parameters: number;
  reset(): void;
  push(id: number, place: number, damage: number): void;
  bytes(): Buffer[];
}

/** A row of narrow typed columns, 64 bytes. */
export function columnsShape(capacity: number): RowShape {
  const places = new PgInt4Array(capacity);
  const damages = new PgInt4Array(capacity);
  return {
    fillfactor: 30,
    definitions: 'place int not null, damage int not null',
    names: 'place, damage',
    selected: 'place, damage',
    unnested: 'unnest($2::int4[]) as place, unnest($3::int4[]) as damage',
    assigned: 'place = u.place, damage = u.damage',
    parameters: 2,
    reset() {
      places.reset();
      damages.reset();
    },
    push(_id, place, damage) {
      places.push(place);
      damages.push(damage);
    },
    bytes: () => [places.bytes(), damages.bytes()],
  };
}

const ITEM_BYTES = 48;
const ITEMS = 37;
const POOL_ITEMS = 2_048;

/**
 * A document of about 1.9 KB, written whole at every update: just below the size at which PostgreSQL would store it outside
 * the row. Most of it is an inventory that does not compress and never changes, so it is not kept in memory: the items of
 * an entity are a slice, chosen by its id, of one shared pool.
 */
export function jsonbShape(capacity: number): RowShape {
  const states = new PgTextArray(capacity * (ITEMS * ITEM_BYTES + 80));
  const pool = itemPool();
  const document = Buffer.alloc(ITEMS * ITEM_BYTES + 80);
  return {
    fillfactor: 50,
    definitions: 'state jsonb not null',
    names: 'state',
    selected: "(state->>'place')::int as place, (state->>'damage')::int as damage",
    unnested: 'unnest($2::text[])::jsonb as state',
    assigned: 'state = u.state',
    parameters: 1,
    reset() {
      states.reset();
    },
    push(id, place, damage) {
      const from = (id % (POOL_ITEMS - ITEMS)) * ITEM_BYTES;
      let end = document.write(`{"place":${place},"damage":${damage},"inventory":[`, 'latin1');
      // -1: no comma after the last item.
      end += pool.copy(document, end, from, from + ITEMS * ITEM_BYTES - 1);
      end += document.write(']}', end, 'latin1');
      states.pushBytes(document.subarray(0, end));
    },
    bytes: () => [states.bytes()],
  };
}

/** Items of the form `"<45 characters>",`: the same JSON text after every start. */
function itemPool(): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-';
  const next = random(0x17e35);
  const item = (): string => {
    let name = '';
    while (name.length < ITEM_BYTES - 3) name += alphabet[Math.floor(next() * alphabet.length)];
    return `"${name}",`;
  };
  return Buffer.from(Array.from({ length: POOL_ITEMS }, item).join(''));
}

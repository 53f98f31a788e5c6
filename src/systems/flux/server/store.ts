import { PgInt4Array, PgInt8Array } from '../pg-array.ts';
import type { Changes } from './changes.ts';
import type { WorldConfig } from './config.ts';
import type { Entities } from './entities.ts';
import { Link, LinkLost, type LinkWatch } from './link.ts';
import { columnsShape, jsonbShape, type RowShape } from './row-shape.ts';
import { loadEntities, openTable } from './table.ts';

interface StoreWatch extends LinkWatch {
  /** What became of a batch that was in flight when the connection was lost: it is written again if it had not. */
  decided(committed: boolean): void;
}

/** The entities in PostgreSQL: one connection that writes, and no other reads or writes for the game. */
export class Store {
  readonly #link: Link;
  readonly #watch: StoreWatch;
  readonly #entities: Entities;
  readonly #shape: RowShape;
  readonly #update: string;
  readonly #columns;

  private constructor(link: Link, watch: StoreWatch, entities: Entities, shape: RowShape, batchRows: number) {
    this.#link = link;
    this.#watch = watch;
    this.#entities = entities;
    this.#shape = shape;
    this.#update = updateOf(shape);
    this.#columns = {
      ids: new PgInt4Array(batchRows),
      lastSeqs: new PgInt4Array(batchRows),
      recorded: new PgInt4Array(batchRows),
      seqSums: new PgInt8Array(batchRows),
      seqHashes: new PgInt8Array(batchRows),
    };
  }

  /**
   * Connects, makes or checks the table, and restores the entities from it.
   * @throws CapbenchError (93) when PostgreSQL cannot be reached or the table is of another world.
   */
  static async open(config: WorldConfig, entities: Entities, watch: StoreWatch): Promise<Store> {
    const link = await Link.open(config, watch);
    const batchRows = Math.min(entities.count, config.batchOperations * 2);
    const shape = config.rowShape === 'jsonb' ? jsonbShape(batchRows) : columnsShape(batchRows);
    await link.done(async (client) => {
      await openTable(client, config, shape);
      await loadEntities(client, entities, shape);
    });
    return new Store(link, watch, entities, shape, batchRows);
  }

  /** PostgreSQL is away, and waited for. */
  get isAway(): boolean {
    return this.#link.isAway;
  }

  /**
   * One statement, one transaction; resolves when it has committed. Where the connection is lost meanwhile and made
   * again, the rows say whether it had, and it is written again if not: once in every case. The array parameters
   * are reused, so it must not be called again before.
   */
  async write(changes: Changes): Promise<void> {
    const values = this.#encode(changes);
    let asked = false;
    for (;;) {
      try {
        if (asked) {
          const committed = await this.#hasCommitted(changes);
          this.#watch.decided(committed);
          if (committed) return;
        }
        asked = true;
        const { rowCount } = await this.#link.query({ name: 'flux_flush', text: this.#update, values });
        if (rowCount === changes.count) return;
        throw new Error(
          `a batch of ${changes.count} rows updated ${rowCount}: rows were removed by something else`,
        );
      } catch (error) {
        if (!(error instanceof LinkLost)) throw error;
      }
      await this.#link.restored();
    }
  }

  /**
   * Whether the batch in flight has reached the rows, after the session that wrote it is gone. Every batch records
   * a number for at least one of its rows, and all of them are of one transaction: each row has the last number
   * that the batch gave it, or none has. What a PostgreSQL that commits asynchronously forgot of earlier
   * batches is not repaired: the rows then have fewer numbers than were acknowledged, for everybody to see.
   */
  async #hasCommitted(changes: Changes): Promise<boolean> {
    const expected = new Map<number, number>();
    for (let i = 0; i < changes.count; i++) {
      const index = changes.touched[i]!;
      if (changes.recorded[index]! > 0)
        expected.set(this.#entities.idOf(index), this.#entities.lastSeq[index]!);
    }
    const { rows } = await this.#link.query<{ id: number; last_seq: number }>({
      text: 'select id, last_seq from entity where id = any($1::int4[])',
      values: [[...expected.keys()]],
    });
    let [there, absent] = [0, 0];
    for (const { id, last_seq } of rows) {
      const seq = expected.get(id) ?? 0;
      if (last_seq === seq) there++;
      else if (last_seq < seq) absent++;
    }
    if (there === expected.size && there > 0) return true;
    if (absent === expected.size) return false;
    throw new Error(
      `of the ${expected.size} rows of a batch, ${there} have it and ${absent} have not: something else writes them`,
    );
  }

  /** PostgreSQL publishes a session's counts once a second at most, and not while it is idle: asks for it now. */
  async publishStatistics(): Promise<void> {
    await this.#link.query({ text: 'select pg_stat_force_next_flush()' });
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  #encode(changes: Changes): Buffer[] {
    const { damage, lastSeq, place, population } = this.#entities;
    const { ids, ...columns } = this.#columns;
    const { lastSeqs, recorded, seqSums, seqHashes } = columns;
    for (const column of [ids, this.#shape, ...Object.values(columns)]) column.reset();
    for (let i = 0; i < changes.count; i++) {
      const index = changes.touched[i]!;
      const id = this.#entities.idOf(index);
      ids.push(id);
      this.#shape.push(id, place[index]! + population.placeOffset, damage[index]!);
      lastSeqs.push(lastSeq[index]!);
      recorded.push(changes.recorded[index]!);
      seqSums.push(changes.seqSum[index]!);
      seqHashes.push(changes.seqHash[index]!);
    }
    // In the order in which they stand in the statement.
    return [ids.bytes(), ...this.#shape.bytes(), ...Object.values(columns).map((column) => column.bytes())];
  }
}

/** The arrays are unnested in the select list, in lockstep and in order: the cheapest form that is known. */
function updateOf(shape: RowShape): string {
  const [lastSeq, recorded, seqSum, seqHash] = [2, 3, 4, 5].map((n) => `$${shape.parameters + n}`);
  return `
    update entity as e
       set ${shape.assigned}, last_seq = greatest(e.last_seq, u.last_seq),
           applied_n = e.applied_n + u.recorded, seq_sum = e.seq_sum + u.seq_sum,
           seq_hash = e.seq_hash + u.seq_hash
      from (select unnest($1::int4[]) as id, ${shape.unnested}, unnest(${lastSeq}::int4[]) as last_seq,
                   unnest(${recorded}::int4[]) as recorded, unnest(${seqSum}::int8[]) as seq_sum,
                   unnest(${seqHash}::int8[]) as seq_hash) as u
     where e.id = u.id`;
}

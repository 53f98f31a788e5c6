import {
  ConnectionLost,
  type ConnectionWatcher,
  DatabaseConnection,
} from '../../../server/database-connection.ts';
import { PgInt4Array, PgInt8Array } from '../pg-array.ts';
import type { Changes } from './changes.ts';
import type { WorldConfig } from './config.ts';
import type { Entities } from './entities.ts';
import { columnsShape, jsonbShape, type RowShape } from './row-shape.ts';
import { loadEntities, lockInstance, openTable } from './table.ts';

/** How long a starting server waits until the session of its killed predecessor ends. */
const PREDECESSOR_MS = 2_000;
/** A world that stands still wants its connection back at once. */
const BACKOFF = { first: 20, most: 20 };

/**
 * The planner would choose a hash join, which scans the whole table for every batch; without it, a nested loop over the
 * primary key is left. A generic plan is made once, since it does not depend on the parameters. Durability is left to
 * PostgreSQL's own setting (synchronous_commit, on unless the scenario sets it), so that the report shows what runs.
 */
const SESSION = `
  set enable_hashjoin = off; set enable_mergejoin = off; set plan_cache_mode = force_generic_plan`;

interface StoreWatcher extends ConnectionWatcher {
  /** After a reconnect: whether the batch in flight had committed; if not, it is written again. */
  resolved(committed: boolean): void;
}

/** The entities in PostgreSQL, written over the one connection of this server. */
export class Store {
  readonly #connection: DatabaseConnection;
  readonly #watcher: StoreWatcher;
  readonly #entities: Entities;
  readonly #shape: RowShape;
  readonly #update: string;
  readonly #columns;

  private constructor(
    connection: DatabaseConnection,
    watcher: StoreWatcher,
    entities: Entities,
    shape: RowShape,
    batchRows: number,
  ) {
    this.#connection = connection;
    this.#watcher = watcher;
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
   * Connects, creates or checks the table, and loads the entities from it.
   * @throws CapbenchError (93) when PostgreSQL cannot be reached, or the table belongs to another world
   */
  static async open(config: WorldConfig, entities: Entities, watcher: StoreWatcher): Promise<Store> {
    const { database, instance, reconnectSeconds } = config;
    const connection = await DatabaseConnection.open(
      {
        ...{ database, application: `capbench-world-${instance}`, reconnectSeconds, backoff: BACKOFF },
        async prepare(client, isFirst) {
          await client.query(SESSION);
          await lockInstance(client, instance, isFirst ? PREDECESSOR_MS : reconnectSeconds * 1e3);
        },
      },
      watcher,
    );
    const batchRows = Math.min(entities.count, config.batchOperations * 2);
    const shape = config.rowShape === 'jsonb' ? jsonbShape(batchRows) : columnsShape(batchRows);
    await connection.runIdempotent(async (client) => {
      await openTable(client, config, shape);
      await loadEntities(client, entities, shape);
    });
    return new Store(connection, watcher, entities, shape, batchRows);
  }

  /** The connection is lost, and is being reopened. */
  get isDisconnected(): boolean {
    return this.#connection.isDisconnected;
  }

  /**
   * Writes a batch with one statement in one transaction, and resolves when it has committed. If the connection is lost
   * meanwhile, the rows show after the reconnect whether the batch had committed; if not, it is written again. So it is
   * written exactly once. The array parameters are reused: do not call this again before it resolves.
   */
  async write(changes: Changes): Promise<void> {
    const values = this.#encode(changes);
    let sent = false;
    for (;;) {
      try {
        if (sent) {
          const committed = await this.#hasCommitted(changes);
          this.#watcher.resolved(committed);
          if (committed) return;
        }
        sent = true;
        const { rowCount } = await this.#connection.query({ name: 'flux_flush', text: this.#update, values });
        if (rowCount === changes.count) return;
        throw new Error(
          `a batch of ${changes.count} rows updated ${rowCount}: another process has removed rows`,
        );
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
      }
      await this.#connection.restored();
    }
  }

  /**
   * Whether the batch in flight has committed, once the session that wrote it has ended. Every batch records a sequence
   * number in at least one row, and in one transaction: either all of these rows have the batch's last numbers, or none
   * has. Earlier batches that PostgreSQL lost through asynchronous commit are not repaired: the verification finds them.
   */
  async #hasCommitted(changes: Changes): Promise<boolean> {
    const expected = new Map<number, number>();
    for (let i = 0; i < changes.count; i++) {
      const index = changes.touched[i]!;
      if (changes.recorded[index]! > 0)
        expected.set(this.#entities.idOf(index), this.#entities.lastSeq[index]!);
    }
    const { rows } = await this.#connection.query<{ id: number; last_seq: number }>({
      text: 'select id, last_seq from entity where id = any($1::int4[])',
      values: [[...expected.keys()]],
    });
    let [present, absent] = [0, 0];
    for (const { id, last_seq } of rows) {
      const seq = expected.get(id) ?? 0;
      if (last_seq === seq) present++;
      else if (last_seq < seq) absent++;
    }
    if (present === expected.size && present > 0) return true;
    if (absent === expected.size) return false;
    throw new Error(
      `of the ${expected.size} rows of a batch, ${present} contain it and ${absent} do not: another process writes to them`,
    );
  }

  /** PostgreSQL publishes a session's statistics at most once a second, and not while it is idle; this forces it. */
  async publishStatistics(): Promise<void> {
    await this.#connection.query({ text: 'select pg_stat_force_next_flush()' });
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #encode(changes: Changes): Buffer[] {
    const { damage, lastSeq, place, partition } = this.#entities;
    const { ids, ...columns } = this.#columns;
    const { lastSeqs, recorded, seqSums, seqHashes } = columns;
    for (const column of [ids, this.#shape, ...Object.values(columns)]) column.reset();
    for (let i = 0; i < changes.count; i++) {
      const index = changes.touched[i]!;
      const id = this.#entities.idOf(index);
      ids.push(id);
      this.#shape.push(id, place[index]! + partition.placeOffset, damage[index]!);
      lastSeqs.push(lastSeq[index]!);
      recorded.push(changes.recorded[index]!);
      seqSums.push(changes.seqSum[index]!);
      seqHashes.push(changes.seqHash[index]!);
    }
    // In the order of the statement's parameters.
    return [ids.bytes(), ...this.#shape.bytes(), ...Object.values(columns).map((column) => column.bytes())];
  }
}

/** The arrays are unnested in the select list, in parallel and in order: the cheapest of the measured forms. */
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

import pg from 'pg';
import { messageOf, stackFailed } from '../errors.ts';
import { PgInt4Array, PgInt8Array } from '../pg-array.ts';
import type { Changes } from './changes.ts';
import type { WorldConfig } from './config.ts';
import type { Entities } from './entities.ts';
import { columnsShape, jsonbShape, type RowShape } from './row-shape.ts';
import { loadEntities, lockInstance, openTable } from './table.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * The planner would hash-join, and so scan the whole table for every batch; what is left to it is a nested loop
 * over the primary key. The plan does not depend on the parameters: it is made once. Durability is the server's
 * setting (synchronous_commit, on unless the scenario says otherwise), so that what the report shows is what runs.
 */
const SESSION = `
  set enable_hashjoin = off; set enable_mergejoin = off; set plan_cache_mode = force_generic_plan`;

/** The entities in PostgreSQL: one connection that writes, and no other reads or writes for the game. */
export class Store {
  readonly #client: pg.Client;
  readonly #entities: Entities;
  readonly #shape: RowShape;
  readonly #update: string;
  readonly #ids: PgInt4Array;
  readonly #lastSeqs: PgInt4Array;
  readonly #recorded: PgInt4Array;
  readonly #seqSums: PgInt8Array;

  private constructor(client: pg.Client, entities: Entities, shape: RowShape, batchRows: number) {
    this.#client = client;
    this.#entities = entities;
    this.#shape = shape;
    this.#update = updateOf(shape);
    this.#ids = new PgInt4Array(batchRows);
    this.#lastSeqs = new PgInt4Array(batchRows);
    this.#recorded = new PgInt4Array(batchRows);
    this.#seqSums = new PgInt8Array(batchRows);
  }

  /**
   * Connects, makes or checks the table, and restores the entities from it. `onLost` is called once, when the
   * connection ends that `close` did not end.
   * @throws CapbenchError (93) when PostgreSQL cannot be reached or the table is of another world.
   */
  static async open(config: WorldConfig, entities: Entities, onLost: (why: string) => void): Promise<Store> {
    const { database, batchOperations } = config;
    const client = new pg.Client({
      host: database.host,
      port: database.port,
      user: database.user,
      password: database.password,
      database: database.name,
      application_name: `capbench-world-${config.instance}`,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    try {
      await client.connect();
    } catch (error) {
      throw stackFailed(
        `PostgreSQL at ${database.host}, port ${database.port}, does not let "${database.user}" into "${database.name}": ${messageOf(error)}`,
        'Is it running, and are DB_SOCKET_PATH, DB_PORT, DB_USER, DB_PASSWORD and DB_NAME right?',
        error,
      );
    }
    client.on('error', (error) => onLost(messageOf(error)));
    const batchRows = Math.min(entities.count, batchOperations * 2);
    const shape = config.rowShape === 'jsonb' ? jsonbShape(batchRows) : columnsShape(batchRows);
    await client.query(SESSION);
    await lockInstance(client, config.instance);
    await openTable(client, config, shape);
    await loadEntities(client, entities, shape);
    return new Store(client, entities, shape, batchRows);
  }

  /**
   * One statement, one transaction; resolves when it has committed. The array parameters are reused, so it must
   * not be called again before.
   */
  async write(changes: Changes): Promise<void> {
    const values = this.#encode(changes);
    const { rowCount } = await this.#client.query({ name: 'flux_flush', text: this.#update, values });
    if (rowCount !== changes.count) {
      throw new Error(
        `a batch of ${changes.count} rows updated ${rowCount}: rows were removed by something else`,
      );
    }
  }

  /** PostgreSQL publishes a session's counts once a second at most, and not while it is idle: asks for it now. */
  async publishStatistics(): Promise<void> {
    await this.#client.query('select pg_stat_force_next_flush()');
  }

  async close(): Promise<void> {
    this.#client.removeAllListeners('error').on('error', () => undefined);
    await this.#client.end();
  }

  #encode(changes: Changes): Buffer[] {
    const { damage, lastSeq, place, population } = this.#entities;
    this.#ids.reset();
    this.#shape.reset();
    this.#lastSeqs.reset();
    this.#recorded.reset();
    this.#seqSums.reset();
    for (let i = 0; i < changes.count; i++) {
      const index = changes.touched[i]!;
      const id = this.#entities.idOf(index);
      this.#ids.push(id);
      this.#shape.push(id, place[index]! + population.placeOffset, damage[index]!);
      this.#lastSeqs.push(lastSeq[index]!);
      this.#recorded.push(changes.recorded[index]!);
      this.#seqSums.push(changes.seqSum[index]!);
    }
    return [
      this.#ids.bytes(),
      ...this.#shape.bytes(),
      this.#lastSeqs.bytes(),
      this.#recorded.bytes(),
      this.#seqSums.bytes(),
    ];
  }
}

/** The arrays are unnested in the select list, in lockstep and in order: the cheapest form that is known. */
function updateOf(shape: RowShape): string {
  const [lastSeq, recorded, seqSum] = [2, 3, 4].map((n) => `$${shape.parameters + n}`);
  return `
    update entity as e
       set ${shape.assigned}, last_seq = greatest(e.last_seq, u.last_seq),
           applied_n = e.applied_n + u.recorded, seq_sum = e.seq_sum + u.seq_sum
      from (select unnest($1::int4[]) as id, ${shape.unnested}, unnest(${lastSeq}::int4[]) as last_seq,
                   unnest(${recorded}::int4[]) as recorded, unnest(${seqSum}::int8[]) as seq_sum) as u
     where e.id = u.id`;
}

import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import { messageOf } from '../errors.ts';
import type { BackoffPlan } from './backoff.ts';
import { type DatabaseAccess, DatabaseConnection } from './database-connection.ts';
import { FixedHistogram, geometricBounds } from './fixed-histogram.ts';
import { counter, gauge } from './page.ts';

/** The queue is at its bound: the item was not taken. */
export class BufferFull extends Error {
  override readonly name = 'BufferFull';

  constructor(most: number) {
    super(`${most} items already wait for PostgreSQL`);
  }
}

/** The writer was closed before the item was committed. */
export class NotWritten extends Error {
  override readonly name = 'NotWritten';

  constructor() {
    super('the server stopped before PostgreSQL had committed it');
  }
}

export interface WriterPlan<T> {
  readonly database: DatabaseAccess;
  /** As in pg_stat_activity. */
  readonly application: string;
  /** A batch begins at this many items ... */
  readonly limit: number;
  /** ... or this many milliseconds after its first item, once no other batch is under way. */
  readonly intervalMs: number;
  /** Items that may wait, those of the batch under way included. */
  readonly most: number;
  /** Settings and locks of each new session. */
  prepare?(client: pg.Client, isFirst: boolean): Promise<void>;
  /**
   * Writes the items, in the order in which they were added, within a transaction of the writer. When the connection is
   * lost before the commit is confirmed, it runs again with the same items over the next connection: it must not matter
   * whether the first attempt was committed.
   */
  write(client: pg.Client, items: readonly T[]): Promise<void>;
  readonly backoff?: BackoffPlan;
  log(sentence: string): void;
}

interface Waiting<T> {
  readonly item: T;
  resolve(): void;
  reject(error: Error): void;
}

const noCounts = () => ({
  /** Transactions that were committed, and their items. */
  batches: 0,
  items: 0,
  /** Batches that were written again over a new connection. */
  retried: 0,
  /** Items that were not taken, because the queue was at its bound. */
  refused: 0,
  /** Batches that PostgreSQL refused. */
  failed: 0,
  reconnects: 0,
  /** The most items that ever waited at once. */
  longestQueue: 0,
});
type Counts = ReturnType<typeof noCounts>;

const BACKOFF: BackoffPlan = { first: 50, most: 2_000 };
const SECONDS = geometricBounds(0.0001, 1.3, 30);
const ITEMS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

/**
 * Writes items to PostgreSQL in batches, one transaction at a time, in the order in which they were added. While PostgreSQL
 * is away they wait, up to a bound, and are written when it is back.
 */
export class BatchWriter<T> {
  readonly #plan: WriterPlan<T>;
  readonly #writes: DatabaseConnection;
  /**
   * A connection of its own for reads: it sees only what is committed, and waits for no batch.
   * Its `query` throws ConnectionLost while PostgreSQL is away.
   */
  readonly connection: DatabaseConnection;
  #queue: Waiting<T>[] = [];
  #inFlight: readonly Waiting<T>[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | null = null;
  #closed = false;
  #since: number | null = null;
  readonly #counts: Counts;
  readonly #seconds = new FixedHistogram(SECONDS);
  readonly #items = new FixedHistogram(ITEMS);

  private constructor(
    plan: WriterPlan<T>,
    writes: DatabaseConnection,
    reads: DatabaseConnection,
    counts: Counts,
  ) {
    this.#plan = plan;
    this.#writes = writes;
    this.connection = reads;
    this.#counts = counts;
  }

  /** @throws CapbenchError (93) when PostgreSQL cannot be reached */
  static async open<T>(plan: WriterPlan<T>): Promise<BatchWriter<T>> {
    const { database, application, prepare, log } = plan;
    const counts = noCounts();
    const access = { database, application, reconnectSeconds: null, backoff: plan.backoff ?? BACKOFF };
    const writes = await DatabaseConnection.open(prepare === undefined ? access : { ...access, prepare }, {
      fatal: log,
      disconnected: (why) => log(`The connection to PostgreSQL was lost, reconnecting: ${why}`),
      reconnected: (millis) => {
        counts.reconnects += 1;
        log(`Reconnected to PostgreSQL after ${Math.round(millis)} ms`);
      },
    });
    // It is lost and reopened with the other one, which reports it.
    const silent = { fatal: log, disconnected: () => undefined, reconnected: () => undefined };
    return new BatchWriter(plan, writes, await DatabaseConnection.open(access, silent), counts);
  }

  /** PostgreSQL is away, and is being reconnected. */
  get isDisconnected(): boolean {
    return this.#writes.isDisconnected;
  }

  /** Items that were added and are not committed. */
  get waiting(): number {
    return this.#queue.length + this.#inFlight.length;
  }

  /** Milliseconds that the batch under way takes already, reconnecting included; 0 where there is none. */
  get stalledMillis(): number {
    return this.#since === null ? 0 : performance.now() - this.#since;
  }

  get counts(): Readonly<Counts> {
    return this.#counts;
  }

  /**
   * Resolves when the item is committed.
   * @throws BufferFull at the bound; NotWritten when the writer is closed before; an error of PostgreSQL that is not one
   * of its connection, with the whole batch
   */
  add(item: T): Promise<void> {
    if (this.#closed) return Promise.reject(new NotWritten());
    if (this.waiting >= this.#plan.most) {
      this.#counts.refused += 1;
      return Promise.reject(new BufferFull(this.#plan.most));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      this.#counts.longestQueue = Math.max(this.#counts.longestQueue, this.waiting);
      this.#schedule();
    });
  }

  /** As Prometheus text. */
  render(): string {
    const { batches, items, retried, refused, failed, reconnects } = this.#counts;
    return [
      counter('capbench_world_batches_total', batches),
      counter('capbench_world_written_items_total', items),
      counter('capbench_world_batches_retried_total', retried),
      counter('capbench_world_batches_failed_total', failed),
      counter('capbench_world_queue_refused_total', refused),
      counter('capbench_world_database_reconnects_total', reconnects),
      gauge('capbench_world_queued_operations', this.waiting),
      this.#items.render('capbench_world_batch_operations'),
      this.#seconds.render('capbench_world_flush_seconds'),
    ].join('');
  }

  /** Takes nothing more, and commits what waits; resolves to the number of items that were not committed in time. */
  async close(limitMs: number): Promise<number> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#begin();
    let isLate = false;
    let late: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      late = setTimeout(() => {
        isLate = true;
        resolve();
      }, limitMs);
    });
    while (this.#writing !== null && !isLate) await Promise.race([this.#writing, tooLate]);
    clearTimeout(late);
    const rest = [...this.#inFlight, ...this.#queue];
    this.#queue = [];
    this.#inFlight = [];
    for (const { reject } of rest) reject(new NotWritten());
    // A PostgreSQL that does not answer must not hold up the end of the server.
    const ends = [this.#writes, this.connection].map((one) => one.close().catch(() => undefined));
    await Promise.race([Promise.all(ends), pause(CLOSE_MS)]);
    return rest.length;
  }

  #schedule(): void {
    if (this.#writing !== null) return;
    if (this.#queue.length >= this.#plan.limit) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), this.#plan.intervalMs);
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing !== null || this.#queue.length === 0) return;
    this.#inFlight = this.#queue.splice(0, this.#plan.limit);
    this.#writing = this.#write(this.#inFlight).finally(() => {
      this.#writing = null;
      this.#inFlight = [];
      this.#since = null;
      if (this.#closed) this.#begin();
      else if (this.#queue.length > 0) this.#schedule();
    });
  }

  async #write(batch: readonly Waiting<T>[]): Promise<void> {
    const items = batch.map(({ item }) => item);
    this.#since = performance.now();
    let attempts = 0;
    try {
      await this.#writes.runIdempotent(async (client) => {
        attempts += 1;
        if (attempts > 1) this.#counts.retried += 1;
        await transaction(client, () => this.#plan.write(client, items));
      });
    } catch (error) {
      this.#counts.failed += 1;
      this.#plan.log(`A batch of ${items.length} could not be written: ${messageOf(error)}`);
      for (const { reject } of batch) reject(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#counts.batches += 1;
    this.#counts.items += items.length;
    this.#items.record(items.length);
    this.#seconds.record((performance.now() - this.#since) / 1e3);
    for (const { resolve } of batch) resolve();
  }
}

const CLOSE_MS = 500;
const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

async function transaction(client: pg.Client, write: () => Promise<void>): Promise<void> {
  await client.query('begin');
  try {
    await write();
  } catch (error) {
    // If the connection is lost, so is the transaction; the first error says why.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
  await client.query('commit');
}

import { performance } from 'node:perf_hooks';
import type { WebSocket } from 'ws';
import { messageOf } from '../../../errors.ts';
import { Admission } from './admission.ts';
import { Batcher, type FlushReason } from './batcher.ts';
import { Changes } from './changes.ts';
import type { WorldConfig } from './config.ts';
import { DeferredReplies } from './deferred-replies.ts';
import { Entities } from './entities.ts';
import { openGame, type WorldParts } from './game.ts';
import { type Generator, Generators } from './generators.ts';
import { Metrics } from './metrics.ts';
import { OperationQueue } from './operation-queue.ts';
import { partitionOf } from './partition.ts';
import { Places } from './places.ts';
import { Players } from './players.ts';
import { Posts } from './posts.ts';
import { ResponseTimes } from './response-times.ts';
import { Store } from './store.ts';
import { Uncommitted } from './uncommitted.ts';

/** After this long without a batch, PostgreSQL is asked to publish its statistics. */
const IDLE_MS = 500;
const CLOSE_GOING_AWAY = 1001;
const CLOSING_MS = 1_000;

/** One world server without its HTTP server: operations arrive through `players` and `admission`, and are written in batches. */
export class World {
  readonly config: WorldConfig;
  readonly entities: Entities;
  readonly players: Players;
  readonly generators: Generators;
  readonly admission: Admission;
  readonly metrics = new Metrics();
  readonly #parts: WorldParts;
  readonly #apply: ReturnType<typeof openGame>;
  readonly #batcher: Batcher;
  readonly #responses: ResponseTimes;
  readonly #onFatal: (why: string) => void;
  readonly #log: (sentence: string) => void;
  #store: Store | undefined;
  state: 'starting' | 'open' | 'closing' = 'starting';
  /** A batch is in flight: the entities in memory are ahead of their rows. */
  #inFlight = false;
  #idleTimer: NodeJS.Timeout | undefined;

  /** `onFatal` must end the process; unacknowledged operations stay unacknowledged. */
  constructor(config: WorldConfig, onFatal: (why: string) => void, log: (sentence: string) => void) {
    const partition = partitionOf(config, config.instance);
    this.config = config;
    this.#onFatal = onFatal;
    this.#log = log;
    this.entities = new Entities(partition);
    const parts: WorldParts = {
      places: new Places(partition.places, partition.placeOffset),
      entities: this.entities,
      metrics: this.metrics,
      queue: new OperationQueue(),
      posts: new Posts(),
      replies: new DeferredReplies(this.entities, this.metrics),
      uncommitted: new Uncommitted(this.entities.players, config.batchOperations),
      changes: new Changes(this.entities.count, config.batchOperations),
    };
    this.#parts = parts;
    this.#responses = new ResponseTimes(config.batchOperations);
    this.#batcher = new Batcher(parts.queue, config.batchOperations, config.batchMillis, (count, reason) =>
      this.#flush(count, reason),
    );
    const queued = (): void => this.#batcher.queued();
    this.#apply = openGame(parts);
    this.players = new Players(parts, queued);
    this.admission = new Admission(parts.queue, parts.posts, queued);
    this.generators = new Generators(this.entities, this.metrics, (closed) =>
      this.admission.refuseAll(closed),
    );
  }

  /** The connection to PostgreSQL is lost, and is being reopened. */
  get isDatabaseDown(): boolean {
    return this.#store?.isDisconnected ?? false;
  }

  /** @throws CapbenchError (93) when the entities cannot be loaded */
  async open(): Promise<void> {
    this.#store = await Store.open(this.config, this.entities, {
      fatal: this.#onFatal,
      disconnected: (why) => this.#log(`The connection to PostgreSQL was lost, reconnecting: ${why}`),
      reconnected: (millis) => {
        this.metrics.databaseReconnects++;
        this.#log(`Reconnected to PostgreSQL after ${Math.round(millis)} ms`);
      },
      resolved: (committed) =>
        this.#log(
          `The batch in flight ${committed ? 'had committed' : 'had not committed and is written again'}`,
        ),
    });
    if (this.state === 'starting') this.state = 'open';
  }

  attachGenerator(generator: Generator, socket: WebSocket): void {
    this.generators.attach(generator, socket);
    if (!this.#inFlight) this.generators.welcome();
  }

  renderMetrics(): string {
    return this.metrics.render({
      connections: this.#parts.replies.connected,
      queued: this.#parts.queue.length,
      entities: this.entities.count,
    });
  }

  /** Accepts nothing more, commits and answers the queued operations, and closes all connections. */
  async close(): Promise<void> {
    this.state = 'closing';
    this.players.stop(CLOSE_GOING_AWAY, 'the server is stopping');
    this.admission.close();
    await this.#batcher.drain();
    clearTimeout(this.#idleTimer);
    this.#parts.replies.closeAll(CLOSE_GOING_AWAY, 'the server is stopping');
    this.generators.close(CLOSE_GOING_AWAY, 'the server is stopping');
    const deadline = performance.now() + CLOSING_MS;
    while (this.#parts.replies.connected + this.generators.connected > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await this.#store?.close();
  }

  /** One batch: applies it in memory, writes it, and answers after the commit. */
  async #flush(count: number, reason: FlushReason): Promise<void> {
    clearTimeout(this.#idleTimer);
    this.#responses.begin(this.#parts.queue, count);
    this.#inFlight = true;
    this.#apply(count);
    this.#parts.queue.drop(count);
    this.admission.admitWaiting();
    try {
      await this.#write();
    } catch (error) {
      this.#onFatal(`a batch could not be written: ${messageOf(error)}`);
      return;
    }
    this.#inFlight = false;
    // Invariant: acks, events, commits and welcomes are sent after the commit, never before.
    this.#parts.replies.deliver();
    this.#parts.posts.report();
    this.#parts.uncommitted.committed();
    this.players.welcomeArrived();
    this.generators.welcome();
    this.#responses.end(this.metrics.responseSeconds);
    this.metrics.batches[reason]++;
    this.metrics.batchOperations.record(count);
    // The store reports a lost connection itself.
    const publish = () => void this.#store?.publishStatistics().catch(() => undefined);
    if (this.#parts.queue.length === 0) this.#idleTimer = setTimeout(publish, IDLE_MS);
  }

  async #write(): Promise<void> {
    if (this.#store === undefined) throw new Error('the table is not open');
    // A batch may consist of used sequence numbers only, and then changes nothing.
    if (this.#parts.changes.count === 0) return;
    this.#parts.changes.sort();
    const started = performance.now();
    await this.#store.write(this.#parts.changes);
    this.metrics.flushSeconds.record((performance.now() - started) / 1e3);
    this.metrics.rowWrites += this.#parts.changes.count;
  }
}

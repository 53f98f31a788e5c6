import { performance } from 'node:perf_hooks';
import type { WebSocket } from 'ws';
import { messageOf } from '../../../errors.ts';
import { Admission } from './admission.ts';
import { Batcher, type FlushReason } from './batcher.ts';
import { Changes } from './changes.ts';
import type { WorldConfig } from './config.ts';
import { Entities } from './entities.ts';
import { openGame, type WorldParts } from './game.ts';
import { type Generator, Generators } from './generators.ts';
import { Metrics } from './metrics.ts';
import { OperationQueue } from './operation-queue.ts';
import { Outbox } from './outbox.ts';
import { Places } from './places.ts';
import { Players } from './players.ts';
import { populationOf } from './population.ts';
import { Posts } from './posts.ts';
import { ResponseClock } from './response-clock.ts';
import { Store } from './store.ts';
import { Unsettled } from './unsettled.ts';

/** After this long without a batch, PostgreSQL is asked to publish what the last ones did. */
const IDLE_MS = 500;
const CLOSE_GOING_AWAY = 1001;
const CLOSING_MS = 1_000;

/**
 * One world server without its HTTP side: operations come in through `players` and `admission`, and leave in
 * batches. Starting until `open` has resolved, then open, then closing.
 */
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
  readonly #responses: ResponseClock;
  readonly #onFatal: (why: string) => void;
  readonly #log: (sentence: string) => void;
  #store: Store | undefined;
  state: 'starting' | 'open' | 'closing' = 'starting';
  /** The entities are ahead of their rows. */
  #inFlight = false;
  #idleTimer: NodeJS.Timeout | undefined;

  /** `onFatal` must end the process: operations that were not acknowledged stay so. */
  constructor(config: WorldConfig, onFatal: (why: string) => void, log: (sentence: string) => void) {
    const population = populationOf(config, config.instance);
    this.config = config;
    this.#onFatal = onFatal;
    this.#log = log;
    this.entities = new Entities(population);
    const parts: WorldParts = {
      places: new Places(population.places, population.placeOffset),
      entities: this.entities,
      metrics: this.metrics,
      queue: new OperationQueue(),
      posts: new Posts(),
      outbox: new Outbox(this.entities, this.metrics),
      unsettled: new Unsettled(this.entities.players, config.batchOperations),
      changes: new Changes(this.entities.count, config.batchOperations),
    };
    this.#parts = parts;
    this.#responses = new ResponseClock(config.batchOperations);
    this.#batcher = new Batcher(parts.queue, config.batchOperations, config.batchMillis, (count, reason) =>
      this.#flush(count, reason),
    );
    const queued = (): void => this.#batcher.queued();
    this.#apply = openGame(parts);
    this.players = new Players(parts, queued);
    this.admission = new Admission(parts.queue, parts.posts, queued);
    this.generators = new Generators(this.entities, this.metrics, (lost) => this.admission.giveUp(lost));
  }

  /** PostgreSQL was lost, and is waited for. */
  get isDatabaseAway(): boolean {
    return this.#store?.isAway ?? false;
  }

  /** @throws CapbenchError (93) when the rows cannot be had. */
  async open(): Promise<void> {
    this.#store = await Store.open(this.config, this.entities, {
      fatal: this.#onFatal,
      away: (why) => this.#log(`PostgreSQL is away, and waited for: ${why}`),
      back: (millis) => {
        this.metrics.databaseReconnects++;
        this.#log(`PostgreSQL is back after ${Math.round(millis)} ms`);
      },
      decided: (committed) =>
        this.#log(
          `The batch in flight ${committed ? 'had committed' : 'had not committed, and is written again'}`,
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
      connections: this.#parts.outbox.connected,
      queued: this.#parts.queue.length,
      entities: this.entities.count,
    });
  }

  /** Takes nothing more, commits and answers what is queued, and says goodbye. */
  async close(): Promise<void> {
    this.state = 'closing';
    this.players.stop(CLOSE_GOING_AWAY, 'the server stops');
    this.admission.close();
    await this.#batcher.drain();
    clearTimeout(this.#idleTimer);
    this.#parts.outbox.closeAll(CLOSE_GOING_AWAY, 'the server stops');
    this.generators.close(CLOSE_GOING_AWAY, 'the server stops');
    const deadline = performance.now() + CLOSING_MS;
    while (this.#parts.outbox.connected + this.generators.connected > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await this.#store?.close();
  }

  /** One batch: apply in memory, write, and only after the commit answer. */
  async #flush(count: number, reason: FlushReason): Promise<void> {
    clearTimeout(this.#idleTimer);
    this.#responses.begin(this.#parts.queue, count);
    // From here to the commit the entities in memory are ahead of their rows, by this one batch.
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
    // The batch has committed: an answer, event, report or welcome leaves from here on, and never earlier.
    this.#parts.outbox.deliver();
    this.#parts.posts.report();
    this.#parts.unsettled.committed();
    this.players.welcomeSettled();
    this.generators.welcome();
    this.#responses.end(this.metrics.responseSeconds);
    this.metrics.batches[reason]++;
    this.metrics.batchOperations.record(count);
    // A lost connection is reported by the store itself.
    const publish = () => void this.#store?.publishStatistics().catch(() => undefined);
    if (this.#parts.queue.length === 0) this.#idleTimer = setTimeout(publish, IDLE_MS);
  }

  async #write(): Promise<void> {
    if (this.#store === undefined) throw new Error('the table is not open');
    // A batch of used numbers alone changes nothing.
    if (this.#parts.changes.count === 0) return;
    this.#parts.changes.sort();
    const started = performance.now();
    await this.#store.write(this.#parts.changes);
    this.metrics.flushSeconds.record((performance.now() - started) / 1e3);
    this.metrics.rowWrites += this.#parts.changes.count;
  }
}

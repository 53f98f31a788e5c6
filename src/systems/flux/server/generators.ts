import { performance } from 'node:perf_hooks';
import type { WebSocket } from 'ws';
import type { Entities } from './entities.ts';
import type { Metrics } from './metrics.ts';
import { sendText } from './wire.ts';

/**
 * A process that sends monster commands to `POST /commands` and receives commits over `GET /commits`. Commits are not kept
 * for a generator without a socket.
 */
export class Generator {
  readonly id: string;
  /** Number of its posts that are queued or in flight. */
  uncommitted = 0;
  readonly #metrics: Metrics;
  #socket: WebSocket | undefined;
  #welcomed = false;
  /** When its last socket closed, in ms of performance.now(). */
  #closedAt: number | undefined;

  constructor(id: string, metrics: Metrics) {
    this.id = id;
    this.#metrics = metrics;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /**
   * After the loss of a generator's socket, posts that it had sent before are refused, however late they arrive: only posts
   * after the next welcome count, over connections that were opened after the loss.
   */
  acceptsPostsOver(connectedAt: number): boolean {
    return this.#closedAt === undefined || (this.#welcomed && connectedAt > this.#closedAt);
  }

  attach(socket: WebSocket, onClosed: () => void): void {
    this.#socket = socket;
    socket.on('close', () => {
      this.#socket = undefined;
      this.#welcomed = false;
      this.#closedAt = performance.now();
      onClosed();
    });
  }

  welcome(lastSeq: number[] | null): void {
    this.#welcomed = true;
    this.send(JSON.stringify({ welcome: { generator: this.id, lastSeq } }));
  }

  /** Drops commits of posts that were sent before the welcome. */
  send(text: string): void {
    if (this.#socket !== undefined && this.#welcomed) sendText(this.#socket, text, this.#metrics);
  }

  close(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }
}

const ID = /^[\w.-]{1,64}$/;
const MAX_GENERATORS = 1_000;

/** The known generators, by id. */
export class Generators {
  readonly #byId = new Map<string, Generator>();
  /** Generators that are connected and not welcomed yet. */
  readonly #arriving = new Set<Generator>();
  readonly #entities: Entities;
  readonly #metrics: Metrics;
  readonly #onClosed: (generator: Generator) => void;

  constructor(entities: Entities, metrics: Metrics, onClosed: (generator: Generator) => void) {
    this.#entities = entities;
    this.#metrics = metrics;
    this.#onClosed = onClosed;
  }

  /** Undefined for a malformed id (not 1 to 64 letters, digits, `_`, `-`, `.`), or if 1,000 others are connected. */
  find(id: string | null): Generator | undefined {
    if (id === null || !ID.test(id)) return undefined;
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    if (this.#byId.size >= MAX_GENERATORS && !this.#evictOne()) return undefined;
    const generator = new Generator(id, this.#metrics);
    this.#byId.set(id, generator);
    return generator;
  }

  /** Removes the oldest generator without a socket: invented ids must not use up the limit. */
  #evictOne(): boolean {
    for (const { id, connected } of this.#byId.values()) if (!connected) return this.#byId.delete(id);
    return false;
  }

  get connected(): number {
    let connected = 0;
    for (const generator of this.#byId.values()) if (generator.connected) connected++;
    return connected;
  }

  /** The generator is welcomed by the next `welcome`. */
  attach(generator: Generator, socket: WebSocket): void {
    this.#arriving.add(generator);
    generator.attach(socket, () => {
      this.#arriving.delete(generator);
      this.#onClosed(generator);
    });
  }

  /**
   * Welcomes the arrived generators that have nothing queued. Call this when no batch is in flight: then the sequence
   * numbers in memory are those of the rows.
   */
  welcome(): void {
    if (this.#arriving.size === 0) return;
    const ready = [...this.#arriving].filter(({ uncommitted }) => uncommitted === 0);
    if (ready.length === 0) return;
    const lastSeq = monsterSequences(this.#entities);
    for (const generator of ready) {
      this.#arriving.delete(generator);
      generator.welcome(lastSeq);
    }
  }

  close(code: number, reason: string): void {
    for (const generator of this.#byId.values()) generator.close(code, reason);
  }
}

/** The last sequence number of each monster, in the order of ids; null when none has been used yet. */
function monsterSequences(entities: Entities): number[] | null {
  const last = entities.lastSeq.subarray(entities.players);
  return last.some((seq) => seq > 0) ? Array.from(last) : null;
}

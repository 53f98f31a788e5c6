import { performance } from 'node:perf_hooks';
import type { WebSocket } from 'ws';
import type { Entities } from './entities.ts';
import type { Metrics } from './metrics.ts';
import { sendText } from './wire.ts';

/**
 * One process that posts monster commands. It is heard from at `POST /commands` and told at `GET /commits`;
 * what is committed while it has no socket is not kept for it.
 */
export class Generator {
  readonly id: string;
  /** Its posts that are queued or in flight. */
  unsettled = 0;
  readonly #metrics: Metrics;
  #socket: WebSocket | undefined;
  #welcomed = false;
  /** When its last socket closed, in ms of performance.now(). */
  #lostAt: number | undefined;

  constructor(id: string, metrics: Metrics) {
    this.id = id;
    this.#metrics = metrics;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /**
   * Once a generator has lost its socket, what it had sent until then is not taken any more, however late it comes
   * to light: only posts that come after the next welcome, over connections that are younger than the loss.
   */
  takesPostsOf(connectedAt: number): boolean {
    return this.#lostAt === undefined || (this.#welcomed && connectedAt > this.#lostAt);
  }

  attach(socket: WebSocket, lost: () => void): void {
    this.#socket = socket;
    // Nothing is expected from it: what it sends is read and forgotten.
    socket.on('close', () => {
      this.#socket = undefined;
      this.#welcomed = false;
      this.#lostAt = performance.now();
      lost();
    });
  }

  welcome(lastSeq: number[] | null): void {
    this.#welcomed = true;
    this.send(JSON.stringify({ welcome: { generator: this.id, lastSeq } }));
  }

  /** Nothing that was posted before its welcome is reported after it. */
  send(text: string): void {
    if (this.#socket !== undefined && this.#welcomed) sendText(this.#socket, text, this.#metrics);
  }

  close(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }
}

const ID = /^[\w.-]{1,64}$/;
const MAX_GENERATORS = 1_000;

/** The generators that were heard of, by id. */
export class Generators {
  readonly #byId = new Map<string, Generator>();
  /** Connected, and not yet welcomed. */
  readonly #arriving = new Set<Generator>();
  readonly #entities: Entities;
  readonly #metrics: Metrics;
  readonly #lost: (generator: Generator) => void;

  /** `lost` is told of a generator whose socket has closed. */
  constructor(entities: Entities, metrics: Metrics, lost: (generator: Generator) => void) {
    this.#entities = entities;
    this.#metrics = metrics;
    this.#lost = lost;
  }

  /** Undefined for what is no id (1 to 64 letters, digits, `_`, `-`, `.`), and while 1,000 others are connected. */
  named(id: string | null): Generator | undefined {
    if (id === null || !ID.test(id)) return undefined;
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    if (this.#byId.size >= MAX_GENERATORS && !this.#forgetOne()) return undefined;
    const generator = new Generator(id, this.#metrics);
    this.#byId.set(id, generator);
    return generator;
  }

  /** The one heard of first that has no socket: ids that anybody makes up must not keep out who comes later. */
  #forgetOne(): boolean {
    for (const { id, connected } of this.#byId.values()) if (!connected) return this.#byId.delete(id);
    return false;
  }

  get connected(): number {
    let connected = 0;
    for (const generator of this.#byId.values()) if (generator.connected) connected++;
    return connected;
  }

  /** It is welcomed at the next `welcome`. */
  attach(generator: Generator, socket: WebSocket): void {
    this.#arriving.add(generator);
    generator.attach(socket, () => {
      this.#arriving.delete(generator);
      this.#lost(generator);
    });
  }

  /**
   * To be called when a generator has arrived or a batch has committed, and none is in flight: the numbers that
   * the entities have are those of their rows then. Welcomes those who have nothing queued.
   */
  welcome(): void {
    if (this.#arriving.size === 0) return;
    const settled = [...this.#arriving].filter(({ unsettled }) => unsettled === 0);
    if (settled.length === 0) return;
    const lastSeq = monsterSequences(this.#entities);
    for (const generator of settled) {
      this.#arriving.delete(generator);
      generator.welcome(lastSeq);
    }
  }

  close(code: number, reason: string): void {
    for (const generator of this.#byId.values()) generator.close(code, reason);
  }
}

/** The last number of each monster, in id order; null when none has been used yet. */
function monsterSequences(entities: Entities): number[] | null {
  const last = entities.lastSeq.subarray(entities.players);
  return last.some((seq) => seq > 0) ? Array.from(last) : null;
}

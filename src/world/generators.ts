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
  readonly #metrics: Metrics;
  #socket: WebSocket | undefined;

  constructor(id: string, metrics: Metrics) {
    this.id = id;
    this.#metrics = metrics;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  attach(socket: WebSocket, lastSeq: number[] | null): void {
    this.#socket = socket;
    socket.on('close', () => {
      this.#socket = undefined;
    });
    // Nothing is expected from it: what it sends is read and forgotten.
    this.send(JSON.stringify({ welcome: { generator: this.id, lastSeq } }));
  }

  send(text: string): void {
    if (this.#socket !== undefined) sendText(this.#socket, text, this.#metrics);
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
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Undefined for what is no id (1 to 64 letters, digits, `_`, `-`, `.`), and beyond 1,000 of them. */
  named(id: string | null): Generator | undefined {
    if (id === null || !ID.test(id)) return undefined;
    const known = this.#byId.get(id);
    if (known !== undefined || this.#byId.size >= MAX_GENERATORS) return known;
    const generator = new Generator(id, this.#metrics);
    this.#byId.set(id, generator);
    return generator;
  }

  get connected(): number {
    let connected = 0;
    for (const generator of this.#byId.values()) if (generator.connected) connected++;
    return connected;
  }

  close(code: number, reason: string): void {
    for (const generator of this.#byId.values()) generator.close(code, reason);
  }
}

/** The number from which each monster goes on, in id order; null when none has been used yet. */
export function monsterSequences(entities: Entities): number[] | null {
  const taken = entities.takenSeq.subarray(entities.players);
  return taken.some((seq) => seq > 0) ? Array.from(taken) : null;
}

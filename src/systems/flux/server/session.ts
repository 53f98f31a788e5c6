import type { WebSocket } from 'ws';
import type { Metrics } from './metrics.ts';
import { sendText } from './wire.ts';

/** The server stops reading from a client with this many unanswered intents (backpressure); capbench has at most four. */
const PAUSE_AT = 32;
const RESUME_AT = 8;

/**
 * One connected player, from its welcome to the close of its connection. The number distinguishes it from other connections
 * of the same player, so that no connection receives the answers of another.
 */
export class Session {
  readonly number: number;
  /** Local index. */
  readonly player: number;
  readonly #socket: WebSocket;
  /** Not sent yet: JSON objects, comma separated. */
  acks = '';
  events = '';
  #unanswered = 0;

  constructor(number: number, player: number, socket: WebSocket) {
    this.number = number;
    this.player = player;
    this.#socket = socket;
  }

  /** False as soon as either end has started to close. */
  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  received(): void {
    if (++this.#unanswered >= PAUSE_AT) this.#socket.pause();
  }

  /** A new connection of the player was refused: a paused socket must be read to notice that it has ended. */
  checkConnection(): void {
    this.#socket.resume();
  }

  answered(): void {
    if (--this.#unanswered === RESUME_AT) this.#socket.resume();
  }

  /** Sends all pending acks and events in one frame. */
  deliver(metrics: Metrics): void {
    const acks = this.acks === '' ? '' : `"acks":[${this.acks}]`;
    const events = this.events === '' ? '' : `"events":[${this.events}]`;
    const comma = acks === '' || events === '' ? '' : ',';
    this.acks = '';
    this.events = '';
    sendText(this.#socket, `{${acks}${comma}${events}}`, metrics);
  }

  close(code: number, reason: string): void {
    this.#socket.resume(); // a paused socket would not read the close frame of the client
    this.#socket.close(code, reason);
  }
}

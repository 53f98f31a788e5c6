import type { WebSocket } from 'ws';
import type { Metrics } from './metrics.ts';
import { sendText } from './wire.ts';

/** A client keeps at most four unanswered; one that does not is not read from until it was answered. */
const PAUSE_AT = 32;
const RESUME_AT = 8;

/**
 * One connected player. Open from its welcome to its close; the number tells it from an earlier or later
 * connection of the same player, whose answers are not its own.
 */
export class Session {
  readonly number: number;
  /** Local index. */
  readonly player: number;
  readonly #socket: WebSocket;
  /** Owed since the last frame: JSON objects, comma separated. */
  acks = '';
  events = '';
  #unanswered = 0;

  constructor(number: number, player: number, socket: WebSocket) {
    this.number = number;
    this.player = player;
    this.#socket = socket;
  }

  /** False from the first word of a goodbye on, whoever says it. */
  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  received(): void {
    if (++this.#unanswered >= PAUSE_AT) this.#socket.pause();
  }

  /** Somebody else wants its place: whether the connection has ended shows only when it is read. */
  look(): void {
    this.#socket.resume();
  }

  answered(): void {
    if (--this.#unanswered === RESUME_AT) this.#socket.resume();
  }

  /** All that is owed, in one frame. */
  deliver(metrics: Metrics): void {
    const acks = this.acks === '' ? '' : `"acks":[${this.acks}]`;
    const events = this.events === '' ? '' : `"events":[${this.events}]`;
    const comma = acks === '' || events === '' ? '' : ',';
    this.acks = '';
    this.events = '';
    sendText(this.#socket, `{${acks}${comma}${events}}`, metrics);
  }

  close(code: number, reason: string): void {
    this.#socket.resume(); // a paused socket would not see the answer to its close
    this.#socket.close(code, reason);
  }
}

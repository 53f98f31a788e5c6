import { performance } from 'node:perf_hooks';
import type { WebSocket } from 'ws';
import { type Entities, viewOf } from './entities.ts';
import { parseIntent, quotedOf } from './intent.ts';
import type { Metrics } from './metrics.ts';
import type { OperationQueue } from './operation-queue.ts';
import type { Outbox } from './outbox.ts';
import type { Places } from './places.ts';
import type { Unsettled } from './unsettled.ts';
import { receivedBytes, sendText } from './wire.ts';

/** A client keeps at most four unanswered; one that does not is not read from until it was answered. */
const PAUSE_AT = 32;
const RESUME_AT = 8;

const MAX_SEQ = 2 ** 31 - 1;

/** RFC 6455, section 7.4.1: data that is not what the protocol says. */
const CLOSE_MALFORMED = 1007;

/** What a player sent, when it is what the protocol says. */
interface Intent {
  readonly seq: number;
  readonly text: string;
}

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

/** Takes in players: welcome, intents into the queue, goodbye. */
export class Players {
  readonly #entities: Entities;
  readonly #places: Places;
  readonly #queue: OperationQueue;
  readonly #outbox: Outbox;
  readonly #metrics: Metrics;
  readonly #unsettled: Unsettled;
  readonly #queued: () => void;
  /** Connected, and not yet welcomed. */
  readonly #arriving = new Map<number, WebSocket>();
  #sessions = 0;
  #stopped = false;

  constructor(
    world: {
      entities: Entities;
      places: Places;
      queue: OperationQueue;
      outbox: Outbox;
      unsettled: Unsettled;
      metrics: Metrics;
    },
    queued: () => void,
  ) {
    this.#entities = world.entities;
    this.#places = world.places;
    this.#queue = world.queue;
    this.#outbox = world.outbox;
    this.#unsettled = world.unsettled;
    this.#metrics = world.metrics;
    this.#queued = queued;
  }

  isConnected(player: number): boolean {
    this.#outbox.session(player)?.look();
    return this.#outbox.session(player) !== null || this.#arriving.has(player);
  }

  /** From here on the player is connected; it is welcomed when nothing that it sent before is on its way any more. */
  admit(player: number, socket: WebSocket): void {
    if (!this.#unsettled.has(player)) {
      this.#welcome(player, socket);
      return;
    }
    this.#arriving.set(player, socket);
    socket.on('close', () => {
      if (this.#arriving.get(player) === socket) this.#arriving.delete(player);
    });
    socket.on('message', () => {
      if (this.#arriving.get(player) === socket) socket.close(CLOSE_MALFORMED, 'the welcome comes first');
    });
  }

  /** To be called when a batch has committed. */
  welcomeSettled(): void {
    for (const [player, socket] of this.#arriving) {
      if (this.#unsettled.has(player)) continue;
      this.#arriving.delete(player);
      if (socket.readyState === socket.OPEN) this.#welcome(player, socket);
    }
  }

  /** From here on intents are not taken, and stay unanswered. */
  stop(code: number, reason: string): void {
    this.#stopped = true;
    for (const socket of this.#arriving.values()) socket.close(code, reason);
  }

  #welcome(player: number, socket: WebSocket): void {
    this.#sessions = (this.#sessions + 1) & MAX_SEQ;
    const session = new Session(this.#sessions, player, socket);
    this.#outbox.open(session);
    socket.on('close', () => this.#outbox.close(session));
    socket.on('message', (data: Buffer, isBinary) => this.#receive(session, data, isBinary));
    const view = viewOf(this.#entities, this.#places, player);
    const lastSeq = this.#entities.lastSeq[player] ?? 0;
    const welcome = `{"welcome":{"player":${this.#entities.idOf(player)},${view},"lastSeq":${lastSeq}}}`;
    sendText(socket, welcome, this.#metrics);
  }

  #receive(session: Session, data: Buffer, isBinary: boolean): void {
    if (this.#stopped || !session.isOpen) return;
    this.#metrics.bytesIn += receivedBytes(data.length);
    const intent = isBinary ? undefined : intentOf(data.toString());
    if (intent === undefined) {
      session.close(CLOSE_MALFORMED, 'an intent is {"seq":1,"text":"look"}');
      return;
    }
    const { player } = session;
    const command = parseIntent(intent.text);
    const quoted = quotedOf(command, intent.text);
    this.#queue.push(player, command, intent.seq, session.number, performance.now(), quoted);
    this.#unsettled.queued(player);
    session.received();
    this.#queued();
  }
}

function intentOf(text: string): Intent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('seq' in value) || !('text' in value))
    return undefined;
  const { seq, text: words } = value;
  return isSequence(seq) && typeof words === 'string' ? { seq, text: words } : undefined;
}

/** Sequence numbers are int4, from 1. */
export const isSequence = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_SEQ;

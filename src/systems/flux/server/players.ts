import { performance } from 'node:perf_hooks';
import type { WebSocket } from 'ws';
import { viewOf } from './entities.ts';
import type { WorldParts } from './game.ts';
import { parseIntent, quotedOf } from './intent.ts';
import { Session } from './session.ts';
import { receivedBytes, sendText } from './wire.ts';

const MAX_SEQ = 2 ** 31 - 1;

/** RFC 6455, section 7.4.1: the data does not match the type of the message. */
const CLOSE_MALFORMED = 1007;

/** Handles players: welcomes them, queues their intents, closes their connections. */
export class Players {
  readonly #world: WorldParts;
  readonly #queued: () => void;
  /** Players who are connected and not welcomed yet. */
  readonly #arriving = new Map<number, WebSocket>();
  #sessions = 0;
  #stopped = false;

  constructor(world: WorldParts, queued: () => void) {
    this.#world = world;
    this.#queued = queued;
  }

  isConnected(player: number): boolean {
    this.#world.replies.session(player)?.checkConnection();
    return this.#world.replies.session(player) !== null || this.#arriving.has(player);
  }

  /** Connects a player. It is welcomed once everything that it sent over an earlier connection has committed. */
  admit(player: number, socket: WebSocket): void {
    if (!this.#world.uncommitted.has(player)) {
      this.#welcome(player, socket);
      return;
    }
    this.#arriving.set(player, socket);
    socket.on('close', () => {
      if (this.#arriving.get(player) === socket) this.#arriving.delete(player);
    });
    socket.on('message', () => {
      if (this.#arriving.get(player) === socket)
        socket.close(CLOSE_MALFORMED, 'a message before the welcome');
    });
  }

  /** Call this after each commit. */
  welcomeArrived(): void {
    for (const [player, socket] of this.#arriving) {
      if (this.#world.uncommitted.has(player)) continue;
      this.#arriving.delete(player);
      if (socket.readyState === socket.OPEN) this.#welcome(player, socket);
    }
  }

  /** Ignores further intents, which stay unanswered. */
  stop(code: number, reason: string): void {
    this.#stopped = true;
    for (const socket of this.#arriving.values()) socket.close(code, reason);
  }

  #welcome(player: number, socket: WebSocket): void {
    const { entities, places, replies, metrics } = this.#world;
    this.#sessions = (this.#sessions + 1) & MAX_SEQ;
    const session = new Session(this.#sessions, player, socket);
    replies.open(session);
    socket.on('close', () => replies.close(session));
    socket.on('message', (data: Buffer, isBinary) => this.#receive(session, data, isBinary));
    const lastSeq = entities.lastSeq[player] ?? 0;
    const view = viewOf(entities, places, player);
    const welcome = `{"welcome":{"player":${entities.idOf(player)},${view},"lastSeq":${lastSeq}}}`;
    sendText(socket, welcome, metrics);
  }

  #receive(session: Session, data: Buffer, isBinary: boolean): void {
    if (this.#stopped || !session.isOpen) return;
    this.#world.metrics.bytesIn += receivedBytes(data.length);
    const intent = isBinary ? undefined : intentOf(data.toString());
    if (intent === undefined) {
      session.close(CLOSE_MALFORMED, 'expected an intent such as {"seq":1,"text":"look"}');
      return;
    }
    const { player } = session;
    const command = parseIntent(intent.text);
    const quoted = quotedOf(command, intent.text);
    this.#world.queue.push(player, command, intent.seq, session.number, performance.now(), quoted);
    this.#world.uncommitted.queued(player);
    session.received();
    this.#queued();
  }
}

/** Parses an intent; undefined when it is malformed. */
function intentOf(text: string): { readonly seq: number; readonly text: string } | undefined {
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

/** Sequence numbers are int4 and begin at 1. */
export const isSequence = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_SEQ;

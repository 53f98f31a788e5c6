import type { Entities } from './entities.ts';
import type { Metrics } from './metrics.ts';
import type { Session } from './session.ts';

/**
 * Acks and events that are held back until the batch in flight has committed. They are collected while the batch is applied
 * and sent after its commit; one list is enough, since at most one batch is in flight.
 */
export class DeferredReplies {
  readonly #entities: Entities;
  readonly #metrics: Metrics;
  /** By local index of the player; null while it is not connected. */
  readonly #sessions: (Session | null)[];
  /** Sessions with something to send. */
  #pending: Session[] = [];
  connected = 0;

  constructor(entities: Entities, metrics: Metrics) {
    this.#entities = entities;
    this.#metrics = metrics;
    this.#sessions = new Array<Session | null>(entities.players).fill(null);
  }

  session(player: number): Session | null {
    return this.#sessions[player] ?? null;
  }

  open(session: Session): void {
    this.#sessions[session.player] = session;
    this.connected++;
  }

  close(session: Session): void {
    this.#sessions[session.player] = null;
    this.connected--;
  }

  /** Queues an ack for the connection that sent the intent; if that has ended, the ack is dropped. */
  ack(player: number, sessionNumber: number, ack: string): void {
    const session = this.session(player);
    if (session === null || session.number !== sessionNumber) return;
    session.answered();
    this.#markPending(session);
    session.acks = session.acks === '' ? ack : `${session.acks},${ack}`;
  }

  /** Queues an event for every connected player in the place, except the one who acted. */
  broadcast(place: number, actor: number, event: string): void {
    let player = this.#entities.firstPlayerIn(place);
    while (player !== -1) {
      const session = player === actor ? null : this.session(player);
      if (session !== null) {
        this.#markPending(session);
        session.events = session.events === '' ? event : `${session.events},${event}`;
      }
      player = this.#entities.nextPlayer(player);
    }
  }

  /** Sends everything. Call this after the commit. */
  deliver(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const session of pending) session.deliver(this.#metrics);
  }

  closeAll(code: number, reason: string): void {
    for (const session of this.#sessions) session?.close(code, reason);
  }

  #markPending(session: Session): void {
    if (session.acks === '' && session.events === '') this.#pending.push(session);
  }
}

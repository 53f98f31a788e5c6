import type { Entities } from './entities.ts';
import type { Metrics } from './metrics.ts';
import type { Session } from './session.ts';

/**
 * What players are owed when the batch in flight has committed. It is filled while the batch is applied, and
 * delivered after its commit: nothing leaves before, for there is one batch in flight at most.
 */
export class Outbox {
  readonly #entities: Entities;
  readonly #metrics: Metrics;
  /** By local index of the player; null while it is not connected. */
  readonly #sessions: (Session | null)[];
  #owing: Session[] = [];
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

  /** An answer goes to the connection that asked, or to nobody. */
  answer(player: number, sessionNumber: number, ack: string): void {
    const session = this.session(player);
    if (session === null || session.number !== sessionNumber) return;
    session.answered();
    this.#owe(session);
    session.acks = session.acks === '' ? ack : `${session.acks},${ack}`;
  }

  /** An event goes to every connected player who is in the place now, except the one who acted. */
  tell(place: number, actor: number, event: string): void {
    let player = this.#entities.firstPlayerIn(place);
    while (player !== -1) {
      const session = player === actor ? null : this.session(player);
      if (session !== null) {
        this.#owe(session);
        session.events = session.events === '' ? event : `${session.events},${event}`;
      }
      player = this.#entities.nextPlayer(player);
    }
  }

  /** To be called after the commit. */
  deliver(): void {
    const owing = this.#owing;
    this.#owing = [];
    for (const session of owing) session.deliver(this.#metrics);
  }

  closeAll(code: number, reason: string): void {
    for (const session of this.#sessions) session?.close(code, reason);
  }

  #owe(session: Session): void {
    if (session.acks === '' && session.events === '') this.#owing.push(session);
  }
}

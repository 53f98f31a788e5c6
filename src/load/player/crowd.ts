import { BREACHES } from '../ledger.ts';
import { INTENT, OUTCOME, type Outcome } from '../recorder.ts';
import { Agenda } from './agenda.ts';
import type { Connection, Listener } from './connection.ts';
import type { Comeback, CrowdPlan, CrowdTools } from './crowd-plan.ts';
import { PLAYER, type Welcome } from './player.ts';
import type { Home } from './reconnector.ts';
import { drawShare } from './share.ts';
import { Waiting } from './slots.ts';
import { Unanswered } from './unanswered.ts';

/** Operations that one turn of the loop sends at most, some 15 ms: what was answered has to be read, too. */
const MOST_PER_TURN = 1000;
/** Over what the rate fills while an operation may wait. */
const WAITING_SPARE = 4;
const NONE: readonly number[] = [];
const ENDED_UNANSWERED = "a player's connection ended before an operation was answered";

/**
 * The players of one worker; player.ts describes what each of them does. HOT: players are numbered 0 .. n-1,
 * all of an operation stands in typed arrays, and the worker's one timer calls `send`.
 */
export class Crowd implements Listener, Home {
  connected = 0;
  disconnects = 0;
  reconnects = 0;
  /** Players who left by themselves, and who joined again. */
  leaves = 0;
  joins = 0;
  strayAnswers = 0;
  bytesIn = 0;
  bytesOut = 0;
  framesIn = 0;
  private readonly plan: CrowdPlan;
  private readonly tools: CrowdTools;
  private readonly state: Uint8Array;
  private readonly connections: (Connection | null)[];
  /** Last sequence number used. */
  private readonly sequence: Float64Array;
  private readonly agenda: Agenda;
  /** What a player will be when it is connected again. */
  private readonly resumesAs: Uint8Array;
  private readonly unanswered: Unanswered;
  private readonly waiting: Waiting;
  /** What was unanswered when its connection ended, by player. */
  private readonly left = new Map<number, readonly number[]>();
  /** Who leaves once nothing is unanswered, and for how long; and who has left. */
  private readonly leaving = new Map<number, number>();
  private readonly away = new Set<number>();
  /** Connections that were cut on purpose, and whose end has not been heard yet. */
  private readonly dropped = new Set<Connection>();
  /** Null: who is lost stays lost. */
  private comeback: Comeback | null = null;
  private stopped = false;
  private finished = false;
  /** When what is being told came. */
  private heardAt = 0;
  /** Whose waiting operations are being sent: what is answered meanwhile must not begin that again. */
  private pumping = -1;

  constructor(plan: CrowdPlan, tools: CrowdTools) {
    const players = plan.ids.length;
    this.plan = plan;
    this.tools = tools;
    this.state = new Uint8Array(players);
    this.connections = new Array<Connection | null>(players).fill(null);
    this.sequence = new Float64Array(players);
    this.agenda = new Agenda(plan.ids, tools.pacer, tools.hash);
    this.resumesAs = new Uint8Array(players);
    this.unanswered = new Unanswered(plan.ids, plan.outstanding, plan.timeout, tools);
    const waiting = Math.ceil((plan.intentRate * plan.skipAfter) / 1e6) + WAITING_SPARE;
    this.waiting = new Waiting(players, waiting);
  }

  /** From now on, who loses its connection is handed over, and comes back by `resume`. */
  reconnectBy(comeback: Comeback): void {
    this.comeback = comeback;
  }

  /** Takes over a player that was welcomed: connecting -> ready. */
  welcome(player: number, connection: Connection, lastSequence: number | null): void {
    this.state[player] = PLAYER.ready;
    this.sequence[player] = lastSequence ?? 0;
    this.tools.ledger.welcome(this.plan.ids[player]!, lastSequence ?? 0);
    this.hold(player, connection);
  }

  /** reconnecting -> ready, playing or draining, and on with what waits. */
  resume(player: number, connection: Connection, { lastSequence, place }: Welcome): void {
    const { ledger, complaints, now } = this.tools;
    const id = this.plan.ids[player]!;
    const unanswered = this.left.get(player) ?? NONE;
    this.left.delete(player);
    // A server that keeps no numbers decides nothing about them: the player goes on with the next.
    if (lastSequence !== null) {
      const { last, breach } = ledger.resume(id, lastSequence, this.sequence[player]!, unanswered);
      if (breach !== null) complaints.add(BREACHES[breach]);
      this.sequence[player] = last;
    }
    ledger.placed(id, place);
    this.state[player] = this.resumesAs[player]!;
    if (this.away.delete(player)) this.joins += 1;
    else this.reconnects += 1;
    this.hold(player, connection);
    const resumed = now();
    this.unanswered.able(player, resumed);
    this.pump(player, resumed);
  }

  private hold(player: number, connection: Connection): void {
    this.connections[player] = connection;
    this.connected += 1;
    connection.listen(this);
  }

  /** connecting -> lost. */
  refuse(player: number): void {
    this.state[player] = PLAYER.lost;
  }

  /** GO: ready -> playing. Players that are lost have a schedule all the same. */
  start(): void {
    this.agenda.start();
    for (let player = 0; player < this.state.length; player++) {
      if (this.state[player] === PLAYER.ready) this.state[player] = PLAYER.playing;
      this.resumesAs[player] = PLAYER.playing;
    }
  }

  /** Infinity when nothing more is due. */
  get nextDue(): number {
    return this.stopped ? Number.POSITIVE_INFINITY : this.agenda.due;
  }

  /** Operations sent and not answered. */
  get inFlight(): number {
    return this.unanswered.total;
  }

  /** Nothing more is due, waits or is unanswered. */
  get isDrained(): boolean {
    return (
      this.nextDue === Number.POSITIVE_INFINITY && this.unanswered.total === 0 && this.waiting.total === 0
    );
  }

  /**
   * Everything that is due by now, up to a turn's worth sent; true when more is due already. What this worker
   * itself is too late for is skipped like what waits too long, and costs no turn: it never falls further behind.
   */
  send(now: number): boolean {
    const { agenda } = this;
    for (let sent = 0; sent < MOST_PER_TURN; ) {
      if (this.nextDue > now) return false;
      const { player, due } = agenda;
      if (this.schedule(player, due, now)) sent += 1;
      if (agenda.advance()) continue;
      this.resumesAs[player] = PLAYER.draining;
      if (this.state[player] === PLAYER.playing) this.state[player] = PLAYER.draining;
    }
    return this.nextDue <= now;
  }

  /** Times out what is unanswered for too long, skips what waits for too long. */
  sweep(now: number): void {
    if (this.unanswered.total === 0 && this.waiting.total === 0) return;
    for (let player = 0; player < this.state.length; player++) {
      this.unanswered.expire(player, now);
      if (this.waiting.of(player) > 0) this.pump(player, now);
      this.depart(player);
    }
  }

  /** Nothing is due from now on; what was due before has been scheduled. */
  stop(now: number): void {
    while (this.send(now));
    this.stopped = true;
  }

  /** The end of the drain: unanswered is unfinished, and what still waits was never sent. */
  finish(now: number): void {
    while (this.send(now));
    this.stopped = true;
    this.finished = true;
    for (let player = 0; player < this.state.length; player++) {
      this.unanswered.settleAll(player, OUTCOME.unfinished, now);
      this.settleWaiting(player, OUTCOME.skipped, now);
    }
  }

  /** Hashes what was planned and never came due; at most `most` operations. True when nothing is left. */
  hashRest(most: number): boolean {
    return this.agenda.hashRest(most);
  }

  /** Asks every server to end the connection; resolves nothing: the process waits for its sockets a little. */
  close(): void {
    for (let player = 0; player < this.state.length; player++) {
      if (this.state[player] === PLAYER.lost) continue;
      this.state[player] = PLAYER.closed;
      this.connections[player]?.close();
    }
  }

  /**
   * Cuts the connections of a share of the connected players, as if the network had gone: no close frame. The
   * seed decides whom; the share, rounded, how many.
   */
  drop(sharePercent: number, seed: number): number {
    if (this.finished) return 0;
    const cut = drawShare(this.connections, this.plan.ids, sharePercent, seed);
    for (const connection of cut) {
      this.dropped.add(connection);
      connection.cut();
    }
    return cut.length;
  }

  /**
   * The player leaves, with a clean close, once nothing of its is unanswered, and joins again after `away`
   * microseconds. What comes due from now on waits for that, or is skipped. Nobody leaves who is not there.
   */
  leave(player: number, away: number): void {
    const state = this.state[player];
    if (this.comeback === null || (state !== PLAYER.playing && state !== PLAYER.draining)) return;
    this.leaving.set(player, away);
    this.depart(player);
  }

  private depart(player: number): void {
    const away = this.leaving.size === 0 ? undefined : this.leaving.get(player);
    if (away === undefined || !this.unanswered.isEmpty(player) || this.finished) return;
    this.leaving.delete(player);
    const connection = this.connections[player];
    this.connections[player] = null;
    this.connected -= 1;
    this.leaves += 1;
    this.away.add(player);
    this.resumesAs[player] = this.state[player]!;
    this.state[player] = PLAYER.reconnecting;
    this.left.set(player, this.unanswered.leave(player));
    connection?.close();
    this.comeback?.left(player, away);
  }

  heard(player: number, connection: Connection, bytes: number): boolean {
    this.framesIn += 1;
    this.bytesIn += bytes;
    // A connection that is over may still have had something to say.
    if (this.finished || this.connections[player] !== connection) return false;
    this.heardAt = this.tools.now();
    return true;
  }

  answered(player: number, sequence: number, outcome: Outcome): void {
    if (this.unanswered.answer(player, sequence, outcome, this.heardAt)) return;
    this.stray('a world server acknowledged a sequence number that was not waiting for an answer');
  }

  carried(bytesIn: number, bytesOut: number): void {
    this.bytesIn += bytesIn;
    this.bytesOut += bytesOut;
  }

  stray(message: string): void {
    this.strayAnswers += 1;
    this.tools.complaints.add(message);
  }

  placed(player: number, place: number): void {
    this.tools.ledger.placed(this.plan.ids[player]!, place);
  }

  heardAll(player: number): void {
    if (this.waiting.of(player) > 0 && this.pumping !== player) this.pump(player, this.heardAt);
    this.depart(player);
  }

  /** An operation has come due; true when it was sent. */
  private schedule(player: number, due: number, now: number): boolean {
    const { recorder } = this.tools;
    recorder.schedule(INTENT, 1, due);
    if (this.state[player] === PLAYER.lost) {
      recorder.settle(INTENT, OUTCOME.failedUnsent, 1, due, due, due);
      return false;
    }
    const able = this.waiting.of(player) === 0 && this.isAble(player);
    if (now - due > this.plan.skipAfter) {
      if (able) recorder.ownLag(INTENT, 1, due, now - this.unanswered.sendable(player, due));
      recorder.settle(INTENT, OUTCOME.skipped, 1, due, due, now);
      return false;
    }
    if (able) {
      this.sendNow(player, due);
      return true;
    }
    if (this.waiting.isFull(player)) this.pump(player, now);
    if (this.waiting.isFull(player)) recorder.settle(INTENT, OUTCOME.skipped, 1, due, due, now);
    else this.waiting.push(player, due);
    return false;
  }

  /** A slot is free, and a connection is there. */
  private isAble(player: number): boolean {
    if (this.unanswered.isFull(player)) return false;
    if (this.leaving.size > 0 && this.leaving.has(player)) return false;
    // Without a way back, what meets a connection that is just ending fails at once.
    return this.comeback === null || this.connections[player]?.isOpen === true;
  }

  /** Sends what waits as far as there are slots; skips what is too late. */
  private pump(player: number, now: number): void {
    const { waiting, tools, plan } = this;
    const { pumping } = this;
    this.pumping = player;
    while (waiting.of(player) > 0) {
      if (now - waiting.first(player) > plan.skipAfter) {
        const due = waiting.shift(player);
        tools.recorder.settle(INTENT, OUTCOME.skipped, 1, due, due, now);
      } else if (!this.isAble(player)) {
        break;
      } else {
        this.sendNow(player, waiting.shift(player));
      }
    }
    this.pumping = pumping;
  }

  private sendNow(player: number, due: number): void {
    const { recorder, ledger, now } = this.tools;
    const connection = this.connections[player];
    const sent = now();
    if (!connection?.isOpen) {
      // The end of the connection is known to itself, and its event is on the way.
      recorder.settle(INTENT, OUTCOME.failedUnsent, 1, due, due, sent);
      return;
    }
    const sequence = this.sequence[player]! + 1;
    this.sequence[player] = sequence;
    this.unanswered.take(player, sequence, due, sent);
    recorder.ownLag(INTENT, 1, due, sent - this.unanswered.sendable(player, due));
    ledger.sent(this.plan.ids[player]!, sequence);
    // What it may tell meanwhile is added as well: the sum is taken afterwards.
    const bytes = connection.send(sequence, due);
    this.bytesOut += bytes;
  }

  /** The connection is over, without our doing or because garbage came. */
  ended(player: number, connection: Connection): void {
    // Of a connection that was given up before, or has been followed by another.
    if (this.connections[player] !== connection) return;
    this.connected -= 1;
    this.connections[player] = null;
    const state = this.state[player]!;
    if (state === PLAYER.closed) return;
    this.state[player] = PLAYER.lost;
    this.leaving.delete(player);
    this.disconnects += 1;
    connection.cut();
    if (this.finished) return;
    const now = this.tools.now();
    const open = this.unanswered.of(player);
    // What was cut on purpose is told as that.
    if (!this.dropped.delete(connection) && open > 0) this.tools.complaints.add(ENDED_UNANSWERED, open);
    if (this.comeback === null) {
      this.unanswered.settleAll(player, OUTCOME.failed, now);
      this.settleWaiting(player, OUTCOME.failedUnsent, now);
      return;
    }
    this.state[player] = PLAYER.reconnecting;
    this.resumesAs[player] = state;
    this.left.set(player, this.unanswered.leave(player));
    this.unanswered.settleAll(player, OUTCOME.failed, now);
    this.comeback.lost(player);
  }

  private settleWaiting(player: number, outcome: Outcome, now: number): void {
    while (this.waiting.of(player) > 0) {
      const due = this.waiting.shift(player);
      this.tools.recorder.settle(INTENT, outcome, 1, due, due, now);
    }
  }
}

import { BREACHES } from '../ledger.ts';
import { INTENT, OUTCOME, type Outcome } from '../recorder.ts';
import { Agenda } from './agenda.ts';
import type { Connection, Listener } from './connection.ts';
import type { Comeback, CrowdPlan, CrowdTools } from './crowd-plan.ts';
import { Departures } from './departures.ts';
import { Outbox } from './outbox.ts';
import type { Welcome } from './player.ts';
import { PlayerStates } from './player-states.ts';
import type { Home } from './reconnector.ts';
import { drawShare } from './share.ts';
import type { Unanswered } from './unanswered.ts';

/** Operations that one turn of the loop sends at most, some 15 ms: what was answered has to be read, too. */
const MOST_PER_TURN = 1000;
const ENDED_UNANSWERED = "a player's connection ended before an operation was answered";

/**
 * The players of one worker; player.ts describes what each of them does. HOT: players are numbered 0 .. n-1,
 * all of an operation stands in typed arrays, and the worker's one timer calls `send`.
 */
export class Crowd implements Listener, Home {
  connected = 0;
  disconnects = 0;
  strayAnswers = 0;
  framesIn = 0;
  bytesIn = 0;
  /** Of what connections carried beside the operations. */
  private carriedOut = 0;
  private readonly plan: CrowdPlan;
  private readonly tools: CrowdTools;
  private readonly states: PlayerStates;
  private readonly connections: (Connection | null)[];
  private readonly agenda: Agenda;
  private readonly departures = new Departures();
  private readonly outbox: Outbox;
  private readonly unanswered: Unanswered;
  /** Connections that were cut on purpose, and whose end has not been heard yet. */
  private readonly dropped = new Set<Connection>();
  private stopped = false;
  private finished = false;
  /** When what is being told came. */
  private heardAt = 0;

  constructor(plan: CrowdPlan, tools: CrowdTools) {
    const players = plan.ids.length;
    this.plan = plan;
    this.tools = tools;
    this.states = new PlayerStates(players);
    this.connections = new Array<Connection | null>(players).fill(null);
    this.agenda = new Agenda(plan.ids, tools.pacer, tools.hash);
    this.outbox = new Outbox(plan, tools, this.connections, this.departures);
    this.unanswered = this.outbox.unanswered;
  }

  get bytesOut(): number {
    return this.outbox.bytesOut + this.carriedOut;
  }

  /** Players whose connection had ended, and who connected again. */
  get reconnects(): number {
    return this.departures.reconnects;
  }

  /** Players who left by themselves, and who joined again. */
  get leaves(): number {
    return this.departures.leaves;
  }

  get joins(): number {
    return this.departures.joins;
  }

  /** From now on, who loses its connection is handed over, and comes back by `resume`. */
  reconnectBy(comeback: Comeback): void {
    this.departures.comeback = comeback;
  }

  /** Takes over a player that was welcomed: connecting -> ready. */
  welcome(player: number, connection: Connection, lastSequence: number | null): void {
    this.states.welcome(player);
    this.outbox.goOnAfter(player, lastSequence ?? 0);
    this.tools.ledger.welcome(this.plan.ids[player]!, lastSequence ?? 0);
    this.hold(player, connection);
  }

  /** reconnecting -> ready, playing or draining, and on with what waits. */
  resume(player: number, connection: Connection, { lastSequence, stated }: Welcome): void {
    const { ledger, complaints, now } = this.tools;
    const id = this.plan.ids[player]!;
    const unanswered = this.departures.back(player);
    // A server that keeps no numbers decides nothing about them: the player goes on with the next.
    if (lastSequence !== null) {
      const { last, breach } = ledger.resume(id, lastSequence, this.outbox.lastOf(player), unanswered);
      if (breach !== null) complaints.add(BREACHES[breach]);
      this.outbox.goOnAfter(player, last);
    }
    ledger.stated(id, stated);
    this.states.resume(player);
    this.hold(player, connection);
    this.outbox.resume(player, now());
  }

  private hold(player: number, connection: Connection): void {
    this.connections[player] = connection;
    this.connected += 1;
    connection.listen(this);
  }

  private release(player: number): void {
    this.connections[player] = null;
    this.connected -= 1;
  }

  /** connecting -> lost. */
  refuse(player: number): void {
    this.states.lose(player);
  }

  /** GO: ready -> playing. Players that are lost have a schedule all the same. */
  start(): void {
    this.agenda.start();
    this.states.start();
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
    return this.nextDue === Number.POSITIVE_INFINITY && this.outbox.isEmpty;
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
      if (!agenda.advance()) this.states.drain(player);
    }
    return this.nextDue <= now;
  }

  /** Times out what is unanswered for too long, skips what waits for too long. */
  sweep(now: number): void {
    if (this.outbox.isEmpty) return;
    for (let player = 0; player < this.connections.length; player++) {
      this.outbox.sweep(player, now);
      if (this.departures.isPending) this.depart(player);
    }
  }

  /** Nothing is due from now on; what was due before has been scheduled. */
  stop(now: number): void {
    while (this.send(now));
    this.stopped = true;
  }

  /** The end of the drain: unanswered is unfinished, and what still waits was never sent. */
  finish(now: number): void {
    this.stop(now);
    this.finished = true;
    for (let player = 0; player < this.connections.length; player++) {
      this.unanswered.settleAll(player, OUTCOME.unfinished, now);
      this.outbox.settleWaiting(player, OUTCOME.skipped, now);
    }
  }

  /** Hashes what was planned and never came due; at most `most` operations. True when nothing is left. */
  hashRest(most: number): boolean {
    return this.agenda.hashRest(most);
  }

  /** Asks every server to end the connection; resolves nothing: the process waits for its sockets a little. */
  close(): void {
    for (let player = 0; player < this.connections.length; player++) {
      if (this.states.close(player)) this.connections[player]?.close();
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
    if (this.departures.comeback === null || !this.states.isThere(player)) return;
    this.departures.ask(player, away);
    this.depart(player);
  }

  /** It is to leave, and nothing is unanswered any more: it does. */
  private depart(player: number): void {
    const { departures, unanswered } = this;
    if (!departures.isLeaving(player) || !unanswered.isEmpty(player) || this.finished) return;
    const connection = this.connections[player];
    this.release(player);
    this.states.suspend(player);
    const away = departures.leave(player, unanswered.leave(player));
    connection?.close();
    departures.comeback?.left(player, away);
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
    this.carriedOut += bytesOut;
  }

  stray(message: string): void {
    this.strayAnswers += 1;
    this.tools.complaints.add(message);
  }

  stated(player: number, what: number): void {
    this.tools.ledger.stated(this.plan.ids[player]!, what);
  }

  heardAll(player: number): void {
    this.outbox.freed(player, this.heardAt);
    if (this.departures.isPending) this.depart(player);
  }

  /** An operation has come due; true when it was sent. */
  private schedule(player: number, due: number, now: number): boolean {
    const { recorder } = this.tools;
    recorder.schedule(INTENT, 1, due);
    if (!this.states.isLost(player)) return this.outbox.offer(player, due, now);
    recorder.settle(INTENT, OUTCOME.failedUnsent, 1, due, due, due);
    return false;
  }

  /** The connection is over, without our doing or because garbage came. */
  ended(player: number, connection: Connection): void {
    // Of a connection that was given up before, or has been followed by another.
    if (this.connections[player] !== connection) return;
    this.release(player);
    if (this.states.isClosed(player)) return;
    const { unanswered, departures, tools } = this;
    const comeback = this.finished ? null : departures.comeback;
    if (comeback === null) this.states.lose(player);
    else this.states.suspend(player);
    departures.lose(player, unanswered.leave(player));
    this.disconnects += 1;
    connection.cut();
    if (this.finished) return;
    const now = tools.now();
    const open = unanswered.of(player);
    // What was cut on purpose is told as that.
    if (!this.dropped.delete(connection) && open > 0) tools.complaints.add(ENDED_UNANSWERED, open);
    unanswered.settleAll(player, OUTCOME.failed, now);
    if (comeback === null) this.outbox.settleWaiting(player, OUTCOME.failedUnsent, now);
    else comeback.lost(player);
  }
}

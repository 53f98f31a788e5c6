import { mulberry32, streamSeed } from '../../rng.ts';
import { peakOf } from '../../scenario/stages.ts';
import type { Workload } from '../../scenario/workload.ts';
import { BREACHES } from '../ledger.ts';
import { OUTCOME, type Outcome } from '../outcome.ts';
import { PlayerPacer, playerRate } from '../pacer.ts';
import type { SourceTools } from '../source.ts';
import { STREAM } from '../streams.ts';
import { WakeHeap } from '../wake-heap.ts';
import type { Connection, Listener, Welcome } from './connection.ts';
import { type Presence, presenceOf } from './presence.ts';
import { Slots } from './slots.ts';
import { Waiting } from './waiting.ts';

/*
 * A simulated player is a state machine, stored in typed arrays of the pool by its number within the worker, 0 .. n-1. The only
 * object per player is its connection, and there is none per operation.
 *
 *   state         what it means                                           left by
 *
 *   connecting    TCP, upgrade and welcome are in progress; nothing is     welcome -> ready
 *                 due yet                                                 refused -> lost
 *   ready         welcomed; its last sequence number is known             GO -> playing
 *   playing       sends what is due, at most `outstanding` unanswered;    nothing more is due -> draining
 *                 other due operations wait until an answer frees a
 *                 slot, and are skipped once they are `skipAfter` late
 *   draining      nothing more is due; answers are awaited                close -> closed
 *   closed        closed by capbench                                      never
 *   lost          closed by the server, or by capbench after a protocol   never
 *                 violation: unanswered, waiting and later operations
 *                 fail
 *   reconnecting  away, and tries to reconnect (reconnector.ts): due      welcome -> the state in which it was, or
 *                 operations wait for the connection as for a slot, and   draining when nothing more is due by then
 *                 are skipped once they are `skipAfter` late. READY and
 *                 GO do not wait for it
 *
 * The loss of a connection, or a protocol violation, leads from ready, playing and draining
 *
 *   to lost            if the workload has no `reconnect`
 *   to reconnecting    if it has, during the run: unanswered operations have failed, and the next welcome decides which of
 *                      their numbers are committed, and which are void and reused (ledger.ts)
 *
 * With churn (churn.ts), a player that has to leave, playing or draining, starts no more operations; when none is unanswered,
 * it closes its connection and is `reconnecting` while it is away.
 *
 * Where stages change the number of players (presence.ts), one that is not meant to be there is `reconnecting` without an
 * attempt, from the beginning or since it has retired: it has then sent what was due before, and has all answers. Nothing is
 * due for it until it joins.
 *
 * All changes of state are methods under "Transitions".
 */
const CONNECTING = 0;
const READY = 1;
const PLAYING = 2;
const DRAINING = 3;
const CLOSED = 4;
const LOST = 5;
const RECONNECTING = 6;

/** Limit of operations per turn of the event loop, about 15 ms, so that answers are read in between. */
const MOST_PER_TURN = 1000;
/** Operations of a player that may wait, in addition to those that are due within `skipAfter`; and where answers begin others. */
const WAITING_SPARE = 4;
const BEGUN_SPARE = 32;
const ENDED_UNANSWERED = "a player's connection ended before an operation was answered";
const NONE: readonly number[] = [];

/** The parts of the workload that a pool needs; times in microseconds. */
type PlayerPoolOptions = Pick<
  Workload,
  | 'seed'
  | 'timeline'
  | 'players'
  | 'connectsPerSecond'
  | 'operations'
  | 'outstanding'
  | 'skipAfter'
  | 'timeout'
  | 'ledger'
>;

/** Shared with the sources of the worker. */
type PlayerPoolTools = Pick<SourceTools, 'recorder' | 'ledger' | 'hash' | 'errors' | 'now' | 'deliveries'>;

/** Reconnects players. */
export interface ReconnectPolicy {
  lost(player: number): void;
  /** The player has left, and rejoins after `away` microseconds. Without effect while it is expected to connect. */
  left(player: number, away: number): void;
}

/**
 * The players of one worker: their states, waiting and unanswered operations, and connections. HOT: the worker's timer calls
 * `send`, and nothing is allocated per operation.
 */
export class PlayerPool implements Listener {
  connected = 0;
  disconnects = 0;
  /** Connections that were reopened after a loss. */
  reconnects = 0;
  /** Players who left (churn, or a stage with fewer), and who joined again or for the first time. */
  leaves = 0;
  joins = 0;
  strayAnswers = 0;
  framesIn = 0;
  bytesIn = 0;
  bytesOut = 0;

  /** Who is meant to be connected; null: all players, all the time. */
  readonly presence: Presence | null;
  private readonly ids: Int32Array;
  private readonly skipAfter: number;
  private readonly timeout: number;
  /** A rejected operation does not use up its number. */
  private readonly rejectedLeaveNoTrace: boolean;
  /** The end of the schedule. */
  private readonly end: number;
  private readonly tools: PlayerPoolTools;

  /** By player: its state, and its state after it has reconnected. */
  private readonly state: Uint8Array;
  private readonly resumesAs: Uint8Array;
  private readonly connections: (Connection | null)[];
  /** By player: the last sequence number used. */
  private readonly lastSequence: Float64Array;
  /** By player: since when it can send, because a slot became free or it was connected. */
  private readonly canSendSince: Float64Array;

  /** The players' operations with a schedule, as indexes in the workload's operations; each has its own per player. */
  private readonly operations: readonly number[];
  private readonly pacers: readonly PlayerPacer[];
  /** By schedule (player x operations + operation): its next due time, and how many operations have been due. */
  private readonly wakes: WakeHeap;
  private readonly planned: Uint32Array;
  /** By player: the number of schedules that have not ended. */
  private readonly schedules: Uint8Array;

  private readonly waiting: Waiting;
  private readonly slots: Slots;
  /** Numbers that timed out on the current connection: a late answer still goes to the ledger. */
  private readonly late = new Map<number, Set<number>>();

  /** Null: lost connections are not reopened, and there is no churn. */
  private policy: ReconnectPolicy | null = null;
  /** Players who leave as soon as nothing is unanswered, with their time away; and players who have left. */
  private readonly leaving = new Map<number, number>();
  private readonly away = new Set<number>();
  /** Players who are not meant to be there; one who still is leaves once nothing of it is waiting or unanswered. */
  private readonly unwanted = new Set<number>();
  /** Players who were never connected. */
  private readonly unknown = new Set<number>();
  /** By player: the unanswered numbers at the loss of its connection. */
  private readonly openNumbers = new Map<number, readonly number[]>();
  /** Connections that were cut by a fault, until they have closed. */
  private readonly dropped = new Set<Connection>();

  /** Players with operations that answers have begun, to be sent when this turn of the event loop is over. */
  private readonly begun: number[] = [];
  private readonly sendBegun = (): void => this.pumpBegun();

  /** The player whose waiting operations are being sent: guards against reentry by synchronous answers. */
  private pumping = -1;
  /** When the current answers arrived. */
  private receivedAt = 0;
  private stopped = false;
  private finished = false;

  /** `ids`: the worker's players, as entities of the ledger. */
  constructor(options: PlayerPoolOptions, ids: Int32Array, tools: PlayerPoolTools) {
    const { seed, timeline, operations, outstanding, skipAfter, timeout } = options;
    const players = ids.length;
    const rate = playerRate(options);
    this.ids = ids;
    this.presence = presenceOf(options, ids);
    this.skipAfter = skipAfter;
    this.timeout = timeout;
    this.rejectedLeaveNoTrace = options.ledger?.rejected === 'unrecorded';
    this.end = timeline.end;
    this.tools = tools;
    this.state = new Uint8Array(players).fill(CONNECTING);
    this.resumesAs = new Uint8Array(players);
    this.connections = new Array<Connection | null>(players).fill(null);
    this.lastSequence = new Float64Array(players);
    this.canSendSince = new Float64Array(players);
    this.operations = [...operations.keys()].filter(
      (index) => operations[index]!.actor === 'player' && operations[index]!.due === 'schedule',
    );
    const spare = operations.some(({ due }) => due === 'answer') ? BEGUN_SPARE : WAITING_SPARE;
    this.pacers = this.operations.map((index) => {
      const own = options.players === 0 ? 0 : operations[index]!.perSecond / options.players;
      return new PlayerPacer(seed, ids, own, timeline, index, this.presence);
    });
    this.wakes = new WakeHeap(players * this.pacers.length);
    this.planned = new Uint32Array(players * this.pacers.length);
    this.schedules = new Uint8Array(players);
    const mostWaiting = Math.ceil((peakOf(timeline.stages) * rate * skipAfter) / 1e6) + spare;
    this.waiting = new Waiting(players, mostWaiting);
    this.slots = new Slots(players, outstanding, operations.length);
    for (let player = 0; player < players; player++) {
      if (this.presence?.isFirst(player) !== false) continue;
      this.state[player] = RECONNECTING;
      for (const absent of [this.away, this.unwanted, this.unknown]) absent.add(player);
      tools.deliveries?.connected(ids[player]!, tools.now(), false);
    }
  }

  /** The players who connect before GO, by their numbers within the worker. */
  firstPlayers(): Int32Array {
    const all = Int32Array.from(this.state.keys());
    return this.presence === null ? all : all.filter((player) => this.presence?.isFirst(player));
  }

  /** Whether the player is meant to be connected. */
  wants(player: number): boolean {
    return !this.unwanted.has(player);
  }

  /** Lost players are handed to the policy, which brings them back by `resume`. */
  reconnectBy(policy: ReconnectPolicy): void {
    this.policy = policy;
  }

  // Transitions

  /** connecting -> ready. */
  welcome(player: number, connection: Connection, lastSequence: number | null): void {
    this.state[player] = READY;
    this.lastSequence[player] = lastSequence ?? 0;
    this.tools.ledger.welcome(this.ids[player]!, lastSequence ?? 0);
    this.hold(player, connection);
  }

  /** connecting -> lost. */
  refuse(player: number): void {
    this.state[player] = LOST;
    this.tools.deliveries?.connected(this.ids[player]!, this.tools.now(), false);
  }

  /** GO: ready -> playing. Lost players have schedules, too. */
  start(): void {
    for (let player = 0; player < this.state.length; player++) {
      for (const [k, pacer] of this.pacers.entries()) {
        const due = pacer.next(player);
        if (due === Number.POSITIVE_INFINITY) continue;
        this.wakes.push(player * this.pacers.length + k, due);
        this.schedules[player]! += 1;
      }
      if (this.state[player] === READY) this.state[player] = PLAYING;
      this.resumesAs[player] = PLAYING;
    }
  }

  /** Nothing more is due: playing -> draining. */
  private drain(player: number): void {
    this.resumesAs[player] = DRAINING;
    if (this.state[player] === PLAYING) this.state[player] = DRAINING;
  }

  /** The connection was lost or violated the protocol: -> reconnecting, or lost. */
  ended(player: number, connection: Connection): void {
    // Ignores connections that are no longer in use.
    if (this.connections[player] !== connection) return;
    this.release(player);
    if (this.state[player] === CLOSED) return;
    const { tools } = this;
    const policy = this.finished ? null : this.policy;
    if (policy === null) this.state[player] = LOST;
    else this.suspend(player);
    // A player that was about to leave has lost its connection instead.
    this.leaving.delete(player);
    this.disconnects += 1;
    connection.cut();
    if (this.finished) return;
    const now = tools.now();
    const open = this.slots.of(player);
    // A cut by a fault is reported as a fault.
    if (!this.dropped.delete(connection) && open > 0) tools.errors.add(ENDED_UNANSWERED, open);
    this.settleUnanswered(player, OUTCOME.failed, now, Number.POSITIVE_INFINITY);
    if (policy === null || this.unwanted.has(player)) {
      this.settleWaiting(player, OUTCOME.failedUnsent, now);
    } else {
      policy.lost(player);
    }
  }

  /** Somebody may have to leave. */
  private get isAnyLeaving(): boolean {
    return this.leaving.size > 0 || this.unwanted.size > 0;
  }

  /** It is connected, and the run has begun. */
  private plays(player: number): boolean {
    return this.state[player] === PLAYING || this.state[player] === DRAINING;
  }

  /** Leaves if it has to and nothing is unanswered: playing, draining -> reconnecting. */
  private depart(player: number): void {
    const away = this.leaving.get(player);
    const retires = this.unwanted.has(player) && this.plays(player);
    if ((away === undefined && !retires) || this.slots.of(player) > 0 || this.finished) return;
    if (retires && this.waiting.of(player) > 0) return;
    const connection = this.connections[player];
    this.release(player);
    this.suspend(player);
    this.leaving.delete(player);
    this.leaves += 1;
    this.away.add(player);
    connection?.close();
    if (away !== undefined) this.policy?.left(player, away);
  }

  /** -> reconnecting. The next welcome decides about the unanswered numbers. */
  private suspend(player: number): void {
    this.resumesAs[player] = this.state[player]!;
    this.state[player] = RECONNECTING;
    this.openNumbers.set(player, [...this.slots.sequencesOf(player), ...(this.late.get(player) ?? NONE)]);
    this.late.delete(player);
  }

  /** reconnecting -> ready, playing or draining; sends what waits. */
  resume(player: number, connection: Connection, { lastSequence, stated }: Welcome): void {
    const { ledger, errors, now } = this.tools;
    const id = this.ids[player]!;
    if (this.away.delete(player)) this.joins += 1;
    else this.reconnects += 1;
    const unanswered = this.openNumbers.get(player) ?? NONE;
    this.openNumbers.delete(player);
    if (this.unknown.delete(player)) {
      this.lastSequence[player] = lastSequence ?? 0;
      ledger.welcome(id, lastSequence ?? 0);
    } else if (lastSequence !== null) {
      // A server that keeps no numbers decides nothing: the player continues with its next number.
      const { last, breach } = ledger.resume(id, lastSequence, this.lastSequence[player]!, unanswered);
      if (breach !== null) errors.add(BREACHES[breach]);
      this.lastSequence[player] = last;
    }
    ledger.stated(id, stated);
    this.state[player] = this.resumesAs[player]!;
    this.hold(player, connection);
    this.canSendSince[player] = now();
    this.tools.deliveries?.connected(id, this.canSendSince[player]!, true);
    this.pump(player, this.canSendSince[player]!);
    // It was on its way when it was asked to leave.
    if (this.unwanted.has(player)) this.retire(player);
  }

  /** -> closed, except lost players. Starts closing every connection, without waiting. */
  close(): void {
    for (let player = 0; player < this.state.length; player++) {
      if (this.state[player] === LOST) continue;
      this.state[player] = CLOSED;
      this.connections[player]?.close();
    }
  }

  private hold(player: number, connection: Connection): void {
    this.connections[player] = connection;
    this.connected += 1;
    connection.listen(this);
  }

  private release(player: number): void {
    this.connections[player] = null;
    this.connected -= 1;
    if (!this.finished) this.tools.deliveries?.connected(this.ids[player]!, this.tools.now(), false);
  }

  // The schedule

  /** Infinity when nothing more is due. */
  get nextDue(): number {
    return this.stopped ? Number.POSITIVE_INFINITY : this.wakes.topKey;
  }

  /** Unanswered operations, by index in the workload's operations. */
  inFlight(operation: number): number {
    return this.slots.taken[operation]!;
  }

  /** Nothing is due, waiting or unanswered. */
  get isDrained(): boolean {
    return this.nextDue === Number.POSITIVE_INFINITY && this.isIdle;
  }

  /** Nothing is waiting or unanswered. */
  private get isIdle(): boolean {
    return this.slots.total === 0 && this.waiting.total === 0;
  }

  /**
   * Sends what is due by now, up to the limit of a turn; true when more is due already. Operations for which this worker is
   * too late are skipped and do not count towards the limit, so that it does not fall further behind.
   */
  send(now: number): boolean {
    const { wakes } = this;
    for (let sent = 0; sent < MOST_PER_TURN; ) {
      if (this.nextDue > now) return false;
      const due = wakes.topKey;
      const player = Math.floor(wakes.topId / this.pacers.length);
      const operation = this.advance(player);
      if (this.schedule(player, operation, due, now)) sent += 1;
    }
    return this.nextDue <= now;
  }

  /** Times out operations that are unanswered, and skips those that wait, for too long. */
  sweep(now: number): void {
    if (this.isIdle) return;
    for (let player = 0; player < this.state.length; player++) {
      if (this.slots.of(player) > 0) {
        this.settleUnanswered(player, OUTCOME.timedOut, now, now - this.timeout);
      }
      if (this.waiting.of(player) > 0) this.pump(player, now);
      if (this.isAnyLeaving) this.depart(player);
    }
  }

  /** Ends the schedule now; what was due before is scheduled. */
  stop(now: number): void {
    while (this.send(now));
    this.stopped = true;
  }

  /** The end of the drain: unanswered operations are unfinished, waiting ones are skipped. */
  finish(now: number): void {
    this.stop(now);
    this.finished = true;
    for (let player = 0; player < this.state.length; player++) {
      this.settleUnanswered(player, OUTCOME.unfinished, now, Number.POSITIVE_INFINITY);
      this.settleWaiting(player, OUTCOME.skipped, now);
    }
  }

  /** Hashes planned operations that never became due, at most `most`; true when none is left. */
  hashRest(most: number): boolean {
    const { wakes, pacers } = this;
    for (let n = 0; n < most && wakes.size > 0; n++) this.advance(Math.floor(wakes.topId / pacers.length));
    return wakes.size === 0;
  }

  /** Hashes the next due operation, which is this player's, advances its schedule, and returns the operation. */
  private advance(player: number): number {
    const { wakes, pacers } = this;
    const { topId } = wakes;
    const k = topId - player * pacers.length;
    const operation = this.operations[k]!;
    this.planned[topId]! += 1;
    this.tools.hash.add(operation, this.ids[player]!, this.planned[topId]!, wakes.topKey);
    const next = pacers[k]!.next(player);
    wakes.replaceTop(next);
    if (next === Number.POSITIVE_INFINITY) {
      this.schedules[player]! -= 1;
      if (this.schedules[player] === 0) this.drain(player);
    }
    return operation;
  }

  /** An operation is due; true when it was sent. */
  private schedule(player: number, operation: number, due: number, now: number): boolean {
    const { waiting } = this;
    const { recorder } = this.tools;
    recorder.schedule(operation, 1, due);
    if (this.state[player] === LOST) {
      recorder.settle(operation, OUTCOME.failedUnsent, 1, due, due, due);
      return false;
    }
    const able = waiting.of(player) === 0 && this.canSend(player);
    if (now - due > this.skipAfter) {
      if (able) recorder.ownLag(operation, 1, due, now - this.earliestSend(player, due));
      recorder.settle(operation, OUTCOME.skipped, 1, due, due, now);
      return false;
    }
    if (able) {
      this.sendOne(player, operation, due);
      return true;
    }
    if (waiting.isFull(player)) this.pump(player, now);
    if (waiting.isFull(player)) recorder.settle(operation, OUTCOME.skipped, 1, due, due, now);
    else waiting.push(player, operation, due);
    return false;
  }

  /** A slot is free, and the player is connected. */
  private canSend(player: number): boolean {
    if (this.slots.isFull(player)) return false;
    if (this.leaving.size > 0 && this.leaving.has(player)) return false;
    // Without reconnects, an operation on a closing connection fails at once instead of waiting.
    return this.policy === null || this.connections[player]?.isOpen === true;
  }

  /** The earliest time at which an operation with this due time could have been sent. */
  private earliestSend(player: number, due: number): number {
    return Math.max(due, this.canSendSince[player]!);
  }

  /** Sends waiting operations while slots are free; skips those that are too late. */
  private pump(player: number, now: number): void {
    const { waiting, tools, skipAfter, pumping } = this;
    this.pumping = player;
    // What begins meanwhile is sent later.
    for (let left = waiting.of(player); left > 0; left--) {
      const due = waiting.due(player);
      const operation = waiting.operation(player);
      if (now - due > skipAfter) {
        waiting.shift(player);
        tools.recorder.settle(operation, OUTCOME.skipped, 1, due, due, now);
      } else if (!this.canSend(player)) {
        break;
      } else {
        waiting.shift(player);
        this.sendOne(player, operation, due);
      }
    }
    this.pumping = pumping;
  }

  /** Sends what answers have begun. What it begins in turn is sent later, so that answers are read in between. */
  private pumpBegun(): void {
    const { begun } = this;
    const now = this.tools.now();
    const count = begun.length;
    for (let i = 0; i < count; i++) {
      const player = begun[i]!;
      if (this.waiting.of(player) > 0) this.pump(player, now);
    }
    begun.splice(0, count);
    if (begun.length > 0) setImmediate(this.sendBegun);
  }

  private sendOne(player: number, operation: number, due: number): void {
    const { recorder, ledger, now } = this.tools;
    const connection = this.connections[player];
    const sent = now();
    if (!connection?.isOpen) {
      // The connection is closed already, and its event follows.
      recorder.settle(operation, OUTCOME.failedUnsent, 1, due, due, sent);
      return;
    }
    const sequence = this.lastSequence[player]! + 1;
    this.lastSequence[player] = sequence;
    const ownLag = sent - this.earliestSend(player, due);
    this.slots.take(player, operation, sequence, due, sent, ownLag);
    recorder.ownLag(operation, 1, due, ownLag);
    ledger.sent(this.ids[player]!, sequence);
    // `send` may call back and change bytesOut, so its result is added afterwards.
    const bytes = connection.send(operation, sequence, due);
    this.bytesOut += bytes;
  }

  /** Settles the player's unanswered operations that were sent before a time. */
  private settleUnanswered(player: number, outcome: Outcome, now: number, sentBefore: number): void {
    const { slots } = this;
    const first = player * slots.each;
    for (let slot = first; slot < first + slots.each; slot++) {
      const sequence = slots.sequence[slot]!;
      if (sequence === 0 || slots.sent[slot]! >= sentBefore) continue;
      const operation = slots.operation[slot]!;
      this.tools.recorder.settle(operation, outcome, 1, slots.due[slot]!, slots.sent[slot]!, now);
      if (slots.isFull(player)) this.canSendSince[player] = now;
      slots.free(player, slot);
      if (outcome === OUTCOME.timedOut) this.noteLate(player, sequence);
    }
  }

  private noteLate(player: number, sequence: number): void {
    const known = this.late.get(player);
    if (known === undefined) this.late.set(player, new Set([sequence]));
    else known.add(sequence);
  }

  /** Settles the player's waiting operations. */
  private settleWaiting(player: number, outcome: Outcome, now: number): void {
    const { waiting } = this;
    while (waiting.of(player) > 0) {
      const due = waiting.due(player);
      this.tools.recorder.settle(waiting.operation(player), outcome, 1, due, due, now);
      waiting.shift(player);
    }
  }

  // Faults and churn

  /**
   * Cuts the connections of a share of the connected players without a close frame, as a network failure would. The seed
   * decides which; the rounded share, how many.
   */
  drop(sharePercent: number, seed: number): number {
    if (this.finished) return 0;
    const draws = this.connections
      .flatMap((connection, player) =>
        connection?.isOpen
          ? [{ connection, draw: mulberry32(streamSeed(seed, STREAM.cut, this.ids[player]!)) }]
          : [],
      )
      .sort((a, b) => a.draw - b.draw);
    const cut = draws.slice(0, Math.round((draws.length * sharePercent) / 100));
    for (const { connection } of cut) {
      this.dropped.add(connection);
      connection.cut();
    }
    return cut.length;
  }

  /**
   * The player leaves with a clean close once nothing is unanswered, and rejoins after `away` microseconds. Operations that
   * are due meanwhile wait or are skipped. Has no effect on a player that is not connected.
   */
  leave(player: number, away: number): void {
    if (this.policy === null || this.unwanted.has(player) || !this.plays(player)) return;
    this.leaving.set(player, away);
    this.depart(player);
  }

  /** The player is meant to be there from now on: it connects, unless it still is. */
  join(player: number): void {
    this.unwanted.delete(player);
    if (this.state[player] === RECONNECTING) this.policy?.left(player, 0);
  }

  /** The player is not meant to be there any more: it leaves with a clean close after its last answer. */
  retire(player: number): void {
    this.unwanted.add(player);
    this.leaving.delete(player);
    if (this.policy !== null) this.depart(player);
  }

  // Events of connections

  received(player: number, connection: Connection, bytes: number): boolean {
    this.framesIn += 1;
    this.bytesIn += bytes;
    // A connection that is no longer in use may still deliver data.
    if (this.finished || this.connections[player] !== connection) return false;
    this.receivedAt = this.tools.now();
    return true;
  }

  answered(player: number, sequence: number, outcome: Outcome): void {
    const { tools, slots, receivedAt: now } = this;
    const slot = sequence >= 1 ? slots.find(player, sequence) : -1;
    if (slot >= 0) {
      const sent = slots.sent[slot]!;
      // An answer after the timeout has timed out, even if no sweep has run yet.
      const end = now - sent <= this.timeout ? outcome : OUTCOME.timedOut;
      const ownLag = slots.ownLag[slot]!;
      tools.recorder.settle(slots.operation[slot]!, end, 1, slots.due[slot]!, sent, now, ownLag);
      if (slots.isFull(player)) this.canSendSince[player] = now;
      slots.free(player, slot);
    } else if (!this.late.get(player)?.delete(sequence)) {
      this.unexpected('a world server acknowledged a sequence number that was not waiting for an answer');
      return;
    }
    if (this.usesUp(outcome)) tools.ledger.acked(this.ids[player]!, sequence);
  }

  /** The answer proves that the server has the operation's number. */
  private usesUp(outcome: Outcome): boolean {
    return outcome === OUTCOME.ok || (outcome === OUTCOME.rejected && !this.rejectedLeaveNoTrace);
  }

  idled(player: number, connection: Connection, sequence: number): void {
    if (this.finished || this.connections[player] !== connection) return;
    const { tools, slots } = this;
    const slot = sequence >= 1 ? slots.find(player, sequence) : -1;
    if (slot < 0) {
      this.unexpected('an operation was idle that was not waiting for an answer');
      return;
    }
    const now = tools.now();
    tools.recorder.settle(slots.operation[slot]!, OUTCOME.idle, 1, slots.due[slot]!, slots.sent[slot]!, now);
    if (slots.isFull(player)) this.canSendSince[player] = now;
    slots.free(player, slot);
    if (this.lastSequence[player] === sequence) {
      this.lastSequence[player] = sequence - 1;
      tools.ledger.unsent(this.ids[player]!, sequence);
    }
    this.freed(player, now);
  }

  begin(player: number, connection: Connection, operation: number, planned?: number): boolean {
    const now = this.tools.now();
    if (this.connections[player] !== connection || now < 0 || now >= this.end || this.stopped) return false;
    if (this.leaving.has(player) || this.unwanted.has(player)) return false;
    const { waiting, begun } = this;
    const due = planned === undefined ? now : Math.max(0, Math.round(planned));
    this.tools.recorder.schedule(operation, 1, due);
    if (waiting.isFull(player)) {
      this.tools.recorder.settle(operation, OUTCOME.skipped, 1, due, due, now);
      return true;
    }
    waiting.push(player, operation, due);
    // Not at once: what is performed may begin another.
    if (begun.length === 0) setImmediate(this.sendBegun);
    begun.push(player);
    return true;
  }

  stated(player: number, what: number): void {
    this.tools.ledger.stated(this.ids[player]!, what);
  }

  receivedAll(player: number): void {
    this.freed(player, this.receivedAt);
  }

  /** Slots may be free. */
  private freed(player: number, now: number): void {
    if (this.waiting.of(player) > 0 && this.pumping !== player) this.pump(player, now);
    if (this.isAnyLeaving) this.depart(player);
  }

  unexpected(message: string): void {
    this.strayAnswers += 1;
    this.tools.errors.add(message);
  }
}

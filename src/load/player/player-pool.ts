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

/*
 * A simulated player is a state machine. What is known of it stands in typed arrays of the pool, by its number within
 * the worker, 0 .. n-1: there is no object for a player beside its connection, and none for an operation.
 *
 *   state         what it means                                           left by
 *
 *   connecting    TCP, upgrade and welcome are under way; nothing is      welcome -> ready
 *                 due yet                                                 refused -> lost
 *   ready         welcomed: its last sequence number is known             GO -> playing
 *   playing       sends what is due, at most `outstanding` unanswered;    nothing more is due -> draining
 *                 what is due meanwhile waits, and is sent as soon as an
 *                 answer frees a slot, or skipped once it is `skipAfter`
 *                 late
 *   draining      nothing more is due; answers are awaited                close -> closed
 *   closed        ended by us                                             never
 *   lost          ended by the server, or by us because it spoke          never
 *                 garbage: what was unanswered or waiting has failed, and
 *                 so does everything that comes due later
 *   reconnecting  away, and tries to connect again (reconnector.ts): what welcome -> the state in which it was, or
 *                 waits, or comes due, waits for the connection as it     draining when nothing more is due by then
 *                 would for a slot, and is skipped once it is `skipAfter`
 *                 late. READY and GO wait for nobody in this state
 *
 * The end of a connection, or garbage, leads from ready, playing and draining
 *
 *   to lost            where the workload does not say `reconnect`
 *   to reconnecting    where it does, as long as the run goes on: what was unanswered has failed, and the next welcome
 *                      says which of its numbers are committed and which are void and used again (ledger.ts)
 *
 * Where there is churn (churn.ts), a player that is told to leave, playing or draining, begins nothing more; once nothing
 * of its is unanswered, it closes its connection and is `reconnecting`, for as long as it is to be away.
 *
 * Every change of a state is one of the methods under "Transitions".
 */
const CONNECTING = 0;
const READY = 1;
const PLAYING = 2;
const DRAINING = 3;
const CLOSED = 4;
const LOST = 5;
const RECONNECTING = 6;

/** Operations that one turn of the loop sends at most, some 15 ms: what was answered has to be read, too. */
const MOST_PER_TURN = 1000;
/** Operations of a player that may wait, over what the rate fills while one may wait. */
const WAITING_SPARE = 4;
const ENDED_UNANSWERED = "a player's connection ended before an operation was answered";
const NONE: readonly number[] = [];

/** What the players of one worker are to do; times in microseconds. */
type PlayerPoolOptions = Pick<
  Workload,
  'seed' | 'timeline' | 'players' | 'operations' | 'outstanding' | 'skipAfter' | 'timeout'
>;

/** What a pool works with; the sources of the worker share it. */
type PlayerPoolTools = Pick<SourceTools, 'recorder' | 'ledger' | 'hash' | 'errors' | 'now'>;

/** Who brings players back whose connection has ended. */
export interface ReconnectPolicy {
  lost(player: number): void;
  /** Those who have left by themselves, after `away` microseconds. */
  left(player: number, away: number): void;
}

/**
 * The players of one worker: their states, what waits, what is unanswered, and their connections. HOT: the worker's one
 * timer calls `send`, and nothing is allocated for an operation.
 */
export class PlayerPool implements Listener {
  connected = 0;
  disconnects = 0;
  /** Players who connected again after their connection had ended. */
  reconnects = 0;
  /** Players who left by themselves, and who joined again. */
  leaves = 0;
  joins = 0;
  strayAnswers = 0;
  framesIn = 0;
  bytesIn = 0;
  bytesOut = 0;

  private readonly ids: Int32Array;
  private readonly skipAfter: number;
  private readonly timeout: number;
  private readonly tools: PlayerPoolTools;

  /** By player: what it is, and what it will be when it is connected again. */
  private readonly state: Uint8Array;
  private readonly resumesAs: Uint8Array;
  private readonly connections: (Connection | null)[];
  /** By player: the last sequence number used. */
  private readonly lastSequence: Float64Array;
  /** By player: since when it could have sent: a slot became free, or it was connected. */
  private readonly ableAt: Float64Array;

  /** The operations that players do, as indexes in the workload's, each with a schedule of its own for each player. */
  private readonly operations: readonly number[];
  private readonly pacers: readonly PlayerPacer[];
  /** When which schedule has something due, and how much of it has come due: player x operations + operation. */
  private readonly wakes: WakeHeap;
  private readonly planned: Uint32Array;
  /** By player: its schedules that are not over. */
  private readonly schedules: Uint8Array;

  private readonly waiting: Waiting;
  private readonly slots: Slots;
  /** Numbers that timed out on the connection that is open: should they be answered later, the ledger is to know. */
  private readonly late = new Map<number, Set<number>>();

  /** Null: who is lost stays lost, and nobody leaves. */
  private policy: ReconnectPolicy | null = null;
  /** Who leaves once nothing is unanswered, and for how long; and who has left. */
  private readonly leaving = new Map<number, number>();
  private readonly away = new Set<number>();
  /** What was unanswered when its connection ended, by player. */
  private readonly openNumbers = new Map<number, readonly number[]>();
  /** Connections that were cut on purpose, and whose end has not been heard yet. */
  private readonly dropped = new Set<Connection>();

  /** Whose waiting operations are being sent: what is answered meanwhile must not begin that again. */
  private pumping = -1;
  /** When what is being told came. */
  private heardAt = 0;
  private stopped = false;
  private finished = false;

  /** `ids`: the worker's players, as entities of the ledger. */
  constructor(options: PlayerPoolOptions, ids: Int32Array, tools: PlayerPoolTools) {
    const { seed, timeline, operations, outstanding, skipAfter, timeout } = options;
    const players = ids.length;
    const rate = playerRate(options);
    this.ids = ids;
    this.skipAfter = skipAfter;
    this.timeout = timeout;
    this.tools = tools;
    this.state = new Uint8Array(players).fill(CONNECTING);
    this.resumesAs = new Uint8Array(players);
    this.connections = new Array<Connection | null>(players).fill(null);
    this.lastSequence = new Float64Array(players);
    this.ableAt = new Float64Array(players);
    this.operations = [...operations.keys()].filter((index) => operations[index]!.actor === 'player');
    this.pacers = this.operations.map((index) => {
      const own = options.players === 0 ? 0 : operations[index]!.perSecond / options.players;
      return new PlayerPacer(seed, ids, own, timeline, index);
    });
    this.wakes = new WakeHeap(players * this.pacers.length);
    this.planned = new Uint32Array(players * this.pacers.length);
    this.schedules = new Uint8Array(players);
    const mostWaiting = Math.ceil((peakOf(timeline.stages) * rate * skipAfter) / 1e6) + WAITING_SPARE;
    this.waiting = new Waiting(players, mostWaiting);
    this.slots = new Slots(players, outstanding, operations.length);
  }

  /** From now on, who loses its connection is handed over, and comes back by `resume`. */
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
  }

  /** GO: ready -> playing. Players that are lost have a schedule all the same. */
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

  /** The connection is over, without our doing or because garbage came: -> reconnecting, or lost. */
  ended(player: number, connection: Connection): void {
    // Of a connection that was given up before, or has been followed by another.
    if (this.connections[player] !== connection) return;
    this.release(player);
    if (this.state[player] === CLOSED) return;
    const { tools } = this;
    const policy = this.finished ? null : this.policy;
    if (policy === null) this.state[player] = LOST;
    else this.suspend(player);
    // It has no time to leave any more.
    this.leaving.delete(player);
    this.disconnects += 1;
    connection.cut();
    if (this.finished) return;
    const now = tools.now();
    const open = this.slots.of(player);
    // What was cut on purpose is told as that.
    if (!this.dropped.delete(connection) && open > 0) tools.errors.add(ENDED_UNANSWERED, open);
    this.settleUnanswered(player, OUTCOME.failed, now, Number.POSITIVE_INFINITY);
    if (policy === null) this.settleWaiting(player, OUTCOME.failedUnsent, now);
    else policy.lost(player);
  }

  /** It is to leave, and nothing is unanswered any more: playing, draining -> reconnecting. */
  private depart(player: number): void {
    const away = this.leaving.get(player);
    if (away === undefined || this.slots.of(player) > 0 || this.finished) return;
    const connection = this.connections[player];
    this.release(player);
    this.suspend(player);
    this.leaving.delete(player);
    this.leaves += 1;
    this.away.add(player);
    connection?.close();
    this.policy?.left(player, away);
  }

  /** -> reconnecting. Late answers to what is unanswered may still be under way: the next welcome decides. */
  private suspend(player: number): void {
    this.resumesAs[player] = this.state[player]!;
    this.state[player] = RECONNECTING;
    this.openNumbers.set(player, [...this.slots.sequencesOf(player), ...(this.late.get(player) ?? NONE)]);
    this.late.delete(player);
  }

  /** reconnecting -> ready, playing or draining, and on with what waits. */
  resume(player: number, connection: Connection, { lastSequence, stated }: Welcome): void {
    const { ledger, errors, now } = this.tools;
    const id = this.ids[player]!;
    if (this.away.delete(player)) this.joins += 1;
    else this.reconnects += 1;
    const unanswered = this.openNumbers.get(player) ?? NONE;
    this.openNumbers.delete(player);
    // A server that keeps no numbers decides nothing about them: the player goes on with the next.
    if (lastSequence !== null) {
      const { last, breach } = ledger.resume(id, lastSequence, this.lastSequence[player]!, unanswered);
      if (breach !== null) errors.add(BREACHES[breach]);
      this.lastSequence[player] = last;
    }
    ledger.stated(id, stated);
    this.state[player] = this.resumesAs[player]!;
    this.hold(player, connection);
    this.ableAt[player] = now();
    this.pump(player, this.ableAt[player]!);
  }

  /** -> closed, but for those that are lost: asks every server to end the connection, and waits for none. */
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
  }

  // The schedule

  /** Infinity when nothing more is due. */
  get nextDue(): number {
    return this.stopped ? Number.POSITIVE_INFINITY : this.wakes.topKey;
  }

  /** Operations sent and not answered, of one index in the workload's operations. */
  inFlight(operation: number): number {
    return this.slots.taken[operation]!;
  }

  /** Nothing more is due, waits or is unanswered. */
  get isDrained(): boolean {
    return this.nextDue === Number.POSITIVE_INFINITY && this.isIdle;
  }

  /** Nothing waits or is unanswered. */
  private get isIdle(): boolean {
    return this.slots.total === 0 && this.waiting.total === 0;
  }

  /**
   * Everything that is due by now, up to a turn's worth sent; true when more is due already. What this worker
   * itself is too late for is skipped like what waits too long, and costs no turn: it never falls further behind.
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

  /** Times out what is unanswered for too long, skips what waits for too long. */
  sweep(now: number): void {
    if (this.isIdle) return;
    for (let player = 0; player < this.state.length; player++) {
      if (this.slots.of(player) > 0) {
        this.settleUnanswered(player, OUTCOME.timedOut, now, now - this.timeout);
      }
      if (this.waiting.of(player) > 0) this.pump(player, now);
      if (this.leaving.size > 0) this.depart(player);
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
    for (let player = 0; player < this.state.length; player++) {
      this.settleUnanswered(player, OUTCOME.unfinished, now, Number.POSITIVE_INFINITY);
      this.settleWaiting(player, OUTCOME.skipped, now);
    }
  }

  /** Hashes what was planned and never came due; at most `most` operations. True when nothing is left. */
  hashRest(most: number): boolean {
    const { wakes, pacers } = this;
    for (let n = 0; n < most && wakes.size > 0; n++) this.advance(Math.floor(wakes.topId / pacers.length));
    return wakes.size === 0;
  }

  /** The next operation has come due, which is this player's: says which it is, and hashes it. */
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

  /** An operation has come due; true when it was sent. */
  private schedule(player: number, operation: number, due: number, now: number): boolean {
    const { waiting } = this;
    const { recorder } = this.tools;
    recorder.schedule(operation, 1, due);
    if (this.state[player] === LOST) {
      recorder.settle(operation, OUTCOME.failedUnsent, 1, due, due, due);
      return false;
    }
    const able = waiting.of(player) === 0 && this.isAble(player);
    if (now - due > this.skipAfter) {
      if (able) recorder.ownLag(operation, 1, due, now - this.sendable(player, due));
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

  /** A slot is free, and a connection is there. */
  private isAble(player: number): boolean {
    if (this.slots.isFull(player)) return false;
    if (this.leaving.size > 0 && this.leaving.has(player)) return false;
    // Without a way back, what meets a connection that is just ending fails at once.
    return this.policy === null || this.connections[player]?.isOpen === true;
  }

  /** From when on an operation of this due time could have been sent. */
  private sendable(player: number, due: number): number {
    return Math.max(due, this.ableAt[player]!);
  }

  /** Sends what waits as far as there are slots; skips what is too late. */
  private pump(player: number, now: number): void {
    const { waiting, tools, skipAfter, pumping } = this;
    this.pumping = player;
    while (waiting.of(player) > 0) {
      const due = waiting.due(player);
      const operation = waiting.operation(player);
      if (now - due > skipAfter) {
        waiting.shift(player);
        tools.recorder.settle(operation, OUTCOME.skipped, 1, due, due, now);
      } else if (!this.isAble(player)) {
        break;
      } else {
        waiting.shift(player);
        this.sendOne(player, operation, due);
      }
    }
    this.pumping = pumping;
  }

  private sendOne(player: number, operation: number, due: number): void {
    const { recorder, ledger, now } = this.tools;
    const connection = this.connections[player];
    const sent = now();
    if (!connection?.isOpen) {
      // The end of the connection is known to itself, and its event is on the way.
      recorder.settle(operation, OUTCOME.failedUnsent, 1, due, due, sent);
      return;
    }
    const sequence = this.lastSequence[player]! + 1;
    this.lastSequence[player] = sequence;
    const ownLag = sent - this.sendable(player, due);
    this.slots.take(player, operation, sequence, due, sent, ownLag);
    recorder.ownLag(operation, 1, due, ownLag);
    ledger.sent(this.ids[player]!, sequence);
    // What it may tell meanwhile is added as well: the sum is taken afterwards.
    const bytes = connection.send(operation, sequence, due);
    this.bytesOut += bytes;
  }

  /** Ends what the player sent before a time and is unanswered. */
  private settleUnanswered(player: number, outcome: Outcome, now: number, sentBefore: number): void {
    const { slots } = this;
    const first = player * slots.each;
    for (let slot = first; slot < first + slots.each; slot++) {
      const sequence = slots.sequence[slot]!;
      if (sequence === 0 || slots.sent[slot]! >= sentBefore) continue;
      const operation = slots.operation[slot]!;
      this.tools.recorder.settle(operation, outcome, 1, slots.due[slot]!, slots.sent[slot]!, now);
      if (slots.isFull(player)) this.ableAt[player] = now;
      slots.free(player, slot);
      if (outcome === OUTCOME.timedOut) this.noteLate(player, sequence);
    }
  }

  private noteLate(player: number, sequence: number): void {
    const known = this.late.get(player);
    if (known === undefined) this.late.set(player, new Set([sequence]));
    else known.add(sequence);
  }

  /** Ends all that the player has waiting. */
  private settleWaiting(player: number, outcome: Outcome, now: number): void {
    const { waiting } = this;
    while (waiting.of(player) > 0) {
      const due = waiting.due(player);
      this.tools.recorder.settle(waiting.operation(player), outcome, 1, due, due, now);
      waiting.shift(player);
    }
  }

  // Who goes away on purpose

  /**
   * Cuts the connections of a share of the connected players, as if the network had gone: no close frame. The
   * seed decides whom; the share, rounded, how many.
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
   * The player leaves, with a clean close, once nothing of its is unanswered, and joins again after `away`
   * microseconds. What comes due from now on waits for that, or is skipped. Nobody leaves who is not there.
   */
  leave(player: number, away: number): void {
    const state = this.state[player];
    if (this.policy === null || (state !== PLAYING && state !== DRAINING)) return;
    this.leaving.set(player, away);
    this.depart(player);
  }

  // What connections tell

  heard(player: number, connection: Connection, bytes: number): boolean {
    this.framesIn += 1;
    this.bytesIn += bytes;
    // A connection that is over may still have had something to say.
    if (this.finished || this.connections[player] !== connection) return false;
    this.heardAt = this.tools.now();
    return true;
  }

  answered(player: number, sequence: number, outcome: Outcome): void {
    const { tools, slots, heardAt: now } = this;
    const slot = sequence >= 1 ? slots.find(player, sequence) : -1;
    if (slot >= 0) {
      const sent = slots.sent[slot]!;
      // An answer after the timeout is none, also when the sweep has not come by yet.
      const end = now - sent <= this.timeout ? outcome : OUTCOME.timedOut;
      const ownLag = slots.ownLag[slot]!;
      tools.recorder.settle(slots.operation[slot]!, end, 1, slots.due[slot]!, sent, now, ownLag);
      if (slots.isFull(player)) this.ableAt[player] = now;
      slots.free(player, slot);
    } else if (!this.late.get(player)?.delete(sequence)) {
      this.stray('a world server acknowledged a sequence number that was not waiting for an answer');
      return;
    }
    if (outcome !== OUTCOME.failed) tools.ledger.acked(this.ids[player]!, sequence);
  }

  stated(player: number, what: number): void {
    this.tools.ledger.stated(this.ids[player]!, what);
  }

  heardAll(player: number): void {
    if (this.waiting.of(player) > 0 && this.pumping !== player) this.pump(player, this.heardAt);
    if (this.leaving.size > 0) this.depart(player);
  }

  carried(bytesIn: number, bytesOut: number): void {
    this.bytesIn += bytesIn;
    this.bytesOut += bytesOut;
  }

  stray(message: string): void {
    this.strayAnswers += 1;
    this.tools.errors.add(message);
  }
}

/**
 * The unanswered operations of all players of a worker: `each` slots for every one of them. HOT.
 * A slot whose sequence number is 0 is free; numbers begin at 1.
 */
class Slots {
  readonly each: number;
  /** Over all players: of all operations, and of each. */
  total = 0;
  readonly taken: Int32Array;
  readonly sequence: Float64Array;
  readonly operation: Uint8Array;
  readonly due: Float64Array;
  readonly sent: Float64Array;
  /** The part of `sent - due` that the worker itself caused. */
  readonly ownLag: Float64Array;
  private readonly busy: Uint16Array;

  constructor(players: number, each: number, operations: number) {
    this.each = each;
    this.taken = new Int32Array(operations);
    this.sequence = new Float64Array(players * each);
    this.operation = new Uint8Array(players * each);
    this.due = new Float64Array(players * each);
    this.sent = new Float64Array(players * each);
    this.ownLag = new Float64Array(players * each);
    this.busy = new Uint16Array(players);
  }

  of(player: number): number {
    return this.busy[player]!;
  }

  isFull(player: number): boolean {
    return this.busy[player]! >= this.each;
  }

  /** The caller knows that the player has a free slot. */
  take(player: number, operation: number, sequence: number, due: number, sent: number, ownLag: number): void {
    const slot = this.find(player, 0);
    this.sequence[slot] = sequence;
    this.operation[slot] = operation;
    this.due[slot] = due;
    this.sent[slot] = sent;
    this.ownLag[slot] = ownLag;
    this.busy[player]! += 1;
    this.taken[operation]! += 1;
    this.total += 1;
  }

  /** -1 when the player has no such number unanswered. */
  find(player: number, sequence: number): number {
    const first = player * this.each;
    for (let slot = first; slot < first + this.each; slot++) {
      if (this.sequence[slot] === sequence) return slot;
    }
    return -1;
  }

  /** The unanswered numbers of a player. */
  sequencesOf(player: number): number[] {
    const first = player * this.each;
    return [...this.sequence.subarray(first, first + this.each)].filter((sequence) => sequence !== 0);
  }

  free(player: number, slot: number): void {
    this.sequence[slot] = 0;
    this.busy[player]! -= 1;
    this.taken[this.operation[slot]!]! -= 1;
    this.total -= 1;
  }
}

/** Operations that wait for a slot or a connection, with their due times: a ring for each player of a worker. HOT. */
class Waiting {
  /** Over all players. */
  total = 0;
  private readonly capacity: number;
  private readonly dues: Float64Array;
  private readonly operations: Uint8Array;
  private readonly head: Uint32Array;
  private readonly count: Uint32Array;

  constructor(players: number, capacity: number) {
    this.capacity = capacity;
    this.dues = new Float64Array(players * capacity);
    this.operations = new Uint8Array(players * capacity);
    this.head = new Uint32Array(players);
    this.count = new Uint32Array(players);
  }

  of(player: number): number {
    return this.count[player]!;
  }

  isFull(player: number): boolean {
    return this.count[player] === this.capacity;
  }

  /** Of the one that waits longest; the caller knows that there is one. */
  due(player: number): number {
    return this.dues[player * this.capacity + this.head[player]!]!;
  }

  operation(player: number): number {
    return this.operations[player * this.capacity + this.head[player]!]!;
  }

  push(player: number, operation: number, due: number): void {
    const at = player * this.capacity + ((this.head[player]! + this.count[player]!) % this.capacity);
    this.dues[at] = due;
    this.operations[at] = operation;
    this.count[player]! += 1;
    this.total += 1;
  }

  /** The one that waits longest waits no more. */
  shift(player: number): void {
    this.head[player] = (this.head[player]! + 1) % this.capacity;
    this.count[player]! -= 1;
    this.total -= 1;
  }
}

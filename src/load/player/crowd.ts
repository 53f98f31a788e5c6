import { WebSocket } from 'ws';
import { mulberry32, streamSeed } from '../../rng.ts';
import { BREACHES } from '../ledger.ts';
import { INTENT, OUTCOME, type Outcome } from '../recorder.ts';
import { Agenda } from './agenda.ts';
import type { Comeback, CrowdPlan, CrowdTools } from './crowd-plan.ts';
import { LateNumbers } from './late-numbers.ts';
import { type Listener, PLAYER, type Welcome } from './player.ts';
import type { Home } from './reconnector.ts';
import { Slots, Waiting } from './slots.ts';
import { frameBytes, MASK_BYTES } from './socket.ts';

/** Operations that one turn of the loop sends at most, some 15 ms: what was answered has to be read, too. */
const MOST_PER_TURN = 1000;
const TEXT = { binary: false } as const;
/** Over what the rate fills while an operation may wait. */
const WAITING_SPARE = 4;
/** What the stream of random numbers that picks whom to cut is for. */
const CUT = 32;
const NONE: readonly number[] = [];

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
  private readonly sockets: (WebSocket | null)[];
  /** Last sequence number used. */
  private readonly sequence: Float64Array;
  private readonly agenda: Agenda;
  /** What a player will be when it is connected again. */
  private readonly resumesAs: Uint8Array;
  /** Since when the player could have sent: a slot became free, or it was connected. */
  private readonly ableAt: Float64Array;
  private readonly slots: Slots;
  private readonly waiting: Waiting;
  private readonly late = new LateNumbers();
  /** What was unanswered when its connection ended, by player. */
  private readonly unanswered = new Map<number, readonly number[]>();
  /** Who leaves once nothing is unanswered, and for how long; and who has left. */
  private readonly leaving = new Map<number, number>();
  private readonly away = new Set<number>();
  /** Null: who is lost stays lost. */
  private comeback: Comeback | null = null;
  private stopped = false;
  private finished = false;
  /** When the frame that is being read came. */
  private heardAt = 0;

  constructor(plan: CrowdPlan, tools: CrowdTools) {
    const players = plan.ids.length;
    this.plan = plan;
    this.tools = tools;
    this.state = new Uint8Array(players);
    this.sockets = new Array<WebSocket | null>(players).fill(null);
    this.sequence = new Float64Array(players);
    this.agenda = new Agenda(plan.ids, tools.pacer, tools.hash);
    this.resumesAs = new Uint8Array(players);
    this.ableAt = new Float64Array(players);
    this.slots = new Slots(players, plan.outstanding);
    const waiting = Math.ceil((plan.intentRate * plan.skipAfter) / 1e6) + WAITING_SPARE;
    this.waiting = new Waiting(players, waiting);
  }

  /** From now on, who loses its connection is handed over, and comes back by `resume`. */
  reconnectBy(comeback: Comeback): void {
    this.comeback = comeback;
  }

  /** Takes over a player that was welcomed: connecting -> ready. */
  welcome(player: number, socket: WebSocket, lastSequence: number): void {
    this.state[player] = PLAYER.ready;
    this.sequence[player] = lastSequence;
    this.tools.ledger.welcome(this.plan.ids[player]!, lastSequence);
    this.hold(player, socket);
  }

  /** reconnecting -> ready, playing or draining, and on with what waits. */
  resume(player: number, socket: WebSocket, { lastSequence, place }: Welcome): void {
    const { ledger, complaints, now } = this.tools;
    const id = this.plan.ids[player]!;
    const unanswered = this.unanswered.get(player) ?? NONE;
    this.unanswered.delete(player);
    const { last, breach } = ledger.resume(id, lastSequence, this.sequence[player]!, unanswered);
    if (breach !== null) complaints.add(BREACHES[breach]);
    ledger.placed(id, place);
    this.sequence[player] = last;
    this.state[player] = this.resumesAs[player]!;
    if (this.away.delete(player)) this.joins += 1;
    else this.reconnects += 1;
    this.hold(player, socket);
    this.ableAt[player] = now();
    this.pump(player, this.ableAt[player]!);
  }

  private hold(player: number, socket: WebSocket): void {
    this.sockets[player] = socket;
    this.connected += 1;
    socket.on('message', (data) => {
      if (Buffer.isBuffer(data)) this.read(player, socket, data);
    });
    socket.on('error', (error) => this.tools.complaints.add(`a player's connection: ${error.message}`));
    socket.on('close', () => this.lose(player, socket));
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
    return this.slots.taken;
  }

  /** Nothing more is due, waits or is unanswered. */
  get isDrained(): boolean {
    return this.nextDue === Number.POSITIVE_INFINITY && this.slots.taken === 0 && this.waiting.total === 0;
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
    if (this.slots.taken === 0 && this.waiting.total === 0) return;
    const { timeout } = this.plan;
    for (let player = 0; player < this.state.length; player++) {
      if (!this.slots.isEmpty(player)) {
        this.settleSlots(player, OUTCOME.timedOut, now, now - timeout);
      }
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
      this.settleSlots(player, OUTCOME.unfinished, now, Number.POSITIVE_INFINITY);
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
      this.sockets[player]?.close(1000);
    }
  }

  /**
   * Cuts the connections of a share of the connected players, as if the network had gone: no close frame. The
   * seed decides whom; the share, rounded, how many.
   */
  drop(sharePercent: number, seed: number): number {
    if (this.finished) return 0;
    const draws = this.sockets
      .map((socket, player) => ({ socket, draw: mulberry32(streamSeed(seed, CUT, this.plan.ids[player]!)) }))
      .filter(({ socket }) => socket?.readyState === WebSocket.OPEN)
      .sort((a, b) => a.draw - b.draw);
    const cut = draws.slice(0, Math.round((draws.length * sharePercent) / 100));
    for (const { socket } of cut) socket?.terminate();
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
    if (away === undefined || !this.slots.isEmpty(player) || this.finished) return;
    this.leaving.delete(player);
    const socket = this.sockets[player];
    this.sockets[player] = null;
    this.connected -= 1;
    this.leaves += 1;
    this.away.add(player);
    this.resumesAs[player] = this.state[player]!;
    this.state[player] = PLAYER.reconnecting;
    this.unanswered.set(player, [...this.late.of(player)]);
    this.late.clear(player);
    socket?.close(1000);
    this.comeback?.left(player, away);
  }

  answered(player: number, sequence: number, accepted: boolean): void {
    const { tools, slots } = this;
    const slot = sequence >= 1 ? slots.find(player, sequence) : -1;
    if (slot < 0) {
      if (this.late.delete(player, sequence)) {
        tools.ledger.acked(this.plan.ids[player]!, sequence);
      } else {
        this.strayAnswers += 1;
        tools.complaints.add(
          'a world server acknowledged a sequence number that was not waiting for an answer',
        );
      }
      return;
    }
    // An answer after the timeout is none, also when the sweep has not come by yet.
    const inTime = this.heardAt - slots.sent[slot]! <= this.plan.timeout;
    const outcome = !inTime ? OUTCOME.timedOut : accepted ? OUTCOME.ok : OUTCOME.rejected;
    tools.recorder.settle(INTENT, outcome, 1, slots.due[slot]!, slots.sent[slot]!, this.heardAt);
    tools.ledger.acked(this.plan.ids[player]!, sequence);
    if (slots.isFull(player)) this.ableAt[player] = this.heardAt;
    slots.free(player, slot);
  }

  placed(player: number, place: number): void {
    this.tools.ledger.placed(this.plan.ids[player]!, place);
  }

  private read(player: number, socket: WebSocket, data: Buffer): void {
    this.framesIn += 1;
    this.bytesIn += frameBytes(data.length);
    // A connection that is over may still have had something to say.
    if (this.finished || this.sockets[player] !== socket) return;
    this.heardAt = this.tools.now();
    if (!this.tools.voice.hear(player, data.toString(), this)) {
      this.strayAnswers += 1;
      this.tools.complaints.add('a world server sent a player a frame that is not of the protocol');
      this.lose(player, socket);
      return;
    }
    if (this.waiting.of(player) > 0) this.pump(player, this.heardAt);
    this.depart(player);
  }

  /** An operation has come due; true when it was sent. */
  private schedule(player: number, due: number, now: number): boolean {
    const { recorder } = this.tools;
    recorder.schedule(INTENT, 1, due);
    if (this.state[player] === PLAYER.lost) {
      recorder.settle(INTENT, OUTCOME.failed, 1, due, due, due);
      return false;
    }
    const able = this.waiting.of(player) === 0 && this.isAble(player);
    if (now - due > this.plan.skipAfter) {
      if (able) recorder.ownLag(INTENT, 1, due, now - Math.max(due, this.ableAt[player]!));
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
    if (this.slots.isFull(player)) return false;
    if (this.leaving.size > 0 && this.leaving.has(player)) return false;
    // Without a way back, what meets a connection that is just ending fails at once.
    return this.comeback === null || this.sockets[player]?.readyState === WebSocket.OPEN;
  }

  /** Sends what waits as far as there are slots; skips what is too late. */
  private pump(player: number, now: number): void {
    const { waiting, tools, plan } = this;
    while (waiting.of(player) > 0) {
      if (now - waiting.first(player) > plan.skipAfter) {
        const due = waiting.shift(player);
        tools.recorder.settle(INTENT, OUTCOME.skipped, 1, due, due, now);
      } else if (!this.isAble(player)) {
        return;
      } else {
        this.sendNow(player, waiting.shift(player));
      }
    }
  }

  private sendNow(player: number, due: number): void {
    const { recorder, ledger, voice, now } = this.tools;
    const socket = this.sockets[player];
    const sent = now();
    if (!socket || socket.readyState !== WebSocket.OPEN) {
      // The end of the connection is known to the socket, and its event is on the way.
      recorder.settle(INTENT, OUTCOME.failed, 1, due, due, sent);
      return;
    }
    const sequence = this.sequence[player]! + 1;
    this.sequence[player] = sequence;
    this.slots.take(player, sequence, due, sent);
    recorder.ownLag(INTENT, 1, due, sent - Math.max(due, this.ableAt[player]!));
    const frame = voice.intent(player, sequence);
    this.bytesOut += frameBytes(frame.length) + MASK_BYTES;
    ledger.sent(this.plan.ids[player]!, sequence);
    // A Buffer is masked and framed in one piece and takes one write; text would take a gathering one.
    socket.send(Buffer.from(frame, 'latin1'), TEXT);
  }

  /** The connection is over, without our doing or because garbage came. */
  private lose(player: number, socket: WebSocket): void {
    // Of a connection that was given up before, or has been followed by another.
    if (this.sockets[player] !== socket) return;
    this.connected -= 1;
    this.sockets[player] = null;
    const state = this.state[player]!;
    if (state === PLAYER.closed) return;
    this.state[player] = PLAYER.lost;
    this.leaving.delete(player);
    this.disconnects += 1;
    socket.terminate();
    if (this.finished) return;
    const now = this.tools.now();
    if (this.comeback === null) {
      this.settleSlots(player, OUTCOME.failed, now, Number.POSITIVE_INFINITY);
      this.settleWaiting(player, OUTCOME.failed, now);
      return;
    }
    this.state[player] = PLAYER.reconnecting;
    this.resumesAs[player] = state;
    this.unanswered.set(player, [...this.slots.sequencesOf(player), ...this.late.of(player)]);
    this.late.clear(player);
    this.settleSlots(player, OUTCOME.failed, now, Number.POSITIVE_INFINITY);
    this.comeback.lost(player);
  }

  /** Settles a player's unanswered operations that were sent before an instant. */
  private settleSlots(player: number, outcome: Outcome, now: number, sentBefore: number): void {
    const { slots } = this;
    const first = player * slots.each;
    for (let slot = first; slot < first + slots.each; slot++) {
      const sequence = slots.sequence[slot]!;
      if (sequence === 0 || slots.sent[slot]! >= sentBefore) continue;
      this.tools.recorder.settle(INTENT, outcome, 1, slots.due[slot]!, slots.sent[slot]!, now);
      if (slots.isFull(player)) this.ableAt[player] = now;
      slots.free(player, slot);
      if (outcome === OUTCOME.timedOut) this.late.add(player, sequence);
    }
  }

  private settleWaiting(player: number, outcome: Outcome, now: number): void {
    while (this.waiting.of(player) > 0) {
      const due = this.waiting.shift(player);
      this.tools.recorder.settle(INTENT, outcome, 1, due, due, now);
    }
  }
}

import exec from 'k6/execution';
import { account } from '../../../../export/k6/script/account.ts';
import {
  DRAIN_END_MS,
  dueMs,
  END_MS,
  type SetupData,
  SKIP_AFTER_MS,
  TIMELINE,
  TIMEOUT_MS,
} from '../../../../export/k6/script/config.ts';
import { ledgerRow } from '../../../../export/k6/script/ledger-rows.ts';
import { WelcomedSocket } from '../../../../export/k6/script/socket.ts';
import { frameBytes, MASK_BYTES } from '../../../../load/frame-bytes.ts';
import { NumberSets } from '../../../../load/number-sets.ts';
import { OUTCOME } from '../../../../load/outcome.ts';
import { PlayerPacer } from '../../../../load/pacer.ts';
import { ScheduleHash } from '../../../../load/schedule-hash.ts';
import { INTENT } from '../../workload.ts';
import { LateCodec } from './codec.ts';
import type { World } from './worlds.ts';

// One virtual user plays a block of players, with a WebSocket for each. A player connects, waits for GO, sends what its
// schedule says, and keeps at most "outstanding" intents unanswered. What is due meanwhile waits, and is skipped once it
// is "skipAfter" late. A player whose connection ends does not connect again: everything that comes due for it has failed.

const intents = account.operations[INTENT]!;
const { totals } = account;

/** An intent that was sent, in milliseconds, and when it was due, in microseconds. */
interface Asked {
  readonly due: number;
  readonly sent: number;
}

/** k6's scenario "players" runs it once in each virtual user. */
export function players(data: SetupData<World>): void {
  const first = exec.scenario.iterationInTest * CONFIG.playersPerUser;
  const size = Math.max(0, Math.min(CONFIG.playersPerUser, CONFIG.players - first));
  new PlayerBlock(
    Array.from({ length: size }, (_, i) => first + i),
    data,
  ).start();
}

class PlayerBlock {
  readonly codec: LateCodec;
  readonly pacer: PlayerPacer;
  readonly acked: NumberSets;
  readonly hash = new ScheduleHash();
  readonly errors = new Set<string>();
  readonly data: SetupData<World>;
  readonly now = (): number => Date.now() - this.data.go;
  private readonly ids: readonly number[];
  private readonly all: readonly Player[];
  private playing: number;

  constructor(ids: readonly number[], data: SetupData<World>) {
    this.ids = ids;
    this.data = data;
    this.playing = ids.length;
    this.codec = new LateCodec(CONFIG.seed, ids, (player) => this.all[player]?.garbage());
    this.pacer = new PlayerPacer(CONFIG.seed, ids, Number(CONFIG.intentsPerSecondOfAPlayer), TIMELINE);
    this.acked = new NumberSets(new Float64Array(ids.length));
    this.all = ids.map((id, index) => new Player(id, index, this));
  }

  start(): void {
    const { go } = this.data;
    account.begin(this.now);
    for (const player of this.all) player.start();
    setTimeout(
      () => {
        totals.connectedAtGo += this.all.filter(({ isReady }) => isReady).length;
      },
      Math.max(0, go - Date.now()),
    );
  }

  /** One of its players has finished; with the last one, the virtual user has. */
  finished(): void {
    this.playing -= 1;
    if (this.playing > 0) return;
    const rows = (): number[][] =>
      this.all.map(({ last, place }, i) => ledgerRow(this.ids[i]!, this.acked, i, last, place));
    account.finish(this.hash.words(), rows, this.errors);
  }
}

class Player {
  /** The last number used. */
  last = 0;
  /** 1 + the place that the server stated last. */
  place = 0;
  private readonly id: number;
  private readonly index: number;
  private readonly block: PlayerBlock;
  private readonly world: World | undefined;
  private readonly socket: WelcomedSocket;
  private planned = 0;
  /** Since when the next intent could have been sent: a slot became free, or the player was connected. */
  private ableAt = -Infinity;
  /** By number, in the order of sending. */
  private readonly unanswered = new Map<number, Asked>();
  /** Numbers that timed out; an answer may still come. */
  private readonly late = new Set<number>();
  /** Due times. */
  private waiting: number[] = [];
  private nextDue: number;
  private timer: unknown = null;
  private began = 0;

  constructor(id: number, index: number, block: PlayerBlock) {
    this.id = id;
    this.index = index;
    this.block = block;
    this.nextDue = block.pacer.next(index);
    this.world = block.data.worlds.find(({ players: { from, to } }) => id >= from && id < to);
    this.socket = new WelcomedSocket(`${this.world?.url}${block.codec.path(id)}`, this);
  }

  get isReady(): boolean {
    return this.socket.state === 'ready';
  }

  start(): void {
    const at = this.block.data.connectFrom + (this.id / CONFIG.connectsPerSecond) * 1000;
    setTimeout(
      () => {
        this.began = Date.now();
        if (this.world === undefined) this.socket.refuse('no world server owns this player');
        else this.socket.open();
        this.arm();
      },
      Math.max(0, at - Date.now()),
    );
  }

  answered(_player: number, seq: number, outcome: number): void {
    const asked = this.unanswered.get(seq);
    const { acked } = this.block;
    if (asked === undefined) {
      if (this.late.delete(seq)) {
        acked.add(this.index, seq);
        return;
      }
      totals.stray += 1;
      this.block.errors.add(
        'a world server acknowledged a sequence number that was not waiting for an answer',
      );
      return;
    }
    const at = this.block.now();
    if (this.unanswered.size >= CONFIG.outstanding) this.ableAt = at;
    this.unanswered.delete(seq);
    acked.add(this.index, seq);
    // An answer after the timeout is none.
    if (at - asked.sent > TIMEOUT_MS) intents.missed('timedOut', 1, asked.due);
    else intents.answered(1, outcome === OUTCOME.ok ? 1 : 0, asked.due, asked.sent, at);
  }

  stated(_player: number, place: number): void {
    this.place = 1 + place;
  }

  garbage(): void {
    totals.stray += 1;
    this.socket.lose('a world server sent a player a frame that is not of the protocol');
  }

  welcome(frame: string): boolean {
    const { codec, acked } = this.block;
    const welcome = codec.welcome(this.index, frame);
    if (welcome === null) return false;
    this.last = welcome.lastSequence ?? 0;
    acked.base[this.index] = this.last;
    acked.begin(this.index);
    return true;
  }

  ready(): void {
    account.connected(Date.now() - this.began);
    this.ableAt = this.block.now();
    this.pump();
  }

  receive(frame: string): void {
    totals.framesIn += 1;
    totals.bytesIn += frameBytes(frame.length);
    if (!this.block.codec.decode(this.index, frame, this)) {
      this.garbage();
      return;
    }
    if (this.waiting.length > 0) this.pump();
    if (this.nextDue === Infinity) this.arm();
  }

  refused(why: string): void {
    totals.connectFailed += 1;
    this.block.errors.add(`a player could not connect: ${why}`);
    this.failAll();
  }

  lost(why: string): void {
    totals.disconnects += 1;
    this.block.errors.add(`a player's connection: ${why}`);
    this.failAll();
  }

  private failAll(): void {
    for (const { due } of this.unanswered.values()) intents.missed('failed', 1, due);
    this.unanswered.clear();
    for (const due of this.waiting) intents.missed('failedUnsent', 1, due);
    this.waiting = [];
    this.arm();
  }

  private comeDue(due: number, at: number): void {
    this.planned += 1;
    this.block.hash.add(INTENT, this.id, this.planned, due);
    intents.scheduled(1, due);
    if (this.socket.state === 'lost') {
      intents.missed('failedUnsent', 1, due);
      return;
    }
    const able = this.isReady && this.waiting.length === 0 && this.unanswered.size < CONFIG.outstanding;
    if (at - dueMs(due) > SKIP_AFTER_MS) {
      if (able) intents.late(1, due, at - Math.max(dueMs(due), this.ableAt));
      intents.missed('skipped', 1, due);
      return;
    }
    if (able) this.send(due);
    else this.waiting.push(due);
  }

  private send(due: number): void {
    const seq = this.last + 1;
    const frame = this.block.codec.encode(this.index, INTENT, seq);
    const sent = this.block.now();
    // Encoding may have read garbage, and given the connection up.
    if (!this.socket.canSend) {
      intents.missed('failedUnsent', 1, due);
      return;
    }
    this.last = seq;
    this.unanswered.set(seq, { due, sent });
    intents.late(1, due, sent - Math.max(dueMs(due), this.ableAt));
    totals.bytesOut += frameBytes(frame.length) + MASK_BYTES;
    this.socket.send(frame);
  }

  /** Sends what waits as far as there are slots; skips what is too late. */
  private pump(): void {
    const at = this.block.now();
    while (this.waiting.length > 0) {
      const due = this.waiting[0]!;
      if (at - dueMs(due) > SKIP_AFTER_MS) intents.missed('skipped', 1, due);
      else if (!this.isReady || this.unanswered.size >= CONFIG.outstanding) return;
      else this.send(due);
      this.waiting.shift();
    }
  }

  private comeDueUntil(at: number): void {
    while (dueMs(this.nextDue) <= at) {
      this.comeDue(this.nextDue, at);
      this.nextDue = this.block.pacer.next(this.index);
    }
  }

  private wake(): void {
    const at = this.block.now();
    account.progress(at);
    this.comeDueUntil(at);
    while (this.unanswered.size > 0) {
      const seq: number = this.unanswered.keys().next().value!;
      const { due, sent } = this.unanswered.get(seq)!;
      if (at - sent <= TIMEOUT_MS) break;
      if (this.unanswered.size >= CONFIG.outstanding) this.ableAt = at;
      this.unanswered.delete(seq);
      this.late.add(seq);
      intents.missed('timedOut', 1, due);
    }
    this.pump();
    this.arm();
  }

  /** One timer for whatever comes next: something due, too late or unanswered for too long, or the end. */
  private arm(): void {
    if (this.socket.state === 'over') return;
    const { unanswered, waiting, nextDue } = this;
    const drained = nextDue === Infinity && unanswered.size === 0 && waiting.length === 0;
    let at = Math.min(dueMs(nextDue), DRAIN_END_MS);
    if (waiting.length > 0) at = Math.min(at, dueMs(waiting[0]!) + SKIP_AFTER_MS + 1);
    if (unanswered.size > 0) {
      const oldest: Asked = unanswered.values().next().value!;
      at = Math.min(at, oldest.sent + TIMEOUT_MS + 1);
    }
    if (drained) at = Math.min(at, END_MS);
    const t = this.block.now();
    if (t >= DRAIN_END_MS || (drained && t >= END_MS)) {
      this.finish();
      return;
    }
    if (this.timer !== null) clearTimeout(this.timer as number);
    this.timer = setTimeout(() => this.wake(), Math.max(0, at - t));
  }

  private finish(): void {
    const at = this.block.now();
    account.progress(at);
    this.comeDueUntil(at);
    if (this.timer !== null) clearTimeout(this.timer as number);
    for (const { due } of this.unanswered.values()) intents.missed('unfinished', 1, due);
    for (const due of this.waiting) intents.missed('skipped', 1, due);
    if (this.isReady) totals.left += 1;
    this.socket.end();
    this.block.finished();
  }
}

import { monotonic } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { MicrosHistogram } from '../../hdr-histogram.ts';
import type { Reachable } from '../../stack/access.ts';
import { backoff } from '../backoff.ts';
import type { Complaints } from '../complaints.ts';
import { MONSTER_COMMAND, OUTCOME, type Outcome, type Recorder } from '../recorder.ts';
import type { MonsterRange } from './lanes.ts';
import { Line, type LineListener } from './line.ts';
import type { MonsterNumbers, OpenNumbers } from './numbers.ts';
import { openNumbersIn, writePost } from './post-body.ts';
import { POST, PostQueue, type Posts } from './posts.ts';
import type { OpenWire } from './wire.ts';

/** Posts of one worker that one server has not answered with 202; above that, posts wait. */
const MOST_UNANSWERED = 32;

/** What the links of a worker share. */
export interface LinkTools {
  readonly openWire: OpenWire;
  readonly posts: Posts;
  readonly recorder: Recorder;
  readonly numbers: MonsterNumbers;
  readonly complaints: Complaints;
  readonly skipAfter: number;
  readonly timeout: number;
  /** Microseconds after GO. */
  readonly now: () => number;
  /** How to come back when a line ends; null: what is lost stays lost. */
  readonly reconnect: LinkReconnect | null;
}

export interface LinkReconnect {
  readonly seed: number;
  /** From the end of a line to the welcome of the next one; microseconds. */
  readonly latency: MicrosHistogram;
}

/** A world server and its monsters. */
export interface MonsterWorld extends Reachable {
  readonly monsters: MonsterRange;
}

/**
 * The monsters of one world server as one worker drives them. HOT.
 *
 *   opening -> up --line ended--> lost
 *
 * Where the workload says `reconnect`, the end of a line leads elsewhere, as long as the run goes on:
 *
 *   up --line ended--> down --welcome--> up
 *
 * Down, what was unanswered has failed; what waits, or comes due, waits on, and is skipped once it is `skipAfter`
 * late. The welcome says which of the unanswered numbers are committed (ledger.ts).
 */
export class WorldLink implements LineListener {
  disconnects = 0;
  reconnects = 0;
  strayAnswers = 0;
  /** Posts sent and not settled. */
  inFlight = 0;
  private readonly world: MonsterWorld;
  private readonly generator: string;
  private readonly tools: LinkTools;
  /** Null while there is none. */
  private line: Line | null = null;
  /** Of the lines that are over. */
  private past = { bytesIn: 0, bytesOut: 0 };
  private readonly queue = new PostQueue();
  /** Post number -> slot, of posts that are sent and not free. */
  private readonly sent = new Map<number, number>();
  private lastPost = 0;
  private unanswered = 0;
  /** Since when the server takes another post: it accepted one that had been one too many, or it was connected. */
  private ableAt = 0;
  private lost = false;
  private finished = false;
  /** When the line ended, on the host's monotonic clock; and how often it was tried to have another since. */
  private lostAt = 0;
  private attempts = 0;
  private retry: NodeJS.Timeout | null = null;

  constructor(world: MonsterWorld, generator: string, tools: LinkTools) {
    this.world = world;
    this.generator = generator;
    this.tools = tools;
  }

  /** opening -> up. @throws an Error that names the server that did not let it */
  async open(): Promise<void> {
    await this.connect(null);
  }

  get bytesIn(): number {
    return this.past.bytesIn + (this.line?.bytesIn ?? 0);
  }

  get bytesOut(): number {
    return this.past.bytesOut + (this.line?.bytesOut ?? 0);
  }

  /** Nothing waits or is unsettled. */
  get isDrained(): boolean {
    return this.queue.length === 0 && this.inFlight === 0;
  }

  /** A post of this server has come due; true when it was sent. What the worker is too late for is skipped. */
  offer(slot: number, now: number): boolean {
    const { posts, skipAfter } = this.tools;
    const due = posts.due[slot]!;
    const able = this.queue.length === 0 && this.isAble;
    if (this.lost || now - due > skipAfter) {
      if (able) this.noteOwnLag(slot, now);
      this.settle(slot, this.lost ? OUTCOME.failedUnsent : OUTCOME.skipped, now);
      posts.free(slot);
      return false;
    }
    if (able) {
      this.send(slot);
      return true;
    }
    this.queue.push(slot);
    return false;
  }

  /** Times out what is uncommitted for too long, skips what waits for too long. */
  sweep(now: number): void {
    if (this.lost) return;
    const { posts, timeout } = this.tools;
    for (const slot of this.sent.values()) {
      // In the order of sending: the first that is young enough ends it.
      if (posts.sent[slot]! >= now - timeout) break;
      if (posts.settled[slot] === 0) this.settleSent(slot, OUTCOME.timedOut, now);
    }
    this.pump(now);
  }

  finish(now: number): void {
    for (const slot of this.sent.values()) {
      if (this.tools.posts.settled[slot] === 0) this.settleSent(slot, OUTCOME.unfinished, now);
    }
    this.settleQueue(OUTCOME.skipped, now);
    this.finished = true;
    if (this.retry !== null) clearTimeout(this.retry);
  }

  close(): void {
    this.finished = true;
    if (this.retry !== null) clearTimeout(this.retry);
    this.line?.close();
  }

  accepted(slot: number): void {
    const now = this.tools.now();
    this.attempts = 0;
    this.answer(slot, now);
    this.freeWhenOver(slot);
    this.pump(now);
  }

  refused(slot: number, message: string): void {
    const { posts, complaints } = this.tools;
    const now = this.tools.now();
    complaints.add(message);
    this.answer(slot, now);
    if (posts.settled[slot] === 0) this.settleSent(slot, OUTCOME.failed, now);
    // Nothing of it was applied: no commit will come.
    posts.committed[slot] = 1;
    this.freeWhenOver(slot);
    this.pump(now);
  }

  committed(post: number, ok: number, rejected: number): void {
    const { posts, recorder, numbers, complaints, timeout, now } = this.tools;
    if (this.finished) return;
    const slot = this.sent.get(post);
    if (slot === undefined || posts.committed[slot] === 1) {
      this.strayAnswers += 1;
      complaints.add('a world server committed a post that was not waiting for it');
      return;
    }
    if (ok + rejected !== posts.commands) {
      this.strayAnswers += 1;
      complaints.add('a world server committed another number of commands than the post held');
      return;
    }
    if (posts.settled[slot] === 0) {
      const [due, sent, at] = [posts.due[slot]!, posts.sent[slot]!, now()];
      if (at - sent > timeout) {
        recorder.settle(MONSTER_COMMAND, OUTCOME.timedOut, posts.commands, due, sent, at);
      } else {
        if (ok > 0) recorder.settle(MONSTER_COMMAND, OUTCOME.ok, ok, due, sent, at);
        if (rejected > 0) recorder.settle(MONSTER_COMMAND, OUTCOME.rejected, rejected, due, sent, at);
      }
      posts.settled[slot] = 1;
      this.inFlight -= 1;
    }
    const first = slot * posts.commands;
    for (let k = first; k < first + posts.commands; k++) {
      numbers.acked(posts.monsters[k]!, posts.sequences[k]!);
    }
    posts.committed[slot] = 1;
    this.freeWhenOver(slot);
  }

  private send(slot: number): void {
    const { posts, now } = this.tools;
    const body = writePost(posts, slot, this.tools.numbers);
    const post = ++this.lastPost;
    const sent = now();
    posts.state[slot] = POST.underway;
    posts.number[slot] = post;
    posts.sent[slot] = sent;
    this.sent.set(post, slot);
    this.inFlight += 1;
    this.unanswered += 1;
    this.noteOwnLag(slot, sent);
    this.line?.send(slot, post, body);
  }

  /** There is a line, and it takes another post. */
  private get isAble(): boolean {
    return this.line !== null && this.unanswered < MOST_UNANSWERED;
  }

  private noteOwnLag(slot: number, now: number): void {
    const { posts, recorder } = this.tools;
    const due = posts.due[slot]!;
    recorder.ownLag(MONSTER_COMMAND, posts.commands, due, now - Math.max(due, this.ableAt));
  }

  /** The request is over, whatever it said. */
  private answer(slot: number, now: number): void {
    if (this.unanswered === MOST_UNANSWERED) this.ableAt = now;
    this.unanswered -= 1;
    this.tools.posts.answered[slot] = 1;
  }

  private pump(now: number): void {
    const { posts, skipAfter } = this.tools;
    while (this.queue.length > 0) {
      const slot = this.queue.first;
      if (now - posts.due[slot]! > skipAfter) {
        this.queue.shift();
        this.settle(slot, OUTCOME.skipped, now);
        posts.free(slot);
      } else if (!this.isAble) {
        return;
      } else {
        this.queue.shift();
        this.send(slot);
      }
    }
  }

  private freeWhenOver(slot: number): void {
    const { posts } = this.tools;
    if (posts.answered[slot] === 0 || posts.committed[slot] === 0) return;
    this.sent.delete(posts.number[slot]!);
    posts.free(slot);
  }

  /** up -> down, or lost. */
  lineLost(message: string): void {
    const { line, tools } = this;
    if (this.finished || line === null) return;
    tools.complaints.add(message);
    this.disconnects += 1;
    this.past = { bytesIn: this.bytesIn, bytesOut: this.bytesOut };
    this.line = null;
    const now = tools.now();
    const open = tools.reconnect === null ? null : openNumbersIn(tools.posts, this.sent.values());
    // A line that is over does not call back: its posts' slots are free.
    for (const slot of this.sent.values()) {
      if (tools.posts.settled[slot] === 0) this.settleSent(slot, OUTCOME.failed, now);
      tools.posts.free(slot);
    }
    this.sent.clear();
    this.unanswered = 0;
    if (open === null) {
      this.settleQueue(OUTCOME.failedUnsent, now);
      this.lost = true;
      line.close();
    } else {
      this.lostAt = monotonic();
      line.abandon();
      this.comeBack(open);
    }
  }

  /** Tries to have another line, after a while that grows from attempt to attempt, as long as the run goes on. */
  private comeBack(open: OpenNumbers): void {
    const { reconnect } = this.tools;
    if (this.finished || reconnect === null) return;
    const wait = backoff(reconnect.seed, this.world.monsters.from, this.attempts++);
    this.retry = setTimeout(() => void this.tryAgain(reconnect, open), wait / 1e3);
  }

  private async tryAgain({ latency }: LinkReconnect, open: OpenNumbers): Promise<void> {
    const { complaints, now } = this.tools;
    try {
      await this.connect(open);
    } catch (thrown) {
      const message = messageOf(thrown);
      // The server has not noticed the end of the old line.
      if (!message.endsWith(' 409')) complaints.add(`monsters could not connect again: ${message}`);
      this.comeBack(open);
      return;
    }
    if (this.line === null) return;
    latency.record(monotonic() - this.lostAt, 1);
    this.reconnects += 1;
    this.ableAt = now();
    this.pump(this.ableAt);
  }

  /**
   * Opens a line, unless the run is over by then. `open`: what the line before it left; null for the first one.
   * @throws an Error that names the server that did not let it
   */
  private async connect(open: OpenNumbers | null): Promise<void> {
    const { numbers, openWire } = this.tools;
    const { world, generator } = this;
    const { url, monsters } = world;
    const { line, lastSequences } = await Line.open(openWire, world, generator, MOST_UNANSWERED, this);
    if (this.finished) return line.abandon();
    try {
      if (open === null) numbers.welcome(monsters, lastSequences);
      else numbers.resume(monsters, lastSequences, open);
    } catch (thrown) {
      line.abandon();
      throw new Error(`${url}/commits: ${messageOf(thrown)}`);
    }
    this.line = line;
  }

  private settleQueue(outcome: Outcome, now: number): void {
    while (this.queue.length > 0) {
      const slot = this.queue.first;
      this.queue.shift();
      this.settle(slot, outcome, now);
      this.tools.posts.free(slot);
    }
  }

  private settleSent(slot: number, outcome: Outcome, now: number): void {
    this.tools.posts.settled[slot] = 1;
    this.inFlight -= 1;
    this.settle(slot, outcome, now);
  }

  /** A whole post without an answer. */
  private settle(slot: number, outcome: Outcome, now: number): void {
    const { posts, recorder } = this.tools;
    const due = posts.due[slot]!;
    recorder.settle(MONSTER_COMMAND, outcome, posts.commands, due, due, now);
  }
}

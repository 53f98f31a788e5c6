import type { Complaints } from '../complaints.ts';
import type { SequenceLedger } from '../ledger.ts';
import { MONSTER_COMMAND, OUTCOME, type Outcome, type Recorder } from '../recorder.ts';
import { type CommitListener, Commits } from './commits.ts';
import { MONSTER_TEXTS } from './lanes.ts';
import { POST, PostQueue, type Posts } from './posts.ts';
import { type PostListener, PostWire } from './wire.ts';

/** Posts of one worker that one server has not answered with 202; above that, posts wait. */
const MOST_UNANSWERED = 32;

/** The end of a command in a post, by index in MONSTER_TEXTS. */
const ENDS = MONSTER_TEXTS.map((text) => `,"${text}"]`);

/** What the links of a worker share. */
export interface LinkTools {
  readonly posts: Posts;
  readonly recorder: Recorder;
  readonly ledger: SequenceLedger;
  readonly complaints: Complaints;
  /** Last sequence number used, by monster index. */
  readonly sequences: Float64Array;
  /** Entity id of monster 0. */
  readonly firstMonsterId: number;
  readonly skipAfter: number;
  readonly timeout: number;
  /** Microseconds after GO. */
  readonly now: () => number;
}

/** The monsters of one world server as one worker drives them: a wire for posts, a socket for commits. HOT. */
export class WorldLink implements PostListener, CommitListener {
  disconnects = 0;
  /** Posts sent and not settled. */
  inFlight = 0;
  private readonly url: string;
  private readonly address: string | undefined;
  private readonly generator: string;
  private readonly tools: LinkTools;
  private readonly wire: PostWire;
  private commits: Commits | null = null;
  private readonly queue = new PostQueue();
  /** Post number -> slot, of posts that are sent and not free. */
  private readonly sent = new Map<number, number>();
  private lastPost = 0;
  private unanswered = 0;
  private lost = false;
  private finished = false;

  constructor(url: string, generator: string, tools: LinkTools, address?: string) {
    this.url = url;
    this.address = address;
    this.generator = generator;
    this.tools = tools;
    this.wire = new PostWire(url, generator, MOST_UNANSWERED, this, address);
  }

  /** Connects for commits; the numbers that the server's monsters have used, null when none has. */
  async open(): Promise<readonly number[] | null> {
    const { commits, lastSequences } = await Commits.open(this.url, this.generator, this.address);
    this.commits = commits;
    commits.listen(this);
    return lastSequences;
  }

  get bytesIn(): number {
    return this.wire.bytesIn + (this.commits?.bytesIn ?? 0);
  }

  get bytesOut(): number {
    return this.wire.bytesOut;
  }

  /** Nothing waits or is unsettled. */
  get isDrained(): boolean {
    return this.queue.length === 0 && this.inFlight === 0;
  }

  /** A post of this server has come due; true when it was sent. What the worker is too late for is skipped. */
  offer(slot: number, now: number): boolean {
    const { posts, skipAfter } = this.tools;
    const due = posts.due[slot]!;
    if (this.lost || now - due > skipAfter) {
      this.settle(slot, this.lost ? OUTCOME.failed : OUTCOME.skipped, now);
      posts.free(slot);
      return false;
    }
    if (this.queue.length === 0 && this.unanswered < MOST_UNANSWERED) {
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
  }

  close(): void {
    this.wire.close();
    this.commits?.close();
  }

  accepted(slot: number): void {
    if (this.lost) return;
    this.unanswered -= 1;
    this.tools.posts.answered[slot] = 1;
    this.freeWhenOver(slot);
    this.pump(this.tools.now());
  }

  refused(slot: number, message: string): void {
    if (this.lost) return;
    const { posts, complaints, now } = this.tools;
    complaints.add(message);
    this.unanswered -= 1;
    if (posts.settled[slot] === 0) this.settleSent(slot, OUTCOME.failed, now());
    // Nothing of it was applied: no commit will come.
    posts.answered[slot] = 1;
    posts.committed[slot] = 1;
    this.freeWhenOver(slot);
    this.pump(now());
  }

  postsLost(message: string): void {
    this.lose(`the connection for monster commands: ${message}`);
  }

  commitsLost(message: string): void {
    this.lose(`the connection for commits: ${message}`);
  }

  committed(post: number, ok: number, rejected: number): void {
    const { posts, recorder, ledger, complaints, firstMonsterId, timeout, now } = this.tools;
    if (this.finished || this.lost) return;
    const slot = this.sent.get(post);
    if (slot === undefined || posts.committed[slot] === 1 || ok + rejected !== posts.commands) {
      complaints.add(
        slot === undefined || posts.committed[slot] === 1
          ? 'a world server committed a post that was not waiting for it'
          : 'a world server committed another number of commands than the post held',
      );
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
      ledger.acked(firstMonsterId + posts.monsters[k]!, posts.sequences[k]!);
    }
    posts.committed[slot] = 1;
    this.sent.delete(post);
    this.freeWhenOver(slot);
  }

  private send(slot: number): void {
    const { posts, now } = this.tools;
    const body = this.bodyOf(slot);
    const post = ++this.lastPost;
    posts.state[slot] = POST.underway;
    posts.sent[slot] = now();
    this.sent.set(post, slot);
    this.inFlight += 1;
    this.unanswered += 1;
    this.wire.send(slot, post, body);
  }

  /** Numbers are given out here, when the commands are sent: what is skipped has none. */
  private bodyOf(slot: number): string {
    const { posts, ledger, sequences, firstMonsterId } = this.tools;
    const first = slot * posts.commands;
    let body = '[';
    for (let k = first; k < first + posts.commands; k++) {
      const monster = posts.monsters[k]!;
      const sequence = sequences[monster]! + 1;
      sequences[monster] = sequence;
      posts.sequences[k] = sequence;
      ledger.sent(firstMonsterId + monster, sequence);
      body += `${k === first ? '[' : ',['}${firstMonsterId + monster},${sequence}${ENDS[posts.texts[k]!]}`;
    }
    return `${body}]`;
  }

  private pump(now: number): void {
    const { posts, skipAfter } = this.tools;
    while (this.queue.length > 0) {
      const slot = this.queue.first;
      if (now - posts.due[slot]! > skipAfter) {
        this.queue.shift();
        this.settle(slot, OUTCOME.skipped, now);
        posts.free(slot);
      } else if (this.unanswered >= MOST_UNANSWERED) {
        return;
      } else {
        this.queue.shift();
        this.send(slot);
      }
    }
  }

  private freeWhenOver(slot: number): void {
    const { posts } = this.tools;
    if (posts.answered[slot] === 1 && posts.committed[slot] === 1) posts.free(slot);
  }

  /** Without commits nothing can be settled, without posts nothing sent: losing one is losing the server. */
  private lose(message: string): void {
    if (this.lost || this.finished) return;
    this.tools.complaints.add(message);
    this.disconnects += 1;
    const now = this.tools.now();
    // Their slots stay taken: a request that has been given up may still call back.
    for (const slot of this.sent.values()) {
      if (this.tools.posts.settled[slot] === 0) this.settleSent(slot, OUTCOME.failed, now);
    }
    this.settleQueue(OUTCOME.failed, now);
    this.lost = true;
    this.close();
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

import { ConnectionRefused } from '../../../address/connection-cause.ts';
import { monotonic } from '../../../clock.ts';
import { messageOf } from '../../../errors.ts';
import type { MicrosHistogram } from '../../../hdr-histogram.ts';
import { OUTCOME, type Outcome } from '../../../load/outcome.ts';
import { backoff } from '../../../load/player/reconnector.ts';
import type { SourceTools } from '../../../load/source.ts';
import type { Workload } from '../../../scenario/workload.ts';
import type { FluxWorld } from '../deal.ts';
import { MONSTER_COMMAND } from '../workload.ts';
import {
  type CommandConnection,
  type CommandListener,
  MOST_UNANSWERED,
  openConnection,
} from './command-connection.ts';
import { type MonsterNumbers, type OpenNumbers, openNumbersIn, writePost } from './numbers.ts';
import type { OpenPostTransport } from './post-transport.ts';
import { PostQueue, type Posts } from './posts.ts';
import { SentPosts } from './sent-posts.ts';

/** Shared by the clients of a worker. */
export interface ClientTools
  extends Pick<SourceTools, 'recorder' | 'errors' | 'now' | 'reconnect'>,
    Pick<Workload, 'seed' | 'skipAfter' | 'timeout'> {
  readonly openTransport: OpenPostTransport;
  readonly posts: Posts;
  readonly numbers: MonsterNumbers;
}

/**
 * One worker's monsters of one world server. HOT.
 *
 *   opening -> up --connection ended--> lost
 *
 * With the workload's `reconnect`, during the run:
 *
 *   up --connection ended--> down --welcome--> up
 *
 * When it is down, unanswered posts have failed; other posts wait, and are skipped once they are `skipAfter` late. The welcome
 * decides which of the unanswered numbers are committed (ledger.ts).
 */
export class CommandClient implements CommandListener {
  disconnects = 0;
  reconnects = 0;
  strayAnswers = 0;
  private readonly world: FluxWorld;
  private readonly generator: string;
  private readonly tools: ClientTools;
  /** Null while disconnected. */
  private connection: CommandConnection | null = null;
  /** Bytes of earlier connections. */
  private past = { bytesIn: 0, bytesOut: 0 };
  private readonly queue = new PostQueue();
  private readonly sent: SentPosts;
  /** Unanswered requests. */
  private unanswered = 0;
  /** Since when another post can be sent, because an answer arrived or it was connected. */
  private ableAt = 0;
  private lost = false;
  private finished = false;
  /** When the connection was lost, on the host's monotonic clock; and the attempts to reconnect since. */
  private lostAt = 0;
  private attempts = 0;
  private retry: NodeJS.Timeout | undefined;

  constructor(world: FluxWorld, generator: string, tools: ClientTools) {
    this.world = world;
    this.generator = generator;
    this.tools = tools;
    this.sent = new SentPosts(tools.posts, tools.recorder);
  }

  /** opening -> up. @throws an Error that names the server that refused */
  async open(): Promise<void> {
    await this.connect(null);
  }

  /** Posts sent and not settled. */
  get inFlight(): number {
    return this.sent.unsettled;
  }

  get bytesIn(): number {
    return this.past.bytesIn + (this.connection?.bytesIn ?? 0);
  }

  get bytesOut(): number {
    return this.past.bytesOut + (this.connection?.bytesOut ?? 0);
  }

  /** Nothing waits or is unsettled. */
  get isDrained(): boolean {
    return this.queue.length === 0 && this.inFlight === 0;
  }

  /** A post for this server is due; true when it was sent. It is skipped if the worker is too late. */
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

  /** Times out posts that are uncommitted, and skips those that wait, for too long. */
  sweep(now: number): void {
    if (this.lost) return;
    this.sent.expire(now - this.tools.timeout, now);
    this.pump(now);
  }

  finish(now: number): void {
    this.sent.settleAll(OUTCOME.unfinished, now);
    this.settleQueue(OUTCOME.skipped, now);
    this.finished = true;
    clearTimeout(this.retry);
  }

  close(): void {
    this.finished = true;
    clearTimeout(this.retry);
    this.connection?.close();
  }

  accepted(slot: number): void {
    const now = this.tools.now();
    // The connection works, so the backoff starts again after its next loss.
    this.attempts = 0;
    this.answer(slot, now);
    this.sent.freeWhenOver(slot);
    this.pump(now);
  }

  refused(slot: number, message: string): void {
    const { posts, errors } = this.tools;
    const now = this.tools.now();
    errors.add(message);
    this.answer(slot, now);
    this.sent.settle(slot, OUTCOME.failed, now);
    // A refused post is not applied, so no commit follows.
    posts.committed[slot] = 1;
    this.sent.freeWhenOver(slot);
    this.pump(now);
  }

  committed(post: number, ok: number, rejected: number): void {
    const { posts, numbers, errors, timeout, now } = this.tools;
    if (this.finished) return;
    const slot = this.sent.slots.get(post);
    if (slot === undefined || posts.committed[slot] === 1) {
      this.strayAnswers += 1;
      errors.add('a world server reported the commit of a post that was not waiting for one');
      return;
    }
    if (ok + rejected !== posts.commands) {
      this.strayAnswers += 1;
      errors.add('a world server reported a commit with a wrong number of commands');
      return;
    }
    this.sent.commit(slot, ok, rejected, now(), timeout);
    const first = slot * posts.commands;
    for (let k = first; k < first + posts.commands; k++) {
      numbers.acked(posts.monsters[k]!, posts.sequences[k]!);
    }
    posts.committed[slot] = 1;
    this.sent.freeWhenOver(slot);
  }

  private send(slot: number): void {
    const { posts, numbers, now } = this.tools;
    const body = writePost(posts, slot, numbers);
    const sent = now();
    const post = this.sent.add(slot, sent);
    this.unanswered += 1;
    this.noteOwnLag(slot, sent);
    this.connection?.send(slot, post, body);
  }

  /** Connected, and below the limit of unanswered posts. */
  private get isAble(): boolean {
    return this.connection !== null && this.unanswered < MOST_UNANSWERED;
  }

  private noteOwnLag(slot: number, now: number): void {
    const { posts, recorder } = this.tools;
    const due = posts.due[slot]!;
    const own = now - Math.max(due, this.ableAt);
    posts.ownLag[slot] = own;
    recorder.ownLag(MONSTER_COMMAND, posts.commands, due, own);
  }

  /** The request has been answered. */
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

  /** up -> down, or lost. */
  connectionLost(message: string): void {
    const { connection, tools } = this;
    if (this.finished || connection === null) return;
    tools.errors.add(message);
    this.disconnects += 1;
    this.past = { bytesIn: this.bytesIn, bytesOut: this.bytesOut };
    this.connection = null;
    const now = tools.now();
    const open = openNumbersIn(tools.posts, this.sent.slots.values());
    this.sent.settleAll(OUTCOME.failed, now);
    this.sent.clear();
    this.unanswered = 0;
    if (tools.reconnect === null) {
      this.settleQueue(OUTCOME.failedUnsent, now);
      this.lost = true;
      connection.close();
      return;
    }
    connection.abandon();
    this.lostAt = monotonic();
    this.redial(open, tools.reconnect);
  }

  /** Schedules the next attempt to reconnect, with exponential backoff. */
  private redial(open: OpenNumbers, latency: MicrosHistogram): void {
    if (this.finished) return;
    // The first monster distinguishes the clients of a worker in the seed of the jitter.
    const wait = backoff(this.tools.seed, this.world.monsters.from, this.attempts++);
    this.retry = setTimeout(() => void this.connectAgain(open, latency), wait / 1e3);
  }

  /** down -> up. */
  private async connectAgain(open: OpenNumbers, latency: MicrosHistogram): Promise<void> {
    try {
      await this.connect(open);
    } catch (thrown) {
      // Expected while the server has not noticed the end of the old connection.
      const isConflict = thrown instanceof ConnectionRefused && thrown.kind === 'conflict';
      if (!isConflict) this.tools.errors.add(`monsters could not connect again: ${messageOf(thrown)}`);
      return this.redial(open, latency);
    }
    if (this.connection === null) return;
    latency.record(monotonic() - this.lostAt, 1);
    this.reconnects += 1;
    this.ableAt = this.tools.now();
    this.pump(this.ableAt);
  }

  /**
   * Opens a connection, unless the run has ended by then. `open`: the uncommitted numbers of the previous connection; null for
   * the first one.
   * @throws an Error that names the server that refused
   */
  private async connect(open: OpenNumbers | null): Promise<void> {
    const { numbers, openTransport } = this.tools;
    const { world, generator } = this;
    const end = world.commands ?? world;
    const { connection, lastSequences } = await openConnection(openTransport, end, generator, this);
    if (this.finished) return connection.abandon();
    try {
      if (open === null) numbers.welcome(world.monsters, lastSequences);
      else numbers.resume(world.monsters, lastSequences, open);
    } catch (thrown) {
      connection.abandon();
      throw new Error(`${end.url}/commits: ${messageOf(thrown)}`);
    }
    this.connection = connection;
  }

  private settleQueue(outcome: Outcome, now: number): void {
    while (this.queue.length > 0) {
      const slot = this.queue.first;
      this.queue.shift();
      this.settle(slot, outcome, now);
      this.tools.posts.free(slot);
    }
  }

  /** A whole post that was never sent. */
  private settle(slot: number, outcome: Outcome, now: number): void {
    const { posts, recorder } = this.tools;
    const due = posts.due[slot]!;
    recorder.settle(MONSTER_COMMAND, outcome, posts.commands, due, due, now);
  }
}

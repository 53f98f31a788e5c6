import exec from 'k6/execution';
import http, { type RefinedResponse, type ResponseType } from 'k6/http';
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
import { frameBytes } from '../../../../load/frame-bytes.ts';
import { isRecord, parseJson } from '../../../../load/json.ts';
import { NumberSets } from '../../../../load/number-sets.ts';
import { ScheduleHash } from '../../../../load/schedule-hash.ts';
import { Lanes, MONSTER_TEXTS } from '../../monsters/lanes.ts';
import { PostPacer } from '../../monsters/post-pacer.ts';
import { MONSTER_COMMAND } from '../../workload.ts';
import type { World } from './worlds.ts';

// One virtual user is one lane of monsters. Monster commands go in posts to the world server that owns the monsters; 202
// means accepted, and a WebSocket reports which posts have committed. A monster's numbers have to arrive in order, and k6
// cannot pipeline: a lane has one post under way to each server, and further ones wait.

const commands = account.operations[MONSTER_COMMAND]!;
const { totals } = account;
const monstersInAll = Number(CONFIG.monsters);
const perPost = Number(CONFIG.commandsPerPost);

/** From a lane's end to its hash and its ledger, which take a while: the last answers to others are not to wait for them. */
const QUIET_MS = 500;

/** What a post holds, and what became of it. */
interface Post {
  readonly server: number;
  readonly due: number;
  /** By index. */
  readonly monsters: Int32Array;
  /** By index in MONSTER_TEXTS. */
  readonly texts: Uint8Array;
  readonly seqs: number[];
  sent: number;
  settled: boolean;
}

/** The posts of one lane, as the native engine makes them. */
class LanePosts {
  due = 0;
  private readonly lane: number;
  private readonly pacer: PostPacer;
  private readonly lanes: Lanes;

  constructor(lane: number, worlds: readonly World[]) {
    this.lane = lane;
    const plan = {
      ...{ seed: CONFIG.seed, timeline: TIMELINE },
      ...{ postRate: Number(CONFIG.postsPerSecond), monsters: monstersInAll },
    };
    // A worker for each lane.
    this.pacer = new PostPacer(plan, { worker: lane, workers: Number(CONFIG.lanes) });
    this.lanes = new Lanes(
      CONFIG.seed,
      monstersInAll,
      worlds.map(({ monsters }) => monsters),
    );
    this.due = this.pacer.due;
  }

  /** The post that is due next; `due` is then that of the one after. */
  take(): Post {
    const { due } = this;
    const server = this.lanes.nextServer(this.lane);
    const monsters = new Int32Array(perPost);
    const texts = new Uint8Array(perPost);
    this.lanes.draw(this.lane, server, perPost, monsters, texts, 0);
    this.pacer.advance();
    this.due = this.pacer.due;
    return { server, due, monsters, texts, seqs: [], sent: 0, settled: false };
  }
}

/** k6's scenario "monsters" runs it once in each virtual user. */
export function lane(data: SetupData<World>): void {
  new Lane(exec.scenario.iterationInTest, data).start();
}

class Lane {
  readonly errors = new Set<string>();
  readonly generator: string;
  readonly now = (): number => Date.now() - this.data.go;
  over = false;
  private readonly own: number;
  private readonly data: SetupData<World>;
  private readonly posts: LanePosts;
  private readonly links: readonly Link[];
  private next: Post | null = null;
  private cameDue = 0;
  private timer: unknown = null;

  constructor(own: number, data: SetupData<World>) {
    this.own = own;
    this.data = data;
    this.generator = `${data.run}-lane-${own}`;
    this.posts = new LanePosts(own, data.worlds);
    if (this.posts.due !== Infinity) this.next = this.posts.take();
    // Without posts no connection is needed.
    this.links = this.next === null ? [] : data.worlds.map((world) => new Link(world, this));
  }

  start(): void {
    account.begin(this.now);
    setTimeout(
      () => {
        if (this.links.length === 0) totals.lanesReady += 1;
        for (const link of this.links) link.open();
        this.arm();
      },
      Math.max(0, this.data.connectFrom - Date.now()),
    );
  }

  /** One more of its servers has welcomed it. */
  linkReady(): void {
    if (this.links.every(({ isReady }) => isReady)) totals.lanesReady += 1;
  }

  get isDrawn(): boolean {
    return this.next === null;
  }

  /** One timer for whatever comes next: something due, too late or unanswered for too long, or the end. */
  arm(): void {
    if (this.over) return;
    const nextDue = this.next === null ? Infinity : dueMs(this.next.due);
    let deadline = Infinity;
    for (let i = 0; i < this.links.length; i++) {
      deadline = Math.min(deadline, this.links[i]!.nextDeadline());
    }
    const drained = this.next === null && deadline === Infinity;
    const at = Math.min(nextDue, deadline, drained ? END_MS : DRAIN_END_MS);
    const t = this.now();
    if (t >= DRAIN_END_MS || (drained && t >= END_MS)) {
      this.finish();
      return;
    }
    if (this.timer !== null) clearTimeout(this.timer as number);
    this.timer = setTimeout(() => this.wake(), Math.max(0, at - t));
  }

  private wake(): void {
    const at = this.now();
    account.progress(at);
    this.comeDueUntil(at);
    for (let i = 0; i < this.links.length; i++) this.links[i]!.sweep(at);
    this.arm();
  }

  private comeDueUntil(at: number): void {
    for (let post = this.next; post !== null && dueMs(post.due) <= at; post = this.next) {
      this.cameDue += 1;
      commands.scheduled(perPost, post.due);
      this.links[post.server]!.offer(post, at);
      // Ahead of its time: drawing it takes longer than sending.
      this.next = this.posts.due === Infinity ? null : this.posts.take();
    }
  }

  private finish(): void {
    this.comeDueUntil(this.now());
    this.over = true;
    if (this.timer !== null) clearTimeout(this.timer as number);
    for (const link of this.links) link.finish();
    const rows = (): number[][] => this.links.flatMap((link) => link.ledger());
    const end = (): void => account.finish(this.hashOfPosts(), rows, this.errors);
    setTimeout(end, QUIET_MS);
  }

  /** The posts are drawn once more for it: hashing each one while the load goes on would take as long as all the rest. */
  private hashOfPosts(): readonly [number, number] {
    const posts = new LanePosts(this.own, this.data.worlds);
    const hash = new ScheduleHash();
    /** By monster. */
    const planned = new Uint32Array(monstersInAll);
    for (let n = 0; n < this.cameDue; n++) {
      const { due, monsters } = posts.take();
      for (let k = 0; k < monsters.length; k++) {
        const monster = monsters[k]!;
        const sequence = planned[monster]! + 1;
        planned[monster] = sequence;
        hash.add(MONSTER_COMMAND, CONFIG.players + monster, sequence, due);
      }
    }
    return hash.words();
  }
}

/** A lane's way to one world server. */
class Link {
  private readonly world: World;
  private readonly lane: Lane;
  private readonly socket: WelcomedSocket;
  /** By monster of the server, from its first one: the number that it had used last before the run, and that it has. */
  private readonly base: Float64Array;
  private readonly last: Float64Array;
  /** Since when the next post could have been sent. */
  private ableAt = -Infinity;
  private underway = false;
  private lastPost = 0;
  /** By number, until they are committed. */
  private readonly sent = new Map<number, Post>();
  /** Those that will never be. */
  private readonly unacked: Post[] = [];
  private waiting: Post[] = [];

  constructor(world: World, lane: Lane) {
    this.world = world;
    this.lane = lane;
    this.base = new Float64Array(world.monsters.to - world.monsters.from);
    this.last = this.base.slice();
    this.socket = new WelcomedSocket(`${world.url}/commits?generator=${lane.generator}`, this);
  }

  get isReady(): boolean {
    return this.socket.state === 'ready';
  }

  open(): void {
    this.socket.open();
  }

  offer(post: Post, at: number): void {
    if (this.socket.state === 'lost') {
      commands.missed('failedUnsent', perPost, post.due);
      return;
    }
    const able = this.isReady && !this.underway && this.waiting.length === 0;
    if (at - dueMs(post.due) > SKIP_AFTER_MS) {
      if (able) commands.late(perPost, post.due, at - Math.max(dueMs(post.due), this.ableAt));
      commands.missed('skipped', perPost, post.due);
    } else if (able) this.send(post);
    else this.waiting.push(post);
  }

  /** When something is too late, or unanswered for too long; Infinity where nothing is open. */
  nextDeadline(): number {
    const first = this.waiting[0];
    let at = first === undefined ? Infinity : dueMs(first.due) + SKIP_AFTER_MS + 1;
    if (this.sent.size === 0) return at;
    for (const post of this.sent.values()) {
      if (post.settled) continue;
      at = Math.min(at, post.sent + TIMEOUT_MS + 1);
      break;
    }
    return at;
  }

  sweep(at: number): void {
    if (this.sent.size > 0) this.timeOut(at);
    this.pump();
  }

  private timeOut(at: number): void {
    for (const post of this.sent.values()) {
      if (at - post.sent <= TIMEOUT_MS) break;
      if (post.settled) continue;
      // A commit may still come, and the post is acknowledged then.
      post.settled = true;
      commands.missed('timedOut', perPost, post.due);
    }
  }

  finish(): void {
    for (const { settled, due } of this.sent.values()) {
      if (!settled) commands.missed('unfinished', perPost, due);
    }
    for (const { due } of this.waiting) commands.missed('skipped', perPost, due);
    this.socket.end();
  }

  /** A monster's numbers are dense: acknowledged are all but those of posts that were not committed. */
  ledger(): number[][] {
    const { from } = this.world.monsters;
    const missing = new Map<number, Set<number>>();
    for (const { monsters, seqs } of [...this.unacked, ...this.sent.values()]) {
      for (const [k, seq] of seqs.entries()) {
        const monster = monsters[k]! - from;
        const numbers = missing.get(monster) ?? new Set();
        missing.set(monster, numbers.add(seq));
      }
    }
    const acked = new NumberSets(this.base);
    const rows: number[][] = [];
    for (let monster = 0; monster < this.last.length; monster++) {
      const [base, last] = [this.base[monster]!, this.last[monster]!];
      if (last === base) continue;
      const unacked = missing.get(monster);
      for (let seq = base + 1; seq <= last; seq++) if (!unacked?.has(seq)) acked.add(monster, seq);
      rows.push(ledgerRow(CONFIG.players + from + monster, acked, monster, last, 0));
    }
    return rows;
  }

  welcome(text: string): boolean {
    const frame = parseJson(text);
    if (!isRecord(frame) || !isRecord(frame.welcome)) return false;
    const { lastSeq } = frame.welcome;
    for (let monster = 0; monster < this.base.length; monster++) {
      this.base[monster] = Array.isArray(lastSeq) ? Number(lastSeq[monster] ?? 0) : 0;
    }
    this.last.set(this.base);
    return true;
  }

  ready(): void {
    this.ableAt = this.lane.now();
    this.lane.linkReady();
    this.pump();
  }

  receive(text: string): void {
    account.progress(this.lane.now());
    totals.commandBytes += frameBytes(text.length);
    const frame = parseJson(text);
    if (!isRecord(frame) || !Array.isArray(frame.commits)) {
      this.socket.lose('a frame is not of the protocol');
      return;
    }
    for (const [number, ok, rejected] of frame.commits as [number, number, number][]) {
      this.commit(number, ok, rejected);
    }
    if (this.lane.isDrawn) this.lane.arm();
  }

  refused(why: string): void {
    this.lost(why);
  }

  lost(why: string): void {
    totals.disconnects += 1;
    totals.linesLost += 1;
    this.lane.errors.add(`the connection for commits: ${this.world.url}: ${why}`);
    for (const post of this.sent.values()) {
      if (!post.settled) commands.missed('failed', perPost, post.due);
      this.unacked.push(post);
    }
    this.sent.clear();
    for (const { due } of this.waiting) commands.missed('failedUnsent', perPost, due);
    this.waiting = [];
    this.lane.arm();
  }

  private send(post: Post): void {
    const { monsters, texts, seqs } = post;
    const { from } = this.world.monsters;
    const rows: string[] = [];
    for (let k = 0; k < perPost; k++) {
      const monster = monsters[k]!;
      const seq = this.last[monster - from]! + 1;
      this.last[monster - from] = seq;
      seqs.push(seq);
      rows.push(`[${CONFIG.players + monster},${seq},"${MONSTER_TEXTS[texts[k]!]}"]`);
    }
    const body = `[${rows.join(',')}]`;
    this.lastPost += 1;
    const number = this.lastPost;
    post.sent = this.lane.now();
    this.sent.set(number, post);
    this.underway = true;
    commands.late(perPost, post.due, post.sent - Math.max(dueMs(post.due), this.ableAt));
    totals.commandBytes += body.length;
    http
      .asyncRequest(
        'POST',
        `${this.world.url}/commands?generator=${this.lane.generator}&post=${number}`,
        body,
        {
          headers: { 'content-type': 'application/json', ...HEADERS },
          tags: { name: '/commands' },
          timeout: TIMEOUT_MS + CONFIG.drainSeconds * 1000,
        },
      )
      .then((response) => {
        this.underway = false;
        if (this.lane.over || this.socket.state === 'lost') return;
        this.ableAt = this.lane.now();
        if (response.status !== 202) this.postRefused(number, post, response);
        this.pump();
        if (this.lane.isDrawn) this.lane.arm();
      });
  }

  private postRefused(
    number: number,
    post: Post,
    { status, error, body }: RefinedResponse<ResponseType>,
  ): void {
    if (status === 0) {
      this.socket.lose(`a post: ${error}`);
      return;
    }
    this.lane.errors.add(`a post of monster commands was answered ${status}: ${body}`);
    // Nothing of it was applied: no commit will come.
    this.sent.delete(number);
    this.unacked.push(post);
    if (!post.settled) commands.missed('failed', perPost, post.due);
  }

  private commit(number: number, ok: number, rejected: number): void {
    const post = this.sent.get(number);
    if (post === undefined || ok + rejected !== perPost) {
      totals.stray += 1;
      this.lane.errors.add(
        'a world server committed a post, or a number of commands, that was not waiting for it',
      );
      return;
    }
    const at = this.lane.now();
    if (!post.settled) {
      if (at - post.sent > TIMEOUT_MS) commands.missed('timedOut', perPost, post.due);
      else commands.answered(perPost, ok, post.due, post.sent, at);
    }
    this.sent.delete(number);
  }

  private pump(): void {
    const at = this.lane.now();
    while (this.waiting.length > 0) {
      const post = this.waiting[0]!;
      if (at - dueMs(post.due) > SKIP_AFTER_MS) commands.missed('skipped', perPost, post.due);
      else if (!this.isReady || this.underway) return;
      else this.send(post);
      this.waiting.shift();
    }
  }
}

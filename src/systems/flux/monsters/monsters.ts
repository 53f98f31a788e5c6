import type { PostPacer } from '../../../load/pacer.ts';
import { MONSTER_COMMAND } from '../../../load/recorder.ts';
import type { ScheduleHash } from '../../../load/schedule-hash.ts';
import { Lanes } from './lanes.ts';
import { type LinkTools, type MonsterWorld, WorldLink } from './link.ts';

/** Posts that one turn of the loop sends at most, some 5 ms. */
const MOST_PER_TURN = 32;

/**
 * The monsters of one worker: those of its lanes, over all world servers. Their commands go in posts, open
 * loop, at the due times of one schedule. The worker's one timer calls `send`. HOT.
 */
export class Monsters {
  private readonly pacer: PostPacer;
  private readonly tools: LinkTools;
  private readonly hash: ScheduleHash;
  private readonly lanes: Lanes;
  private readonly links: readonly WorldLink[];
  /** Commands that have come due, by monster, for the hash. */
  private readonly planned: Uint32Array;
  private stopped = false;

  constructor(
    seed: number,
    generator: string,
    worlds: readonly MonsterWorld[],
    pacer: PostPacer,
    hash: ScheduleHash,
    tools: LinkTools,
  ) {
    this.pacer = pacer;
    this.tools = tools;
    this.hash = hash;
    const { monsters } = tools.numbers;
    this.planned = new Uint32Array(monsters);
    this.lanes = new Lanes(
      seed,
      monsters,
      worlds.map((world) => world.monsters),
    );
    // Without posts there is nobody to talk to.
    this.links =
      pacer.due === Number.POSITIVE_INFINITY
        ? []
        : worlds.map((world) => new WorldLink(world, generator, tools));
  }

  /** Connects to every server. @throws an Error that names the server that did not let it. */
  async open(): Promise<void> {
    await Promise.all(this.links.map((link) => link.open()));
  }

  get nextDue(): number {
    return this.stopped ? Number.POSITIVE_INFINITY : this.pacer.due;
  }

  /** Commands sent and not settled. */
  get inFlight(): number {
    return this.sum((link) => link.inFlight) * this.tools.posts.commands;
  }

  get isDrained(): boolean {
    return this.nextDue === Number.POSITIVE_INFINITY && this.links.every((link) => link.isDrained);
  }

  get disconnects(): number {
    return this.sum((link) => link.disconnects);
  }

  get reconnects(): number {
    return this.sum((link) => link.reconnects);
  }

  get strayAnswers(): number {
    return this.sum((link) => link.strayAnswers);
  }

  get bytesIn(): number {
    return this.sum((link) => link.bytesIn);
  }

  get bytesOut(): number {
    return this.sum((link) => link.bytesOut);
  }

  /** Everything that is due by now, up to a turn's worth sent; true when more is due already. */
  send(now: number): boolean {
    const { pacer, tools } = this;
    for (let sent = 0; sent < MOST_PER_TURN; ) {
      if (this.nextDue > now) return false;
      const slot = tools.posts.take(pacer.due);
      const server = this.draw(slot);
      tools.recorder.schedule(MONSTER_COMMAND, tools.posts.commands, pacer.due);
      if (this.links[server]?.offer(slot, now) === true) sent += 1;
      pacer.advance();
    }
    return this.nextDue <= now;
  }

  sweep(now: number): void {
    for (const link of this.links) link.sweep(now);
  }

  /** Nothing is due from now on; what was due before has been scheduled. */
  stop(now: number): void {
    while (this.send(now));
    this.stopped = true;
  }

  /** The end of the drain. */
  finish(now: number): void {
    while (this.send(now));
    this.stopped = true;
    for (const link of this.links) link.finish(now);
  }

  /** Hashes what was planned and never came due; at most `most` operations. True when nothing is left. */
  hashRest(most: number): boolean {
    const { pacer, tools } = this;
    const slot = tools.posts.take(0);
    for (let n = 0; n < most && pacer.due !== Number.POSITIVE_INFINITY; n += tools.posts.commands) {
      this.draw(slot);
      pacer.advance();
    }
    tools.posts.free(slot);
    return pacer.due === Number.POSITIVE_INFINITY;
  }

  close(): void {
    for (const link of this.links) link.close();
  }

  /** Fills a slot with the next post's commands and hashes them; the server they go to. */
  private draw(slot: number): number {
    const { posts, numbers } = this.tools;
    const { lane, due } = this.pacer;
    const server = this.lanes.nextServer(lane);
    const first = slot * posts.commands;
    this.lanes.draw(lane, server, posts.commands, posts.monsters, posts.texts, first);
    for (let k = first; k < first + posts.commands; k++) {
      const monster = posts.monsters[k]!;
      this.planned[monster]! += 1;
      this.hash.add(MONSTER_COMMAND, numbers.firstId + monster, this.planned[monster]!, due);
    }
    return server;
  }

  private sum(figure: (link: WorldLink) => number): number {
    let sum = 0;
    for (const link of this.links) sum += figure(link);
    return sum;
  }
}

import type { WorkerSetup } from '../../../load/fleet/messages.ts';
import { sumOf } from '../../../load/fleet/tally.ts';
import { SOURCE_COUNTS, type Source, type SourceCounts, type SourceTools } from '../../../load/source.ts';
import { peakOf } from '../../../scenario/stages.ts';
import type { FluxWorld } from '../deal.ts';
import { fluxWorkload, MONSTER_COMMAND } from '../workload.ts';
import { type ClientTools, CommandClient } from './command-client.ts';
import { Lanes } from './lanes.ts';
import { MonsterNumbers } from './numbers.ts';
import { PostPacer } from './post-pacer.ts';
import type { OpenPostTransport } from './post-transport.ts';
import { Posts } from './posts.ts';

/** Limit of posts per turn of the event loop, about 5 ms. */
const MOST_PER_TURN = 32;

/**
 * The monsters of one worker: those of its lanes, over all world servers. Their commands are sent in posts at the due times of
 * one schedule (open loop). The worker's timer calls `send`. HOT.
 */
export class Monsters implements Source {
  readonly perSecond: number;
  private readonly pacer: PostPacer;
  private readonly tools: ClientTools;
  private readonly hash: SourceTools['hash'];
  private readonly lanes: Lanes;
  private readonly clients: readonly CommandClient[];
  /** Number of due commands, by monster, for the hash. */
  private readonly planned: Uint32Array;
  private stopped = false;

  constructor(setup: WorkerSetup, tools: SourceTools, openTransport: OpenPostTransport) {
    const { workload, worker, workers } = setup;
    const { seed, timeline, players, skipAfter, timeout } = workload;
    const { monsters, commandsPerPost, postRate } = fluxWorkload(workload);
    // dealWorlds has added the monsters of each server.
    const worlds = setup.worlds as readonly FluxWorld[];
    const { recorder, hash, errors, now, reconnect } = tools;
    this.perSecond = (peakOf(timeline.stages) * postRate) / workers;
    this.pacer = new PostPacer({ seed, postRate, monsters, players, timeline }, setup);
    this.hash = hash;
    this.tools = {
      ...{ openTransport, recorder, errors, now, skipAfter, timeout, seed, reconnect },
      posts: new Posts(commandsPerPost),
      numbers: new MonsterNumbers({ players, monsters }, setup, tools),
    };
    this.planned = new Uint32Array(monsters);
    const ranges = worlds.map((world) => world.monsters);
    this.lanes = new Lanes(seed, monsters, ranges);
    // A worker without posts needs no connections.
    this.clients =
      this.pacer.due === Number.POSITIVE_INFINITY
        ? []
        : worlds.map((world) => new CommandClient(world, `${setup.run}-${worker}`, this.tools));
  }

  /** Connects to every server. @throws an Error that names the server that refused */
  async open(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.open()));
  }

  get nextDue(): number {
    return this.stopped ? Number.POSITIVE_INFINITY : this.pacer.due;
  }

  inFlight(operation: number): number {
    if (operation !== MONSTER_COMMAND) return 0;
    return sumOf(['inFlight'], this.clients).inFlight * this.tools.posts.commands;
  }

  get isDrained(): boolean {
    return this.nextDue === Number.POSITIVE_INFINITY && this.clients.every((client) => client.isDrained);
  }

  counts(): SourceCounts {
    return sumOf(SOURCE_COUNTS, this.clients);
  }

  /** Sends what is due by now, up to the limit of a turn; true when more is due already. */
  send(now: number): boolean {
    const { pacer, tools } = this;
    for (let sent = 0; sent < MOST_PER_TURN; ) {
      if (this.nextDue > now) return false;
      const slot = tools.posts.take(pacer.due);
      const server = this.draw(slot);
      tools.recorder.schedule(MONSTER_COMMAND, tools.posts.commands, pacer.due);
      if (this.clients[server]?.offer(slot, now) === true) sent += 1;
      pacer.advance();
    }
    return this.nextDue <= now;
  }

  sweep(now: number): void {
    for (const client of this.clients) client.sweep(now);
  }

  /** Ends the schedule now; what was due before is scheduled. */
  stop(now: number): void {
    while (this.send(now));
    this.stopped = true;
  }

  /** The end of the drain. */
  finish(now: number): void {
    while (this.send(now));
    this.stopped = true;
    for (const client of this.clients) client.finish(now);
  }

  /** Hashes planned operations that never became due, at most `most`; true when none is left. */
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
    for (const client of this.clients) client.close();
  }

  /** Fills a slot with the next post's commands, hashes them, and returns their server. */
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
}

import { performance } from 'node:perf_hooks';
import type { Commands } from './commands.ts';
import type { Entities } from './entities.ts';
import type { Generator } from './generators.ts';
import type { OperationQueue } from './operation-queue.ts';
import type { Posts } from './posts.ts';

/** Beyond this many waiting operations, posts wait outside, and their generator waits for its 202. */
const MAX_QUEUED = 50_000;

interface WithheldPost {
  readonly generator: Generator;
  readonly number: number;
  readonly commands: Commands;
  readonly arrived: number;
  readonly settled: (admitted: boolean) => void;
}

/**
 * Lets posts into the queue, in the order in which they came, as long as there is room. Nothing is refused for
 * want of room: a post that does not fit is withheld whole. Players are not kept out: each has few unanswered.
 */
export class Admission {
  readonly #queue: OperationQueue;
  readonly #posts: Posts;
  readonly #entities: Entities;
  readonly #queued: () => void;
  readonly #withheld: WithheldPost[] = [];

  constructor(queue: OperationQueue, posts: Posts, entities: Entities, queued: () => void) {
    this.#queue = queue;
    this.#posts = posts;
    this.#entities = entities;
    this.#queued = queued;
  }

  /** `settled` is told true once the commands are queued, false when the server stops before that. */
  submit(
    generator: Generator,
    number: number,
    commands: Commands,
    settled: (admitted: boolean) => void,
  ): void {
    this.#withheld.push({ generator, number, commands, arrived: performance.now(), settled });
    this.admitWaiting();
  }

  /** To be called when a batch has left the queue. */
  admitWaiting(): void {
    let post = this.#withheld[0];
    while (post !== undefined && this.#queue.length + post.commands.count <= MAX_QUEUED) {
      this.#withheld.shift();
      this.#admit(post);
      post = this.#withheld[0];
    }
  }

  /** Gives up what is still outside. */
  close(): void {
    for (const post of this.#withheld.splice(0)) post.settled(false);
  }

  #admit({ generator, number, commands, arrived, settled }: WithheldPost): void {
    const { count, triples } = commands;
    const { takenSeq } = this.#entities;
    const origin = this.#posts.open(generator, number, count);
    for (let at = 0; at < triples.length; at += 3) {
      const monster = triples[at]!;
      const seq = triples[at + 2]!;
      this.#queue.push(monster, triples[at + 1]!, seq, origin, arrived, null);
      if (seq > takenSeq[monster]!) takenSeq[monster] = seq;
    }
    settled(true);
    this.#queued();
  }
}

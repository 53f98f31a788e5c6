import { performance } from 'node:perf_hooks';
import type { Commands } from './commands.ts';
import type { Refusal } from './door.ts';
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
  readonly settled: Settled;
}

/** Told null once the commands are queued, or why they never will be. */
type Settled = (refusal: Refusal | null) => void;

/**
 * Lets posts into the queue, in the order in which they came, as long as there is room. Nothing is refused for
 * want of room: a post that does not fit is withheld whole. Players are not kept out: each has few unanswered.
 */
export class Admission {
  readonly #queue: OperationQueue;
  readonly #posts: Posts;
  readonly #queued: () => void;
  readonly #withheld: WithheldPost[] = [];

  constructor(queue: OperationQueue, posts: Posts, queued: () => void) {
    this.#queue = queue;
    this.#posts = posts;
    this.#queued = queued;
  }

  submit(generator: Generator, number: number, commands: Commands, settled: Settled): void {
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
    for (const post of this.#withheld.splice(0)) post.settled({ status: 503, why: 'the server stops' });
  }

  /** Gives up what a generator has outside: it is gone, and nobody waits for it. */
  giveUp(generator: Generator): void {
    const posts = this.#withheld.splice(0);
    for (const post of posts) {
      if (post.generator !== generator) this.#withheld.push(post);
      else post.settled({ status: 409, why: `${generator.id} is gone` });
    }
  }

  #admit({ generator, number, commands, arrived, settled }: WithheldPost): void {
    const { count, triples } = commands;
    const origin = this.#posts.open(generator, number, count);
    for (let at = 0; at < triples.length; at += 3) {
      this.#queue.push(triples[at]!, triples[at + 1]!, triples[at + 2]!, origin, arrived, null);
    }
    settled(null);
    this.#queued();
  }
}

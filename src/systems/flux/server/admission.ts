import { performance } from 'node:perf_hooks';
import type { Refusal } from '../../../server/token-check.ts';
import type { Commands } from './commands.ts';
import type { Generator } from './generators.ts';
import type { OperationQueue } from './operation-queue.ts';
import type { Posts } from './posts.ts';

/** Above this many queued operations, posts are held back, and their generators wait for the 202. */
const MAX_QUEUED = 50_000;

interface HeldPost {
  readonly generator: Generator;
  readonly number: number;
  readonly commands: Commands;
  readonly arrived: number;
  readonly onDecided: Decided;
}

/** Called with null once the commands are queued, or with the reason why they will not be. */
type Decided = (refusal: Refusal | null) => void;

/**
 * Admits posts to the queue in the order of their arrival, while there is room. A full queue refuses nothing: a post that
 * does not fit is held back as a whole. Players' intents are always admitted, since each player has few unanswered.
 */
export class Admission {
  readonly #queue: OperationQueue;
  readonly #posts: Posts;
  readonly #queued: () => void;
  readonly #held: HeldPost[] = [];

  constructor(queue: OperationQueue, posts: Posts, queued: () => void) {
    this.#queue = queue;
    this.#posts = posts;
    this.#queued = queued;
  }

  submit(generator: Generator, number: number, commands: Commands, onDecided: Decided): void {
    this.#held.push({ generator, number, commands, arrived: performance.now(), onDecided });
    this.admitWaiting();
  }

  /** To be called when a batch has left the queue. */
  admitWaiting(): void {
    let post = this.#held[0];
    while (post !== undefined && this.#queue.length + post.commands.count <= MAX_QUEUED) {
      this.#held.shift();
      this.#admit(post);
      post = this.#held[0];
    }
  }

  /** Refuses every post that is still held back. */
  close(): void {
    for (const post of this.#held.splice(0)) post.onDecided({ status: 503, why: 'the server is stopping' });
  }

  /** Refuses the held posts of a generator whose connection is lost: it does not wait for them any more. */
  refuseAll(generator: Generator): void {
    const posts = this.#held.splice(0);
    for (const post of posts) {
      if (post.generator !== generator) this.#held.push(post);
      else post.onDecided({ status: 409, why: `the commit socket of ${generator.id} has closed` });
    }
  }

  #admit({ generator, number, commands, arrived, onDecided }: HeldPost): void {
    const { count, triples } = commands;
    const origin = this.#posts.open(generator, number, count);
    for (let at = 0; at < triples.length; at += 3) {
      this.#queue.push(triples[at]!, triples[at + 1]!, triples[at + 2]!, origin, arrived, null);
    }
    onDecided(null);
    this.#queued();
  }
}

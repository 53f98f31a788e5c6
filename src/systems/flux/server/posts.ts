import type { Generator } from './generators.ts';

/** One `POST /commands` on its way: how many of its commands are still to be committed, and what became of the others. */
interface Post {
  readonly generator: Generator;
  readonly number: number;
  open: number;
  ok: number;
  rejected: number;
}

/** The posts that are queued, by slot; a slot is reused once its post was reported. */
export class Posts {
  readonly #posts: (Post | undefined)[] = [];
  readonly #free: number[] = [];
  /** Finished in the batch that is being applied. */
  #finished: Post[] = [];

  /** The slot that its commands carry as their origin. */
  open(generator: Generator, number: number, commands: number): number {
    const slot = this.#free.pop() ?? this.#posts.length;
    this.#posts[slot] = { generator, number, open: commands, ok: 0, rejected: 0 };
    generator.unsettled++;
    return slot;
  }

  settle(slot: number, ok: boolean): void {
    const post = this.#posts[slot];
    if (post === undefined) return;
    if (ok) post.ok++;
    else post.rejected++;
    if (--post.open > 0) return;
    this.#finished.push(post);
    this.#posts[slot] = undefined;
    this.#free.push(slot);
  }

  /** To be called after the commit: tells each generator which of its posts are complete. */
  report(): void {
    if (this.#finished.length === 0) return;
    const owed = new Map<Generator, string[]>();
    for (const { generator, number, ok, rejected } of this.#finished) {
      generator.unsettled--;
      const entry = `[${number},${ok},${rejected}]`;
      const entries = owed.get(generator);
      if (entries === undefined) owed.set(generator, [entry]);
      else entries.push(entry);
    }
    this.#finished = [];
    for (const [generator, entries] of owed) generator.send(`{"commits":[${entries.join(',')}]}`);
  }
}

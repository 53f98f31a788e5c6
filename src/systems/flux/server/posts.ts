import type { Generator } from './generators.ts';

/** One `POST /commands`: how many of its commands are not applied yet, and the results of the others. */
interface Post {
  readonly generator: Generator;
  readonly number: number;
  open: number;
  ok: number;
  rejected: number;
}

/** The queued posts, by slot; a slot is reused when its post is complete. */
export class Posts {
  readonly #posts: (Post | undefined)[] = [];
  readonly #free: number[] = [];
  /** Posts that the current batch completes. */
  #finished: Post[] = [];

  /** Adds a post and returns its slot, which its commands carry as their origin. */
  open(generator: Generator, number: number, commands: number): number {
    const slot = this.#free.pop() ?? this.#posts.length;
    this.#posts[slot] = { generator, number, open: commands, ok: 0, rejected: 0 };
    generator.uncommitted++;
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

  /** Reports the completed posts to their generators. Call this after the commit. */
  report(): void {
    if (this.#finished.length === 0) return;
    const reports = new Map<Generator, string[]>();
    for (const { generator, number, ok, rejected } of this.#finished) {
      generator.uncommitted--;
      const entry = `[${number},${ok},${rejected}]`;
      const entries = reports.get(generator);
      if (entries === undefined) reports.set(generator, [entry]);
      else entries.push(entry);
    }
    this.#finished = [];
    for (const [generator, entries] of reports) generator.send(`{"commits":[${entries.join(',')}]}`);
  }
}

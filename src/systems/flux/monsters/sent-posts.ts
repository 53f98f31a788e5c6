import { OUTCOME, type Outcome } from '../../../load/outcome.ts';
import type { Recorder } from '../../../load/recorder.ts';
import { MONSTER_COMMAND } from '../workload.ts';
import { POST, type Posts } from './posts.ts';

/** The sent posts of one client, until they are answered and committed. HOT. */
export class SentPosts {
  /** Number of posts that are not settled. */
  unsettled = 0;
  private readonly posts: Posts;
  private readonly recorder: Recorder;
  /** By post number, in the order of sending. */
  readonly slots = new Map<number, number>();
  private last = 0;

  constructor(posts: Posts, recorder: Recorder) {
    this.posts = posts;
    this.recorder = recorder;
  }

  /** Adds the post in a slot, which is sent now, and returns its number. */
  add(slot: number, sent: number): number {
    const { posts } = this;
    const post = ++this.last;
    posts.state[slot] = POST.underway;
    posts.number[slot] = post;
    posts.sent[slot] = sent;
    this.slots.set(post, slot);
    this.unsettled += 1;
    return post;
  }

  /** Settles a post at its commit, with its accepted and rejected commands; after the timeout, all have timed out. */
  commit(slot: number, ok: number, rejected: number, now: number, timeout: number): void {
    const { posts, recorder } = this;
    const [due, sent, own] = [posts.due[slot]!, posts.sent[slot]!, posts.ownLag[slot]!];
    if (posts.settled[slot] === 1) return;
    if (now - sent > timeout) {
      recorder.settle(MONSTER_COMMAND, OUTCOME.timedOut, posts.commands, due, sent, now);
    } else {
      if (ok > 0) recorder.settle(MONSTER_COMMAND, OUTCOME.ok, ok, due, sent, now, own);
      if (rejected > 0) recorder.settle(MONSTER_COMMAND, OUTCOME.rejected, rejected, due, sent, now, own);
    }
    posts.settled[slot] = 1;
    this.unsettled -= 1;
  }

  /** Settles a post without a commit, unless it is settled. */
  settle(slot: number, outcome: Outcome, now: number): void {
    const { posts } = this;
    if (posts.settled[slot] === 1) return;
    posts.settled[slot] = 1;
    this.unsettled -= 1;
    this.recorder.settle(MONSTER_COMMAND, outcome, posts.commands, posts.due[slot]!, posts.sent[slot]!, now);
  }

  settleAll(outcome: Outcome, now: number): void {
    for (const slot of this.slots.values()) this.settle(slot, outcome, now);
  }

  /** Times out posts that were sent before a time. */
  expire(sentBefore: number, now: number): void {
    for (const slot of this.slots.values()) {
      // Slots are in the order of sending, so the first recent one ends the search.
      if (this.posts.sent[slot]! >= sentBefore) return;
      this.settle(slot, OUTCOME.timedOut, now);
    }
  }

  /** Frees the slot of a post that is answered and committed. */
  freeWhenOver(slot: number): void {
    const { posts } = this;
    if (posts.answered[slot] === 0 || posts.committed[slot] === 0) return;
    this.slots.delete(posts.number[slot]!);
    posts.free(slot);
  }

  /** Frees all slots, after the connection was lost. */
  clear(): void {
    for (const slot of this.slots.values()) this.posts.free(slot);
    this.slots.clear();
  }
}

import { type Cause, sentenceOf } from '../address/connection-cause.ts';

/**
 * What went wrong, in few words: distinct messages with their counts. Messages name what happened and not to
 * whom, so that 10,000 players meeting one problem make one line.
 */
export class ErrorCounts {
  private readonly counts = new Map<string, number>();
  private static readonly MOST = 20;

  add(message: string, count = 1): void {
    const known = this.counts.get(message);
    if (known === undefined && this.counts.size >= ErrorCounts.MOST) return;
    this.counts.set(message, (known ?? 0) + count);
  }

  /** What happened to a connection, and why; with what to do about it. */
  addCause(subject: string, cause: Cause, count = 1): void {
    this.add(`${subject}: ${sentenceOf(cause)}`, count);
  }

  /** For another process, which adds them to its own. */
  entries(): readonly (readonly [message: string, count: number])[] {
    return [...this.counts];
  }

  addAll(entries: readonly (readonly [message: string, count: number])[]): void {
    for (const [message, count] of entries) this.add(message, count);
  }

  /** The most frequent ones, as lines. */
  top(most: number): string[] {
    return [...this.counts]
      .sort(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([message, count]) => (count === 1 ? message : `${message} (${count} times)`));
  }
}

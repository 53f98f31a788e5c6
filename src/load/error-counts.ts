import { type Cause, sentenceOf } from '../address/connection-cause.ts';

/** Distinct error messages with their counts. Messages do not name the player, so that one problem of 10,000 players makes one line. */
export class ErrorCounts {
  private readonly counts = new Map<string, number>();
  private static readonly MOST = 20;

  add(message: string, count = 1): void {
    const known = this.counts.get(message);
    if (known === undefined && this.counts.size >= ErrorCounts.MOST) return;
    this.counts.set(message, (known ?? 0) + count);
  }

  /** Adds what happened to a connection, with its cause and hint. */
  addCause(subject: string, cause: Cause, count = 1): void {
    this.add(`${subject}: ${sentenceOf(cause)}`, count);
  }

  /** Plain data, for another process. */
  entries(): readonly (readonly [message: string, count: number])[] {
    return [...this.counts];
  }

  addAll(entries: readonly (readonly [message: string, count: number])[]): void {
    for (const [message, count] of entries) this.add(message, count);
  }

  /** The most frequent messages. */
  top(most: number): string[] {
    return [...this.counts]
      .sort(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([message, count]) => (count === 1 ? message : `${message} (${count} times)`));
  }
}

import type { Reachable } from '../../../address/access.ts';
import { type CommitListener, Commits } from './commits.ts';
import type { OpenWire, PostListener, Wire } from './wire.ts';

/** The server's end. */
export type LineEnd = Reachable;

/** Who is told what came over a line. */
export interface LineListener {
  accepted(slot: number): void;
  refused(slot: number, message: string): void;
  committed(post: number, ok: number, rejected: number): void;
  /** The line is over: nothing else will be told of it. */
  lineLost(message: string): void;
}

/**
 * One generator's line to one world server: a wire for posts, a socket for commits. Without commits nothing can
 * be settled, without posts nothing sent: losing one is losing the line.
 */
export class Line implements PostListener, CommitListener {
  private readonly commits: Commits;
  private readonly wire: Wire;
  private readonly listener: LineListener;
  private over = false;

  private constructor(
    commits: Commits,
    openWire: OpenWire,
    end: LineEnd,
    generator: string,
    mostUnanswered: number,
    listener: LineListener,
  ) {
    this.commits = commits;
    this.listener = listener;
    this.wire = openWire(end, generator, mostUnanswered, this);
    commits.listen(this);
  }

  /**
   * Connects for commits; the wire connects with the first post, of which `mostUnanswered` will be under way at
   * once. `lastSequences`: the numbers that the server's monsters have used, null when none has.
   * @throws an Error that says why the server did not let it
   */
  static async open(
    openWire: OpenWire,
    end: LineEnd,
    generator: string,
    mostUnanswered: number,
    listener: LineListener,
  ): Promise<{ line: Line; lastSequences: readonly number[] | null }> {
    const { commits, lastSequences } = await Commits.open(end.url, generator, end);
    return { line: new Line(commits, openWire, end, generator, mostUnanswered, listener), lastSequences };
  }

  get bytesIn(): number {
    return this.wire.bytesIn + this.commits.bytesIn;
  }

  get bytesOut(): number {
    return this.wire.bytesOut;
  }

  send(slot: number, post: number, body: string): void {
    this.wire.send(slot, post, body);
  }

  /** Ends it with a word to the server. */
  close(): void {
    this.over = true;
    this.wire.close();
    this.commits.close();
  }

  /** Ends it at once: the server is gone, or is to be connected to again. */
  abandon(): void {
    this.over = true;
    this.wire.close();
    this.commits.abandon();
  }

  accepted(slot: number): void {
    if (!this.over) this.listener.accepted(slot);
  }

  refused(slot: number, message: string): void {
    if (!this.over) this.listener.refused(slot, message);
  }

  committed(post: number, ok: number, rejected: number): void {
    if (!this.over) this.listener.committed(post, ok, rejected);
  }

  postsLost(message: string): void {
    this.lose(`the connection for monster commands: ${message}`);
  }

  commitsLost(message: string): void {
    this.lose(`the connection for commits: ${message}`);
  }

  private lose(message: string): void {
    if (this.over) return;
    this.over = true;
    this.listener.lineLost(message);
  }
}

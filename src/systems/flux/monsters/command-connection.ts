import type { Reachable } from '../../../address/access.ts';
import { type CommitListener, CommitStream } from './commit-stream.ts';
import type { OpenPostTransport, PostListener, PostTransport } from './post-transport.ts';

/** Who is told what came over a connection. */
export interface CommandListener {
  accepted(slot: number): void;
  refused(slot: number, message: string): void;
  committed(post: number, ok: number, rejected: number): void;
  /** The connection is over: nothing else will be told of it. */
  connectionLost(message: string): void;
}

/**
 * One generator's connection to one world server: a transport for posts, a socket for commits. Without commits nothing can
 * be settled, without posts nothing sent: losing one is losing the connection.
 */
export class CommandConnection implements PostListener, CommitListener {
  private readonly commits: CommitStream;
  private readonly transport: PostTransport;
  private readonly listener: CommandListener;
  private over = false;

  private constructor(
    commits: CommitStream,
    openTransport: OpenPostTransport,
    end: Reachable,
    generator: string,
    mostUnanswered: number,
    listener: CommandListener,
  ) {
    this.commits = commits;
    this.listener = listener;
    this.transport = openTransport(end, generator, mostUnanswered, this);
    commits.listen(this);
  }

  /**
   * Connects for commits; the transport connects with the first post, of which `mostUnanswered` will be under way at
   * once. `lastSequences`: the numbers that the server's monsters have used, null when none has.
   * @throws an Error that says why the server did not let it
   */
  static async open(
    openTransport: OpenPostTransport,
    end: Reachable,
    generator: string,
    mostUnanswered: number,
    listener: CommandListener,
  ): Promise<{ connection: CommandConnection; lastSequences: readonly number[] | null }> {
    const { commits, lastSequences } = await CommitStream.open(end.url, generator, end);
    return {
      connection: new CommandConnection(commits, openTransport, end, generator, mostUnanswered, listener),
      lastSequences,
    };
  }

  get bytesIn(): number {
    return this.transport.bytesIn + this.commits.bytesIn;
  }

  get bytesOut(): number {
    return this.transport.bytesOut;
  }

  send(slot: number, post: number, body: string): void {
    this.transport.send(slot, post, body);
  }

  /** Ends it with a word to the server. */
  close(): void {
    this.over = true;
    this.transport.close();
    this.commits.close();
  }

  /** Ends it at once: the server is gone, or is to be connected to again. */
  abandon(): void {
    this.over = true;
    this.transport.close();
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
    this.listener.connectionLost(message);
  }
}

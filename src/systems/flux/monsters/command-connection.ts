import type { Reachable } from '../../../address/access.ts';
import { type CommitListener, openCommitStream } from './commit-stream.ts';
import type { OpenPostTransport, PostListener, PostTransport } from './post-transport.ts';

/** Posts of one worker that one server has not answered with 202; above that, posts wait. */
export const MOST_UNANSWERED = 32;

/** Who is told what came over a connection. */
export interface CommandListener
  extends Omit<PostListener, 'postsLost'>,
    Omit<CommitListener, 'commitsLost'> {
  /** The connection is over: nothing else will be told of it. */
  connectionLost(message: string): void;
}

/** One generator's connection to one world server: a transport for posts, a socket for commits. */
export interface CommandConnection extends PostTransport {
  /** Ends it at once: the server is gone, or is to be connected to again. */
  abandon(): void;
}

/**
 * Connects for commits; the transport connects with the first post.
 * Without commits nothing can be settled, without posts nothing sent: losing one is losing the connection.
 * `lastSequences`: the numbers that the server's monsters have used, null when none has.
 * @throws an Error that says why the server did not let it
 */
export async function openConnection(
  openTransport: OpenPostTransport,
  end: Reachable,
  generator: string,
  listener: CommandListener,
): Promise<{ connection: CommandConnection; lastSequences: readonly number[] | null }> {
  const { commits, lastSequences } = await openCommitStream(end, generator);
  let over = false;
  const lose = (message: string): void => {
    if (over) return;
    over = true;
    listener.connectionLost(message);
  };
  const told: PostListener & CommitListener = {
    accepted: (slot) => over || listener.accepted(slot),
    refused: (slot, message) => over || listener.refused(slot, message),
    committed: (post, ok, rejected) => over || listener.committed(post, ok, rejected),
    postsLost: (message) => lose(`the connection for monster commands: ${message}`),
    commitsLost: (message) => lose(`the connection for commits: ${message}`),
  };
  const transport = openTransport(end, generator, MOST_UNANSWERED, told);
  commits.listen(told);
  const finish = (isAbandoned: boolean): void => {
    over = true;
    transport.close();
    commits.end(isAbandoned);
  };
  const connection: CommandConnection = {
    get bytesIn() {
      return transport.bytesIn + commits.bytesIn;
    },
    get bytesOut() {
      return transport.bytesOut;
    },
    send: (slot, post, body) => transport.send(slot, post, body),
    close: () => finish(false),
    abandon: () => finish(true),
  };
  return { connection, lastSequences };
}

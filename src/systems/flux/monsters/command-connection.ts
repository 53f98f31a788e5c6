import type { Reachable } from '../../../address/access.ts';
import { type CommitListener, openCommitStream } from './commit-stream.ts';
import type { OpenPostTransport, PostListener, PostTransport } from './post-transport.ts';

/** Limit of unanswered posts of one worker to one server; others wait. */
export const MOST_UNANSWERED = 32;

/** Receives the events of a connection. */
export interface CommandListener
  extends Omit<PostListener, 'postsLost'>,
    Omit<CommitListener, 'commitsLost'> {
  /** The connection is lost; this is its last event. */
  connectionLost(message: string): void;
}

/** One generator's connection to one world server: a transport for posts, a socket for commits. */
export interface CommandConnection extends PostTransport {
  /** Closes it at once, when the server has gone or before a reconnect. */
  abandon(): void;
}

/**
 * Opens the commit stream; the transport connects with the first post. Losing either is losing the connection, since both are
 * needed. `lastSequences`: the last numbers of the server's monsters, null when none is used.
 * @throws an Error with the reason why the server refused
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
  const events: PostListener & CommitListener = {
    accepted: (slot) => over || listener.accepted(slot),
    refused: (slot, message) => over || listener.refused(slot, message),
    committed: (post, ok, rejected) => over || listener.committed(post, ok, rejected),
    postsLost: (message) => lose(`the connection for monster commands: ${message}`),
    commitsLost: (message) => lose(`the connection for commits: ${message}`),
  };
  const transport = openTransport(end, generator, MOST_UNANSWERED, events);
  commits.listen(events);
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

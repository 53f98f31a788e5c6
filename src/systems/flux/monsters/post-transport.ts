import type { Socket } from 'node:net';
import { buildConnector, Client } from 'undici';
import { dialOptions, type Reachable } from '../../../address/access.ts';
import { causeOfAnswer, causeOfError, sentenceOf } from '../../../address/connection-cause.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** Longer than any run: only the server closes idle connections. */
const IDLE_MS = 24 * 3600e3;
const HEADERS = { 'content-type': 'application/json' };
const MOST_REASON = 300;

/** Receives the results of posts; `slot` is the argument of `send`. */
export interface PostListener {
  accepted(slot: number): void;
  refused(slot: number, message: string): void;
  /** The connection was lost while posts were unanswered, or could not be opened; called once. */
  postsLost(message: string): void;
}

/** Sends one generator's posts to one world server. */
export interface PostTransport {
  /** Bytes on the socket, including headers. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Sends at once; posts arrive in the order of these calls. */
  send(slot: number, post: number, body: string): void;
  /** Closes; no more events follow. */
  close(): void;
}

/** Opens a transport that connects with its first post; at most `mostUnanswered` posts are unanswered at once. */
export type OpenPostTransport = (
  end: Reachable,
  generator: string,
  mostUnanswered: number,
  listener: PostListener,
) => PostTransport;

export const openUndiciTransport: OpenPostTransport = (end, generator, mostUnanswered, listener) =>
  new UndiciTransport(end, generator, mostUnanswered, listener);

/** The error message of a refused post: the server's reason, and the hint for its status. */
export function refusalOfPost(status: number, reason: string, location?: string): string {
  const { what, hint } = causeOfAnswer(status, location);
  const said = [what.replace(/^status /, ''), reason].filter((part) => part !== '').join(': ');
  return `a post of monster commands was answered ${said}${hint === null ? '' : `: ${hint}`}`;
}

/** Counts the bytes of one socket after another. */
export class Metered {
  private socket: Socket | null = null;
  private before = { in: 0, out: 0 };

  get bytesIn(): number {
    return this.before.in + (this.socket?.bytesRead ?? 0);
  }

  get bytesOut(): number {
    return this.before.out + (this.socket?.bytesWritten ?? 0);
  }

  /** Switches to the next socket. */
  protected meter(socket: Socket): void {
    this.before = { in: this.bytesIn, out: this.bytesOut };
    this.socket = socket;
  }
}

/**
 * Posts over one keep-alive connection, pipelined: HTTP keeps their order, so a monster's numbers arrive in order. Nothing is
 * sent twice: if the connection ends, all unanswered posts are lost.
 */
export class UndiciTransport extends Metered implements PostTransport {
  private readonly client: Client;
  private readonly listener: PostListener;
  private readonly base: string;
  private readonly headers: Readonly<Record<string, string>>;
  private unanswered = 0;
  private lost = false;
  private closing = false;

  /** `mostUnanswered`: the limit of unanswered posts. */
  constructor(end: Reachable, generator: string, mostUnanswered: number, listener: PostListener) {
    super();
    const { origin, pathname } = new URL(end.url);
    this.base = `${pathname.replace(/\/$/, '')}/commands?generator=${encodeURIComponent(generator)}&post=`;
    this.listener = listener;
    this.headers = { ...end.headers, ...HEADERS };
    const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, ...dialOptions(end) });
    this.client = new Client(origin, {
      pipelining: mostUnanswered,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      maxResponseSize: 64 * 1024,
      connect: (options, callback) =>
        connect(options, (...result) => {
          const [, socket] = result;
          if (socket !== null) this.meter(socket);
          callback(...result);
        }),
    });
    this.client.on('disconnect', (_origin, _targets, error) => {
      if (this.unanswered > 0) this.lose(error);
      // Must happen here, before undici retries: a post that may have arrived must not be repeated.
      if (this.lost) this.client.destroy(null, () => {});
    });
    this.client.on('connectionError', (_origin, _targets, error) => this.lose(error));
  }

  send(slot: number, post: number, body: string): void {
    this.unanswered += 1;
    let [status, reason] = [0, ''];
    let location: string | undefined;
    this.client.dispatch(
      {
        method: 'POST',
        path: this.base + post,
        headers: this.headers,
        body,
        idempotent: true,
        blocking: false,
      },
      {
        onRequestStart: () => {},
        onResponseStart: (_controller, statusCode, headers) => {
          status = statusCode;
          location = headers.location?.toString();
        },
        // The body is only part of the error message.
        onResponseData: (_controller, chunk) => {
          if (status !== 202 && reason.length < MOST_REASON) reason += chunk.toString('utf8', 0, MOST_REASON);
        },
        onResponseEnd: () => {
          this.unanswered -= 1;
          if (this.lost || this.closing) return;
          if (status === 202) this.listener.accepted(slot);
          else this.listener.refused(slot, refusalOfPost(status, reason, location));
        },
        onResponseError: (_controller, error) => {
          this.unanswered -= 1;
          this.lose(error);
        },
      },
    );
  }

  close(): void {
    this.closing = true;
    // A lost client is destroyed in `lose`, after undici has reported all of its posts.
    if (!this.lost) this.client.destroy(null, () => {});
  }

  private lose(error: Error): void {
    if (this.lost || this.closing) return;
    this.lost = true;
    // Deferred, since undici is still calling back for other posts. Usually 'disconnect' follows and does this; not always.
    setImmediate(() => this.client.destroy(null, () => {}));
    this.listener.postsLost(sentenceOf(causeOfError(error)));
  }
}

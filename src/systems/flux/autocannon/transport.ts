import type { Reachable } from '../../../address/access.ts';
import { causeOfError, sentenceOf } from '../../../address/connection-cause.ts';
import {
  Metered,
  type OpenPostTransport,
  type PostListener,
  type PostTransport,
  refusalOfPost,
} from '../monsters/post-transport.ts';
import { OpenLoopClient } from './client.ts';

const MOST_REASON = 300;

/** Posts over one connection of autocannon, in the order of their due times. */
export const openAutocannonTransport: OpenPostTransport = (end, generator, _mostUnanswered, listener) =>
  new AutocannonTransport(end, generator, listener);

/**
 * As in monsters/post-transport.ts, nothing is sent twice: if the connection ends, all unanswered posts are lost.
 */
class AutocannonTransport extends Metered implements PostTransport {
  private readonly origin: string;
  private readonly base: string;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly listener: PostListener;
  private client: OpenLoopClient | null = null;
  private unanswered = 0;
  private over = false;

  constructor({ url, address, headers }: Reachable, generator: string, listener: PostListener) {
    super();
    const { protocol, host, hostname, port, pathname } = new URL(url);
    // Autocannon would resolve the name again, so it gets the pinned address, and the name in the host header.
    const at = address === undefined ? hostname : address.includes(':') ? `[${address}]` : address;
    this.origin = `${protocol}//${at}${port === '' ? '' : `:${port}`}`;
    this.base = `${pathname.replace(/\/$/, '')}/commands?generator=${encodeURIComponent(generator)}&post=`;
    this.headers = { ...headers, host, 'content-type': 'application/json' };
    this.listener = listener;
  }

  send(slot: number, post: number, body: string): void {
    if (this.over) return;
    this.client ??= this.connect();
    this.unanswered += 1;
    this.client.send(this.base + post, body, (status, text) => {
      this.unanswered -= 1;
      if (this.over) return;
      if (status === 202) this.listener.accepted(slot);
      else this.listener.refused(slot, refusalOfPost(status, text.slice(0, MOST_REASON)));
    });
  }

  close(): void {
    this.over = true;
    this.client?.close();
  }

  private connect(): OpenLoopClient {
    return new OpenLoopClient(this.origin, this.headers, {
      connecting: (socket) => this.meter(socket),
      ended: () => {
        // An idle connection is reopened; otherwise the unanswered posts are lost.
        if (this.unanswered > 0) this.lose('the server ended it');
        return !this.over;
      },
      broken: (error) => this.lose(sentenceOf(causeOfError(error))),
    });
  }

  private lose(message: string): void {
    if (this.over) return;
    this.over = true;
    this.client?.close();
    this.listener.postsLost(message);
  }
}

import type { Socket } from 'node:net';
import autocannon from 'autocannon';
import { messageOf } from '../../../errors.ts';

/** Longer than any run; autocannon's own time limits are not asked for: ours count from the due time. */
const LONG_SECONDS = 7 * 24 * 3600;

/** What autocannon 8's client is made of beyond its documented methods; the version is pinned for this. */
interface Insides {
  readonly conn: Socket;
  readonly parser: { execute(chunk: Buffer): unknown };
  _connect(): void;
  _doRequest(): void;
  destroy(): void;
}

/** Who is told of a client's connection. */
interface ClientListener {
  /** Also when it connects again, after the server has closed an idle connection. */
  connecting(socket: Socket): void;
  /** The server has ended its side; false where the client is not to connect again. */
  ended(): boolean;
  /** It could not be made, broke, or spoke something that is no HTTP. */
  broken(error: Error): void;
}

const isOurs = (client: object): client is autocannon.Client & Insides =>
  ['_connect', '_doRequest', 'parser', 'destroy'].every((name) => name in client);

/**
 * One connection of autocannon, on somebody else's schedule.
 *
 * Left to itself, autocannon asks again as soon as it is answered, so that a slow server is asked more slowly, and
 * its `-R` spreads nothing over the second. Here the step in which it asks for more, with a new connection and
 * after an answer, does nothing, and is taken instead when a request is due, answered before or not: requests are
 * pipelined. What autocannon does is what it is good at: it builds the request, writes it, and reads the answer.
 */
export class OpenLoopClient {
  private readonly run: autocannon.Instance;
  private client: (autocannon.Client & Insides) | null = null;
  private ask: () => void = () => {};

  constructor(url: string, headers: Readonly<Record<string, string>>, listener: ClientListener) {
    const options: autocannon.Options = {
      ...{ url, headers: { ...headers }, method: 'POST', connections: 1, pipelining: 1 },
      ...{ duration: LONG_SECONDS, timeout: LONG_SECONDS },
      setupClient: (client) => this.take(client, listener),
    };
    const broken = (thrown: unknown): void =>
      listener.broken(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
    this.run = autocannon(options, (error) => {
      if (error) broken(error);
    });
    this.run.on('reqError', broken);
  }

  /** Writes it now. */
  send(path: string, body: string, onResponse: (status: number, body: string) => void): void {
    this.client?.setRequests([{ method: 'POST', path, body, onResponse }]);
    this.ask();
  }

  close(): void {
    this.run.stop();
    this.client?.destroy();
  }

  /** Called while the client is made, before it connects. */
  private take(client: autocannon.Client, listener: ClientListener): void {
    if (!isOurs(client)) throw new Error('this autocannon is not the one that capbench was written for');
    this.client = client;
    this.ask = client._doRequest.bind(client);
    client._doRequest = () => {};
    const connect = client._connect.bind(client);
    client._connect = () => {
      connect();
      // Ahead of autocannon's own listener, which connects again whatever was unanswered.
      client.conn.prependListener('end', () => {
        if (!listener.ended()) client.destroy();
      });
      listener.connecting(client.conn);
    };
    // What is no HTTP it would pass over in silence; an answer that nobody waits for would be a crash.
    const execute = client.parser.execute.bind(client.parser);
    client.parser.execute = (chunk) => {
      try {
        const outcome = execute(chunk);
        if (outcome instanceof Error) listener.broken(outcome);
        return outcome;
      } catch (thrown) {
        listener.broken(new Error(messageOf(thrown)));
        return thrown;
      }
    };
  }
}

import type { Socket } from 'node:net';
import autocannon from 'autocannon';
import { messageOf } from '../../../errors.ts';

/** Longer than any run, to disable autocannon's time limits: capbench's own count from the due time. */
const LONG_SECONDS = 7 * 24 * 3600;

/** Undocumented members of autocannon 8's client; the version is pinned for this. */
interface ClientInternals {
  readonly conn: Socket;
  readonly parser: { execute(chunk: Buffer): unknown };
  _connect(): void;
  _doRequest(): void;
  destroy(): void;
}

/** Receives the events of a client's connection. */
interface ClientListener {
  /** Also when it reconnects after the server has closed an idle connection. */
  connecting(socket: Socket): void;
  /** The server has ended the connection; returns false if the client must not reconnect. */
  ended(): boolean;
  /** The connection failed, or received data that is not HTTP. */
  broken(error: Error): void;
}

const isOurs = (client: object): client is autocannon.Client & ClientInternals =>
  ['_connect', '_doRequest', 'parser', 'destroy'].every((name) => name in client);

/**
 * One connection of autocannon, on capbench's schedule.
 *
 * By itself, autocannon is a closed loop: it sends the next request after an answer, so that a slow server gets fewer requests,
 * and its `-R` does not spread requests over the second. Here its own step for sending does nothing, and is called when a
 * request is due, answered before or not: requests are pipelined. Autocannon builds and writes requests and reads answers.
 */
export class OpenLoopClient {
  private readonly run: autocannon.Instance;
  private client: (autocannon.Client & ClientInternals) | null = null;
  private ask: () => void = () => {};

  constructor(url: string, headers: Readonly<Record<string, string>>, listener: ClientListener) {
    const options: autocannon.Options = {
      ...{ url, headers: { ...headers }, method: 'POST', connections: 1, pipelining: 1 },
      ...{ duration: LONG_SECONDS, timeout: LONG_SECONDS },
      setupClient: (client) => this.patch(client, listener),
    };
    const broken = (thrown: unknown): void =>
      listener.broken(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
    this.run = autocannon(options, (error) => {
      if (error) broken(error);
    });
    this.run.on('reqError', broken);
  }

  /** Sends a request now. */
  send(path: string, body: string, onResponse: (status: number, body: string) => void): void {
    this.client?.setRequests([{ method: 'POST', path, body, onResponse }]);
    this.ask();
  }

  close(): void {
    this.run.stop();
    this.client?.destroy();
  }

  /** Replaces autocannon's own sending; called before the client connects. */
  private patch(client: autocannon.Client, listener: ClientListener): void {
    if (!isOurs(client)) throw new Error('this version of autocannon is not supported');
    this.client = client;
    this.ask = client._doRequest.bind(client);
    client._doRequest = () => {};
    const connect = client._connect.bind(client);
    client._connect = () => {
      connect();
      // Before autocannon's own listener, which reconnects even if requests are unanswered.
      client.conn.prependListener('end', () => {
        if (!listener.ended()) client.destroy();
      });
      listener.connecting(client.conn);
    };
    // Autocannon would ignore data that is not HTTP, and crash on an unexpected answer.
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

import WebSocket from 'ws';
import { messageOf } from '../../errors.ts';
import { isEvent, type SignedEvent } from './signed-event.ts';
import { RELAY_PATH } from './workload.ts';

/** Which events are asked for: all conditions have to hold. */
export interface EventFilter {
  readonly kinds?: readonly number[];
  /** Public keys in hex. */
  readonly authors?: readonly string[];
  /** Values of the `d` tag. */
  readonly '#d'?: readonly string[];
}

/** The relay has no connection any more, or did not answer in time: nobody knows whether it took what was under way. */
export class RelayAway extends Error {}
/** The relay's OK is false. */
export class EventRefused extends Error {}

interface RelayAccess {
  /** `http://127.0.0.1:7777` */
  readonly url: string;
  /** The run's token; empty: none. */
  readonly token: string;
  /** Milliseconds for each answer; when it is over, the connection is given up. */
  readonly limit: number;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly late: NodeJS.Timeout;
}

/** One connection to a relay. It is not reopened. */
export class RelayConnection {
  readonly #socket: WebSocket;
  readonly #limit: number;
  /** Events without an OK, by id. */
  readonly #published = new Map<string, Waiting>();
  /** Questions without an EOSE, by subscription. */
  readonly #asked = new Map<string, Waiting & { readonly found: SignedEvent[] }>();
  #subscriptions = 0;

  private constructor(socket: WebSocket, limit: number) {
    this.#socket = socket;
    this.#limit = limit;
    socket.on('message', (data) => this.#receive(String(data)));
    socket.on('close', () => this.#fail(new RelayAway('the connection to the relay is closed')));
  }

  /** @throws RelayAway */
  static open({ url, token, limit }: RelayAccess): Promise<RelayConnection> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${RELAY_PATH}`, {
        handshakeTimeout: limit,
        perMessageDeflate: false,
        ...(token === '' ? {} : { headers: { authorization: `Bearer ${token}` } }),
      });
      socket.once('open', () => resolve(new RelayConnection(socket, limit)));
      socket.on('error', (error) => reject(new RelayAway(messageOf(error), { cause: error })));
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /**
   * Resolves when the relay has the event. Rejects with EventRefused where it says no, and with RelayAway.
   */
  publish(event: SignedEvent): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) {
        reject(new RelayAway('the connection to the relay is closed'));
        return;
      }
      this.#published.set(event.id, { resolve, reject, late: this.#giveUpLater() });
      this.#socket.send(JSON.stringify(['EVENT', event]));
    });
  }

  /** What the relay has now. Rejects with RelayAway. */
  async request(filter: EventFilter): Promise<readonly SignedEvent[]> {
    this.#subscriptions += 1;
    const subscription = String(this.#subscriptions);
    const found: SignedEvent[] = [];
    await new Promise<void>((resolve, reject) => {
      if (!this.isOpen) {
        reject(new RelayAway('the connection to the relay is closed'));
        return;
      }
      this.#asked.set(subscription, { resolve, reject, late: this.#giveUpLater(), found });
      this.#socket.send(JSON.stringify(['REQ', subscription, filter]));
    });
    if (this.isOpen) this.#socket.send(JSON.stringify(['CLOSE', subscription]));
    return found;
  }

  close(): void {
    this.#socket.close(1000);
  }

  /** At once, without a closing handshake. */
  terminate(): void {
    this.#socket.terminate();
  }

  #giveUpLater(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#fail(new RelayAway(`the relay does not answer within ${this.#limit / 1e3} s`));
      this.#socket.terminate();
    }, this.#limit);
  }

  #receive(text: string): void {
    const [type, name, ...rest] = messageIn(text);
    if (typeof name !== 'string') return;
    if (type === 'OK') {
      const [isTaken, why] = rest;
      settle(this.#published, name, isTaken === true ? null : new EventRefused(String(why)));
    } else if (type === 'EOSE') settle(this.#asked, name, null);
    else if (type === 'CLOSED') settle(this.#asked, name, new RelayAway(String(rest[0])));
    else if (type === 'EVENT' && isEvent(rest[0])) this.#asked.get(name)?.found.push(rest[0]);
  }

  #fail(error: RelayAway): void {
    for (const waiting of [this.#published, this.#asked])
      for (const name of [...waiting.keys()]) settle(waiting, name, error);
  }
}

function settle(waiting: Map<string, Waiting>, name: string, error: Error | null): void {
  const one = waiting.get(name);
  if (one === undefined) return;
  waiting.delete(name);
  clearTimeout(one.late);
  if (error === null) one.resolve();
  else one.reject(error);
}

/** A message of the protocol: a list that begins with its type; empty for anything else. */
export function messageIn(text: string): readonly unknown[] {
  try {
    const message: unknown = JSON.parse(text);
    return Array.isArray(message) ? message : [];
  } catch {
    return [];
  }
}

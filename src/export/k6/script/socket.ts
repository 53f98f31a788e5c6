import { WebSocket } from 'k6/websockets';

/** How often, and how long, a connection is tried before it has failed. */
const MOST_ATTEMPTS = 5;
const WELCOME_MS = 3000;
const RETRY_MS = 300;

const OPEN = 1;

/** Who is at this end of a connection. */
interface Peer {
  /** False: the frame is no welcome. */
  welcome(frame: string): boolean;
  ready(): void;
  receive(frame: string): void;
  /** There was no welcome, whatever was tried. */
  refused(why: string): void;
  /** The connection ended after the welcome, and not by `end`. */
  lost(why: string): void;
}

/** A WebSocket to a server that welcomes whoever connects. One that ends after that is not opened again. */
export class WelcomedSocket {
  state: 'connecting' | 'ready' | 'lost' | 'over' = 'connecting';
  private readonly url: string;
  private readonly peer: Peer;
  private socket: WebSocket | null = null;
  private attempts = 0;

  constructor(url: string, peer: Peer) {
    this.url = url.replace(/^http/, 'ws');
    this.peer = peer;
  }

  open(): void {
    const own = new WebSocket(this.url, null, { headers: HEADERS });
    this.socket = own;
    own.onopen = () => {
      if (own !== this.socket || this.state !== 'connecting') own.close();
      else setTimeout(() => this.tryAgain(own, 'no welcome'), WELCOME_MS);
    };
    own.onmessage = (message) => {
      if (own !== this.socket) return;
      const frame = message?.data as string;
      if (this.state === 'ready') this.peer.receive(frame);
      else if (this.state === 'connecting') this.greet(own, frame);
    };
    own.onerror = (event) => this.ended(own, String(event?.error));
    own.onclose = (close?: { code: number }) =>
      this.ended(own, `the server closed the connection (code ${close?.code})`);
  }

  get canSend(): boolean {
    return this.state === 'ready' && this.socket !== null && Number(this.socket.readyState) === OPEN;
  }

  send(frame: string): void {
    this.socket?.send(frame);
  }

  /** Gives up a connection that was welcomed. */
  lose(why: string): void {
    if (this.state !== 'ready') return;
    this.state = 'lost';
    hangUp(this.socket);
    this.peer.lost(why);
  }

  end(): void {
    this.state = 'over';
    hangUp(this.socket);
  }

  /** Without an attempt to connect. */
  refuse(why: string): void {
    this.state = 'lost';
    this.peer.refused(why);
  }

  private greet(own: WebSocket, frame: string): void {
    if (!this.peer.welcome(frame)) {
      this.tryAgain(own, 'the first frame was no welcome');
      return;
    }
    this.state = 'ready';
    this.peer.ready();
  }

  private ended(own: WebSocket, why: string): void {
    if (own !== this.socket) return;
    if (this.state === 'connecting') this.tryAgain(own, why);
    else this.lose(why);
  }

  /** k6 drops a frame that arrives before the script's onopen is called: then there is no welcome. */
  private tryAgain(own: WebSocket, why: string): void {
    if (own !== this.socket || this.state !== 'connecting') return;
    this.attempts += 1;
    this.socket = null;
    hangUp(own);
    if (this.attempts >= MOST_ATTEMPTS) this.refuse(why);
    else setTimeout(() => this.state === 'connecting' && this.open(), RETRY_MS);
  }
}

/** k6 waits for ever in close() of a socket that is not open yet: that one is closed by its onopen. */
function hangUp(socket: WebSocket | null): void {
  if (socket !== null && Number(socket.readyState) === OPEN) socket.close();
}

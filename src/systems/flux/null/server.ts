import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Door, openDoor } from '../server/door.ts';
import { share } from '../server/population.ts';

/** Which part of a world a server says it is. */
export interface NullWorldPlan {
  /** 1-based. */
  readonly instance: number;
  readonly instances: number;
  /** Of the whole world, over all instances. */
  readonly players: number;
  readonly monsters: number;
  /** As of the flux world; empty: everybody is let in. */
  readonly token?: string;
}

/** When an answer leaves: it is called with each answer as its request has arrived, and calls it once. */
export type Release = (answer: () => void) => void;

/** Takes what a connection is owed. */
type Owe = (item: string) => void;

const AT_ONCE: Release = (answer) => answer();

/** Longer than any pause of a generator, so that its kept connections are not closed under it. */
const KEEP_ALIVE_MS = 60_000;

/**
 * A flux world of which only the wire is there: whatever a player asks for is done, each post is accepted and
 * committed, and every other request is answered 200. An answer weighs what a real one does; nothing is looked
 * at on the way that is not needed for it.
 */
export class NullWorld {
  /** What came in and went out since the start; of the players' sockets payload alone, after the welcome. */
  readonly counts = {
    ...{ connections: 0, framesIn: 0, bytesIn: 0, framesOut: 0, bytesOut: 0, posts: 0, commands: 0 },
  };
  readonly http: Server;
  private readonly release: Release;
  private readonly door: Door;
  private readonly health: string;
  private readonly sockets = new WebSocketServer({
    ...{ noServer: true, perMessageDeflate: false, skipUTF8Validation: true, clientTracking: false },
  });
  /** The sockets on which generators hear of commits, by generator. */
  private readonly committing = new Map<string, Owe>();

  constructor(plan: NullWorldPlan, release: Release = AT_ONCE) {
    this.release = release;
    this.health = healthOf(plan);
    this.door = openDoor(plan.token ?? '');
    this.http = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) =>
      this.serve(request, response),
    );
    this.http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const url = urlOf(request);
    if (url.pathname === '/commands' && this.door(request) !== null) answer(response, 401, '{}');
    else if (url.pathname === '/commands') this.receivePost(url.searchParams, request, response);
    else if (url.pathname === '/health') answer(response, 200, this.health);
    else if (url.pathname === '/metrics') answer(response, 200, this.metrics(), 'text/plain; version=0.0.4');
    else if (request.method === 'GET') this.release(() => answer(response, 200, '{}'));
    else request.resume().on('end', () => this.release(() => answer(response, 200, '{}')));
  }

  /** The body is read and not parsed: how many commands it holds is told by their brackets. */
  private receivePost(query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    let commands = -1;
    request.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(0x5b); at >= 0; at = chunk.indexOf(0x5b, at + 1)) commands += 1;
    });
    request.on('end', () => {
      this.counts.posts += 1;
      this.counts.commands += commands;
      // Before the answer is written, which takes its time: a delay begins when the post has arrived. What is owed at
      // once is paid in the next tick, so that the commit still comes after the answer.
      const commit = `[${query.get('post')},${commands},0]`;
      const generator = query.get('generator') ?? '';
      this.release(() => this.committing.get(generator)?.(commit));
      answer(response, 202, `{"accepted":${commands}}`);
    });
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const url = urlOf(request);
    if (url.pathname !== '/play' && url.pathname !== '/commits') {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    if (this.door(request) !== null) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    this.sockets.handleUpgrade(request, socket, head, (peer) => {
      peer.on('error', () => undefined); // its 'close' follows
      if (url.pathname === '/play') this.play(Number(url.searchParams.get('player')), peer);
      else this.tellCommits(url.searchParams.get('generator') ?? '', peer);
    });
  }

  private play(player: number, peer: WebSocket): void {
    const { counts } = this;
    counts.connections += 1;
    peer.on('close', () => {
      counts.connections -= 1;
    });
    peer.send(`{"welcome":{"player":${player},"place":1,"exits":["north","east"],"present":[],"lastSeq":0}}`);
    // Players number their intents densely from 1: counting tells the number without reading it.
    let sequence = 0;
    const owe = debtor('acks', (frame) => {
      counts.framesOut += 1;
      counts.bytesOut += frame.length;
      peer.send(frame);
    });
    peer.on('message', (intent: Buffer) => {
      sequence += 1;
      const ack = `{"seq":${sequence},"ok":true,"place":2,"exits":["north","east"],"present":[]}`;
      counts.framesIn += 1;
      counts.bytesIn += intent.length;
      this.release(() => owe(ack));
    });
  }

  private tellCommits(generator: string, peer: WebSocket): void {
    const owe = debtor('commits', (frame) => peer.send(frame));
    this.committing.set(generator, owe);
    peer.on('close', () => {
      if (this.committing.get(generator) === owe) this.committing.delete(generator);
    });
    peer.send(JSON.stringify({ welcome: { generator, lastSeq: null } }));
  }

  private metrics(): string {
    const { framesIn, framesOut, commands, connections } = this.counts;
    const { user, system } = process.cpuUsage();
    const figures = {
      capbench_world_operations_total: framesIn + commands,
      capbench_world_frames_total: framesOut,
      capbench_world_connections: connections,
      process_cpu_seconds_total: (user + system) / 1e6,
      process_resident_memory_bytes: process.memoryUsage.rss(),
    };
    return Object.entries(figures)
      .map(([name, value]) => `${name} ${value}\n`)
      .join('');
  }
}

/** What a connection is owed in one turn of the loop goes out in one frame, as in every flux world. */
function debtor(kind: 'acks' | 'commits', send: (frame: string) => void): Owe {
  let owed = '';
  const pay = (): void => {
    const frame = `{"${kind}":[${owed}]}`;
    owed = '';
    send(frame);
  };
  return (item) => {
    if (owed === '') process.nextTick(pay);
    owed += owed === '' ? item : `,${item}`;
  };
}

/** The entities of an instance are dealt as in every flux world (../README.md). */
function healthOf({ instance, instances, players, monsters }: NullWorldPlan): string {
  const dealt = (all: number, first: number) => share(all, instances, instance, first);
  return JSON.stringify({
    ...{ status: 'ok', world: 'flux', protocol: 1, instance, instances },
    ...{ playersTotal: players, monstersTotal: monsters },
    ...{ players: dealt(players, 0), monsters: dealt(monsters, players), rowShape: 'columns' },
  });
}

function urlOf(request: IncomingMessage): URL {
  try {
    return new URL(`http://world${request.url ?? ''}`);
  } catch {
    return new URL('http://world/');
  }
}

function answer(response: ServerResponse, status: number, body: string, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}

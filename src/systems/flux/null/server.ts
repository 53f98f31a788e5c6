import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { openTokenCheck, type TokenCheck } from '../../../server/token-check.ts';
import { share } from '../server/partition.ts';

/** The part of the world that the server claims to own. */
export interface NullWorldPlan {
  /** 1-based. */
  readonly instance: number;
  readonly instances: number;
  /** Of the whole world, over all instances. */
  readonly players: number;
  readonly monsters: number;
  /** The bearer token; empty: none is needed. */
  readonly token?: string;
}

/** Decides when an answer is sent: called with each answer when its request has arrived, and calls it once. */
export type Release = (answer: () => void) => void;

/** Adds an item to the next frame of a connection. */
type AddItem = (item: string) => void;

const AT_ONCE: Release = (answer) => answer();

/** Longer than any pause of a generator, so that its keep-alive connections stay open. */
const KEEP_ALIVE_MS = 60_000;

/**
 * The wire protocol of a flux world without the world: every intent succeeds, every post is accepted and committed, and
 * every other request is answered with 200. Answers have the size of real ones; requests are parsed only as far as needed.
 */
export class NullWorld {
  /** Counts since the start; bytes are those of the players' payloads after the welcome. */
  readonly counts = {
    ...{ connections: 0, framesIn: 0, bytesIn: 0, framesOut: 0, bytesOut: 0, posts: 0, commands: 0 },
  };
  readonly http: Server;
  private readonly release: Release;
  private readonly checkToken: TokenCheck;
  private readonly health: string;
  private readonly sockets = new WebSocketServer({
    ...{ noServer: true, perMessageDeflate: false, skipUTF8Validation: true, clientTracking: false },
  });
  /** How commits are sent, by generator. */
  private readonly commitSenders = new Map<string, AddItem>();

  constructor(plan: NullWorldPlan, release: Release = AT_ONCE) {
    this.release = release;
    this.health = healthOf(plan);
    this.checkToken = openTokenCheck(plan.token ?? '');
    this.http = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) =>
      this.serve(request, response),
    );
    this.http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const url = urlOf(request);
    if (url.pathname === '/commands' && this.checkToken(request) !== null) answer(response, 401, '{}');
    else if (url.pathname === '/commands') this.receivePost(url.searchParams, request, response);
    else if (url.pathname === '/health') answer(response, 200, this.health);
    else if (url.pathname === '/metrics') answer(response, 200, this.metrics(), 'text/plain; version=0.0.4');
    else if (request.method === 'GET') this.release(() => answer(response, 200, '{}'));
    else request.resume().on('end', () => this.release(() => answer(response, 200, '{}')));
  }

  /** Counts the commands of a body by their brackets, without parsing it. */
  private receivePost(query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    let commands = -1;
    request.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(0x5b); at >= 0; at = chunk.indexOf(0x5b, at + 1)) commands += 1;
    });
    request.on('end', () => {
      this.counts.posts += 1;
      this.counts.commands += commands;
      // Called before the answer is written, so that a delay counts from the arrival of the post. The commit still
      // follows the answer: frames are sent in the next tick.
      const commit = `[${query.get('post')},${commands},0]`;
      const generator = query.get('generator') ?? '';
      this.release(() => this.commitSenders.get(generator)?.(commit));
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
    if (this.checkToken(request) !== null) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    this.sockets.handleUpgrade(request, socket, head, (peer) => {
      peer.on('error', () => undefined); // its 'close' follows
      if (url.pathname === '/play') this.play(Number(url.searchParams.get('player')), peer);
      else this.openCommits(url.searchParams.get('generator') ?? '', peer);
    });
  }

  private play(player: number, peer: WebSocket): void {
    const { counts } = this;
    counts.connections += 1;
    peer.on('close', () => {
      counts.connections -= 1;
    });
    peer.send(`{"welcome":{"player":${player},"place":1,"exits":["north","east"],"present":[],"lastSeq":0}}`);
    // Players number their intents from 1 without gaps, so counting gives the number without parsing.
    let sequence = 0;
    const addAck = frameSender('acks', (frame) => {
      counts.framesOut += 1;
      counts.bytesOut += frame.length;
      peer.send(frame);
    });
    peer.on('message', (intent: Buffer) => {
      sequence += 1;
      const ack = `{"seq":${sequence},"ok":true,"place":2,"exits":["north","east"],"present":[]}`;
      counts.framesIn += 1;
      counts.bytesIn += intent.length;
      this.release(() => addAck(ack));
    });
  }

  private openCommits(generator: string, peer: WebSocket): void {
    const addCommit = frameSender('commits', (frame) => peer.send(frame));
    this.commitSenders.set(generator, addCommit);
    peer.on('close', () => {
      if (this.commitSenders.get(generator) === addCommit) this.commitSenders.delete(generator);
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

/** Sends all items that are added in one turn of the event loop in one frame, as every flux world does. */
function frameSender(kind: 'acks' | 'commits', send: (frame: string) => void): AddItem {
  let items = '';
  const flush = (): void => {
    const frame = `{"${kind}":[${items}]}`;
    items = '';
    send(frame);
  };
  return (item) => {
    if (items === '') process.nextTick(flush);
    items += items === '' ? item : `,${item}`;
  };
}

/** Entities are divided among instances as in every flux world (../README.md). */
function healthOf({ instance, instances, players, monsters }: NullWorldPlan): string {
  const rangeOf = (all: number, first: number) => share(all, instances, instance, first);
  return JSON.stringify({
    ...{ status: 'ok', world: 'flux', protocol: 1, instance, instances },
    ...{ playersTotal: players, monstersTotal: monsters },
    ...{ players: rangeOf(players, 0), monsters: rangeOf(monsters, players), rowShape: 'columns' },
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

import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { portOf } from '../loopback.ts';
import { frame } from './raw-wire.ts';

/** A server that answers with arbitrary bytes. It claims a whole world, and may state anything about it. */
export interface RogueOptions {
  readonly players: number;
  readonly monsters: number;
  /** Instead of an honest answer to GET /health; bytes, or a say over the socket. */
  readonly health?: (socket: Socket) => void;
  readonly metrics?: (socket: Socket) => void;
  /** The first words to a player; the honest welcome when it is not there. */
  readonly welcome?: (player: number) => Buffer;
  /** An answer to a player's intent. */
  readonly intent: (player: number, seq: number, socket: Socket) => Buffer;
  /** Told to a generator after each post; the honest commit when it is not there. */
  readonly commit?: (post: number, commands: number, socket: Socket) => Buffer;
  readonly commitsWelcome?: Buffer;
}

export const text = (words: unknown): Buffer =>
  frame(typeof words === 'string' ? words : JSON.stringify(words), { mask: false });

const accept = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** The payloads of small client frames in a chunk; what is split over two chunks is passed over. */
function* payloads(chunk: Buffer): Generator<string> {
  for (let at = 0; at + 6 <= chunk.length; ) {
    const length = (chunk[at + 1] ?? 0) & 127;
    if (length > 125 || at + 6 + length > chunk.length) return;
    const mask = chunk.subarray(at + 2, at + 6);
    const body = chunk.subarray(at + 6, at + 6 + length).map((byte, i) => byte ^ (mask[i % 4] ?? 0));
    if (((chunk[at] ?? 0) & 15) === 1) yield Buffer.from(body).toString();
    at += 6 + length;
  }
}

export class RogueServer {
  url = '';
  private readonly options: RogueOptions;
  private readonly http: Server;
  private readonly commits = new Map<string, Socket>();

  constructor(options: RogueOptions) {
    this.options = options;
    const { players, monsters, health, metrics } = options;
    this.http = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      if (url.pathname === '/health' && health !== undefined) return health(request.socket);
      if (url.pathname === '/metrics' && metrics !== undefined) return metrics(request.socket);
      if (url.pathname === '/health') {
        const honest = {
          ...{ status: 'ok', world: 'flux', protocol: 1, instance: 1, instances: 1, rowShape: 'columns' },
          ...{ playersTotal: players, players: { from: 0, to: players } },
          ...{ monstersTotal: monsters, monsters: { from: players, to: players + monsters } },
        };
        response.end(JSON.stringify(honest));
        return;
      }
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const commands: unknown[] = JSON.parse(Buffer.concat(chunks).toString());
        response.writeHead(202).end(`{"accepted":${commands.length}}`);
        const post = Number(url.searchParams.get('post'));
        const socket = this.commits.get(url.searchParams.get('generator') ?? '');
        if (socket === undefined) return;
        socket.write(
          options.commit?.(post, commands.length, socket) ?? text({ commits: [[post, commands.length, 0]] }),
        );
      });
    });
    this.http.on('connection', (socket: Socket) => socket.on('error', () => undefined));
    this.http.on('upgrade', (request, stream) => {
      const socket = stream as Socket;
      const url = new URL(request.url ?? '', 'http://x');
      const key = request.headers['sec-websocket-key'] ?? '';
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept(key)}\r\n\r\n`,
      );
      if (url.pathname === '/play') this.play(Number(url.searchParams.get('player')), socket);
      else this.welcomeGenerator(url.searchParams.get('generator') ?? '', socket);
    });
  }

  /** Until the test is over. */
  async listen(): Promise<this> {
    this.url = `http://127.0.0.1:${await portOf(this.http)}`;
    return this;
  }

  private play(player: number, socket: Socket): void {
    const honest = text({ welcome: { player, place: 3, exits: ['north'], present: [], lastSeq: 0 } });
    socket.write(this.options.welcome?.(player) ?? honest);
    socket.on('data', (chunk: Buffer) => {
      for (const payload of payloads(chunk)) {
        const { seq } = JSON.parse(payload) as { seq: number };
        if (!socket.destroyed) socket.write(this.options.intent(player, seq, socket));
      }
    });
  }

  private welcomeGenerator(generator: string, socket: Socket): void {
    this.commits.set(generator, socket);
    socket.resume();
    socket.write(this.options.commitsWelcome ?? text({ welcome: { generator, lastSeq: null } }));
  }
}

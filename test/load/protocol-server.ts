import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';

/** The reaction of the server to an intent or a post. */
type Misdeed = 'reject' | 'silence' | 'garbage' | 'drop';
export type IntentAnswer = Misdeed | 'ok' | 'flood' | 'forget' | 'wrongNumber' | 'twice';
export type PostAnswer = Misdeed | 'commit' | 'refuse' | 'withhold';

export interface ServerOptions {
  readonly playersTotal: number;
  readonly monstersTotal: number;
  readonly instance?: number;
  readonly instances?: number;
  readonly port?: number;
  /** The last number before the run of every player and of every monster. */
  readonly lastSeq?: number;
  /** Milliseconds from an operation's arrival to its commit and answer; a server that is killed meanwhile loses it. */
  readonly commitAfter?: number | ((entity: number, seq: number) => number);
  /** Milliseconds until the server notices the end of a connection; until then it answers another one with 409. */
  readonly lingers?: number;
  /** The number that a welcome states instead of the last committed one, by entity. */
  readonly lastSeqOf?: (entity: number, committed: number) => number;
  readonly intent?: (player: number, seq: number) => IntentAnswer;
  readonly post?: (post: number) => PostAnswer;
  /** Players whose upgrade is answered 404. */
  readonly refuses?: (player: number) => boolean;
  /** Players that are connected and never welcomed. */
  readonly welcome?: (player: number) => string | null;
}

/** Operations that arrived and are not committed. */
interface Pending {
  readonly entities: ReadonlySet<number>;
  readonly timer: NodeJS.Timeout;
}

/**
 * A small server that speaks the world protocol and misbehaves on demand. It keeps what it received, and can be
 * killed and restarted: after that it has only its `rows`.
 */
export class ProtocolServer {
  /** By entity id, the received sequence numbers in the order of arrival. */
  readonly received = new Map<number, number[]>();
  /** By entity id, the committed sequence numbers in the order of commits. */
  readonly rows = new Map<number, number[]>();
  /** Upgrades that were answered 409. */
  conflicts = 0;
  readonly texts: string[] = [];
  readonly posts: number[] = [];
  /** The source addresses of players. */
  readonly sources = new Map<string, number>();
  /** Connections of players open at once, at most. */
  peak = 0;
  url = '';
  private readonly options: ServerOptions;
  private readonly pending = new Set<Pending>();
  private readonly busy = new Set<string>();
  /** By connection for posts: the generator's socket for commits. */
  private readonly lines = new WeakMap<object, WebSocket>();
  private http: Server;
  private readonly sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  private readonly commits = new Map<string, WebSocket>();
  private readonly open = new Set<WebSocket>();
  private stalled: Promise<unknown> | null = null;

  constructor(options: ServerOptions) {
    this.options = options;
    this.http = this.create();
  }

  private create(): Server {
    const http = createServer((request, response) => {
      // A request may end with its connection before it is complete.
      this.serve(request, response).catch(() => request.socket.destroy());
    });
    http.on('upgrade', (request, socket, head) => {
      // A client may reset the connection when it is refused or ends; the test does not fail then.
      socket.on('error', () => socket.destroy());
      const url = new URL(request.url ?? '', 'http://x');
      const player = Number(url.searchParams.get('player'));
      if (url.pathname === '/play' && this.options.refuses?.(player) === true) {
        socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      const who = url.search;
      if (this.busy.has(who)) {
        this.conflicts += 1;
        socket.end('HTTP/1.1 409 Conflict\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      const source = request.socket.remoteAddress ?? '';
      if (url.pathname === '/play') this.sources.set(source, (this.sources.get(source) ?? 0) + 1);
      this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.open.add(webSocket);
        this.busy.add(who);
        webSocket.on('close', () => {
          this.open.delete(webSocket);
          setTimeout(() => this.busy.delete(who), this.options.lingers ?? 0);
        });
        if (url.pathname === '/play') void this.play(player, webSocket);
        else void this.welcomeGenerator(url.searchParams.get('generator') ?? '', webSocket);
      });
    });
    return http;
  }

  /** Ends every connection, loses what is not committed, and stops listening. */
  async kill(): Promise<void> {
    for (const { timer } of this.pending) clearTimeout(timer);
    this.pending.clear();
    await this.close();
    this.busy.clear();
  }

  /** Listens again at the same port. */
  async restart(): Promise<void> {
    const { port } = new URL(this.url);
    this.http = this.create();
    await new Promise<void>((resolve) => {
      this.http.listen(Number(port), '127.0.0.1', resolve);
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.http.listen(this.options.port ?? 0, '127.0.0.1', resolve);
    });
    const address = this.http.address();
    if (address !== null && typeof address === 'object') this.url = `http://127.0.0.1:${address.port}`;
    return this;
  }

  /** Handles nothing for this long, and then everything in order. */
  stall(milliseconds: number): void {
    this.stalled = sleep(milliseconds).then(() => {
      this.stalled = null;
    });
  }

  async close(): Promise<void> {
    for (const socket of this.open) socket.terminate();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  get players(): { from: number; to: number } {
    return this.range(this.options.playersTotal, 0);
  }

  get monsters(): { from: number; to: number } {
    return this.range(this.options.monstersTotal, this.options.playersTotal);
  }

  private range(total: number, offset: number): { from: number; to: number } {
    const { instance = 1, instances = 1 } = this.options;
    return {
      from: offset + Math.floor(((instance - 1) * total) / instances),
      to: offset + Math.floor((instance * total) / instances),
    };
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://x');
    if (url.pathname === '/health') {
      const { playersTotal, monstersTotal, instance = 1, instances = 1 } = this.options;
      response.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          ...{ status: 'ok', world: 'flux', protocol: 1, instance, instances, rowShape: 'columns' },
          ...{ playersTotal, players: this.players, monstersTotal, monsters: this.monsters },
        }),
      );
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const commands: [number, number, string][] = JSON.parse(Buffer.concat(chunks).toString());
    const post = Number(url.searchParams.get('post'));
    const generator = url.searchParams.get('generator') ?? '';
    await this.stalled;
    // Posts from before the generator's last welcome must not be applied after it.
    const line = this.commits.get(generator);
    if (request.socket.destroyed) return;
    if ((this.lines.get(request.socket) ?? line) !== line) return void request.socket.destroy();
    if (line !== undefined) this.lines.set(request.socket, line);
    this.posts.push(post);
    const answer = this.options.post?.(post) ?? 'commit';
    if (answer === 'refuse') {
      response.writeHead(400).end('{"error":"no such monster"}');
      return;
    }
    if (answer === 'drop') {
      request.socket.destroy();
      return;
    }
    if (answer === 'withhold') return;
    for (const [monster, seq] of commands) this.note(monster, seq);
    response.writeHead(202).end(`{"accepted":${commands.length}}`);
    if (answer === 'silence') return;
    const rejected = answer === 'reject' ? commands.length : 0;
    const commits = [answer === 'garbage' ? [1] : [post, commands.length - rejected, rejected]];
    this.commit(commands, () => {
      this.commits.get(generator)?.send(JSON.stringify({ commits }));
    });
  }

  /** Commits in the order of arrival, at once or after the delay of the options. */
  private commit(
    operations: readonly (readonly [entity: number, seq: number, ...unknown[]])[],
    answer: () => void,
  ) {
    const apply = (): void => {
      for (const [entity, seq] of operations) noteIn(this.rows, entity, seq);
      answer();
    };
    const { commitAfter } = this.options;
    const [first] = operations;
    if (commitAfter === undefined || first === undefined) return apply();
    const delay = typeof commitAfter === 'number' ? commitAfter : commitAfter(first[0], first[1]);
    const pending: Pending = {
      entities: new Set(operations.map(([entity]) => entity)),
      timer: setTimeout(() => {
        this.pending.delete(pending);
        apply();
      }, delay),
    };
    this.pending.add(pending);
  }

  /** The last committed number of an entity, once nothing of it is in flight. */
  private async lastSeqOf(entities: readonly number[]): Promise<number[]> {
    while ([...this.pending].some((pending) => entities.some((entity) => pending.entities.has(entity)))) {
      await sleep(1);
    }
    return entities.map((entity) => {
      const committed = Math.max(this.options.lastSeq ?? 0, ...(this.rows.get(entity) ?? []));
      return this.options.lastSeqOf?.(entity, committed) ?? committed;
    });
  }

  private async play(player: number, socket: WebSocket): Promise<void> {
    const [lastSeq] = await this.lastSeqOf([player]);
    this.peak = Math.max(this.peak, this.open.size);
    const welcome =
      this.options.welcome === undefined
        ? JSON.stringify({
            welcome: {
              player,
              place: 3,
              exits: ['north', 'east'],
              present: [player + 1],
              lastSeq,
            },
          })
        : this.options.welcome(player);
    if (welcome !== null) socket.send(welcome);
    socket.on('message', (data) => void this.receive(player, socket, data.toString()));
  }

  private async receive(player: number, socket: WebSocket, frame: string): Promise<void> {
    if (this.stalled !== null) await this.stalled;
    const { seq, text }: { seq: number; text: string } = JSON.parse(frame);
    const answer = this.options.intent?.(player, seq) ?? 'ok';
    if (answer === 'forget') return socket.terminate();
    this.note(player, seq);
    this.texts.push(text);
    this.commit([[player, seq]], () => this.answer(socket, answer, seq, text));
  }

  private answer(socket: WebSocket, answer: IntentAnswer, seq: number, text: string): void {
    if (answer === 'garbage') socket.send('{"acks":[{"seq":');
    else if (answer === 'flood') socket.send(`{"acks":[],"words":"${'x'.repeat(17 * 2 ** 20)}"}`);
    else if (answer === 'drop') socket.terminate();
    else if (answer === 'wrongNumber') socket.send(JSON.stringify({ acks: [{ seq: seq + 1000, ok: true }] }));
    else if (answer !== 'silence') {
      const ok = answer === 'ok';
      const place = text === 'look' ? { place: 3, exits: ['north'], present: [] } : {};
      const ack = JSON.stringify({
        acks: [{ seq, ok, ...(ok ? place : { why: 'there is no exit to the west' }) }],
      });
      socket.send(ack);
      if (answer === 'twice') socket.send(ack);
    }
  }

  private async welcomeGenerator(generator: string, socket: WebSocket): Promise<void> {
    const { from, to } = this.monsters;
    const numbers = await this.lastSeqOf(Array.from({ length: to - from }, (_, index) => from + index));
    this.commits.set(generator, socket);
    const lastSeq = numbers.every((number) => number === 0) ? null : numbers;
    socket.send(JSON.stringify({ welcome: { generator, lastSeq } }));
  }

  private note(entity: number, seq: number): void {
    noteIn(this.received, entity, seq);
  }
}

function noteIn(numbers: Map<number, number[]>, entity: number, seq: number): void {
  const known = numbers.get(entity);
  if (known === undefined) numbers.set(entity, [seq]);
  else known.push(seq);
}

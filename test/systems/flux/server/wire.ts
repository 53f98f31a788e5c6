import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A minimal client of the protocol: it sends what a test asks for, and keeps what it receives. */

export interface Welcome {
  readonly player: number;
  readonly place: number;
  readonly exits: readonly string[];
  readonly present: readonly number[];
  readonly lastSeq: number;
}

export interface Ack {
  readonly seq: number;
  readonly ok: boolean;
  readonly why?: string;
  readonly place?: number;
  readonly exits?: readonly string[];
  readonly present?: readonly number[];
}

export interface Event {
  readonly actor: number;
  readonly did: string;
  readonly to?: string;
  readonly target?: number;
  readonly words?: string;
}

interface Frame {
  readonly acks?: readonly Ack[];
  readonly events?: readonly Event[];
}

export interface TestPlayer {
  readonly welcome: Welcome;
  readonly socket: WebSocket;
  readonly acks: Ack[];
  readonly events: Event[];
  /** Sends an intent without waiting. */
  send(seq: number, text: string): void;
  /** Sends the next intent and resolves with its ack. */
  ask(text: string): Promise<Ack>;
  /** Resolves with the ack of that number. */
  ack(seq: number): Promise<Ack>;
  close(): Promise<void>;
}

export async function connectPlayer(url: string, player: number): Promise<TestPlayer> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/play?player=${player}`);
  const acks: Ack[] = [];
  const events: Event[] = [];
  const waiting = new Map<number, (ack: Ack) => void>();
  const welcome = new Promise<Welcome>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data) => {
      const frame: Frame & { welcome?: Welcome } = JSON.parse(data.toString());
      if (frame.welcome !== undefined) resolve(frame.welcome);
      for (const ack of frame.acks ?? []) {
        acks.push(ack);
        waiting.get(ack.seq)?.(ack);
        waiting.delete(ack.seq);
      }
      events.push(...(frame.events ?? []));
    });
  });
  const first = await welcome;
  let next = first.lastSeq + 1;
  const send = (seq: number, text: string): void => {
    next = Math.max(next, seq + 1);
    socket.send(JSON.stringify({ seq, text }));
  };
  const ack = (seq: number): Promise<Ack> => new Promise((resolve) => waiting.set(seq, resolve));
  return {
    welcome: first,
    socket,
    acks,
    events,
    send,
    ack,
    ask(text) {
      const answered = ack(next);
      send(next, text);
      return answered;
    },
    async close() {
      if (socket.readyState === WebSocket.CLOSED) return;
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** `count` commands from the nth on, over the monsters in turn, each with dense numbers from 1. */
export const commandsOf =
  (first: number, monsters: number) =>
  (from: number, count: number): unknown[] =>
    Array.from({ length: count }, (_, i) => [
      first + ((from + i) % monsters),
      1 + Math.floor((from + i) / monsters),
      'guard',
    ]);

export interface TestGenerator {
  readonly welcome: { readonly generator: string; readonly lastSeq: readonly number[] | null };
  readonly socket: WebSocket;
  readonly commits: (readonly [post: number, ok: number, rejected: number])[];
  post(number: number, commands: readonly unknown[]): Promise<Response>;
  /** Resolves with `[ok, rejected]` of that post. */
  committed(post: number): Promise<readonly [number, number]>;
  close(): Promise<void>;
}

export async function connectGenerator(url: string, id: string): Promise<TestGenerator> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/commits?generator=${id}`);
  const commits: (readonly [number, number, number])[] = [];
  const waiting = new Map<number, (counts: readonly [number, number]) => void>();
  const welcome = new Promise<TestGenerator['welcome']>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data) => {
      const frame = JSON.parse(data.toString());
      if (frame.welcome !== undefined) resolve(frame.welcome);
      for (const commit of frame.commits ?? []) {
        commits.push(commit);
        waiting.get(commit[0])?.([commit[1], commit[2]]);
      }
    });
  });
  return {
    welcome: await welcome,
    socket,
    commits,
    post: (number, commands) =>
      fetch(`${url}/commands?generator=${id}&post=${number}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(commands),
      }),
    committed(post) {
      const done = commits.find(([number]) => number === post);
      return done === undefined
        ? new Promise((resolve) => waiting.set(post, resolve))
        : Promise.resolve([done[1], done[2]]);
    },
    async close() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** One value of `GET /metrics`. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  if (line === undefined) throw new Error(`no ${name} in the metrics`);
  return Number(line.slice(name.length + 1));
}

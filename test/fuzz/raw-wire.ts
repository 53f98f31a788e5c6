import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/rng.ts';
import { below, chance, pick } from './draw.ts';

/** Sends arbitrary bytes over HTTP and in WebSocket frames, which no library would do. */

export interface FrameShape {
  readonly opcode?: number;
  readonly fin?: boolean;
  readonly mask?: boolean;
  readonly reserved?: number;
  /** The length in the header, whatever the payload is. */
  readonly length?: number;
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** One frame by RFC 6455, section 5.2, valid or not. */
export function frame(payload: string | Uint8Array, shape: FrameShape = {}): Buffer {
  const { opcode = OPCODE.text, fin = true, mask = true, reserved = 0 } = shape;
  const body = Buffer.from(payload);
  const length = shape.length ?? body.length;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (mask ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat(mask ? [head, Buffer.alloc(4), body] : [head, body]);
}

export const handshake = (path: string, more: readonly string[] = []): string =>
  [
    `GET ${path} HTTP/1.1`,
    'host: x',
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==',
    ...more,
    '',
    '',
  ].join('\r\n');

/** A socket that keeps what it received, and how it ended. */
export interface RawSocket {
  readonly socket: Socket;
  readonly received: () => Buffer;
  /** Resolves when data was received or the other side closed the socket, with false after the time limit. */
  answered(milliseconds: number): Promise<boolean>;
  /** Resolves when the other side has ended it, false after so many milliseconds. */
  ended(milliseconds: number): Promise<boolean>;
  close(): void;
}

export async function open(port: number): Promise<RawSocket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let received = Buffer.alloc(0);
  let over = false;
  const listeners = new Set<() => void>();
  const change = (): void => {
    for (const listener of listeners) listener();
  };
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]).subarray(-100_000);
    change();
  });
  for (const end of ['end', 'close', 'error'] as const) {
    socket.on(end, () => {
      over = true;
      change();
    });
  }
  await once(socket, 'connect');
  const until = (holds: () => boolean, milliseconds: number): Promise<boolean> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (holds()) done(true);
      };
      const timer = setTimeout(() => done(false), milliseconds);
      const done = (result: boolean): void => {
        clearTimeout(timer);
        listeners.delete(look);
        resolve(result);
      };
      listeners.add(look);
      look();
    });
  return {
    socket,
    received: () => received,
    answered: (milliseconds) => until(() => received.length > 0 || over, milliseconds),
    ended: (milliseconds) => until(() => over, milliseconds),
    close: () => socket.destroy(),
  };
}

/** Writes in pieces of any size, with the loop's turn between them. */
export async function dribble({ socket }: RawSocket, bytes: Buffer, next: Random): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; ) {
    const size = chance(next, 0.5) ? 1 + below(next, 3) : 1 + below(next, bytes.length);
    socket.write(bytes.subarray(at, at + size));
    at += size;
    if (chance(next, 0.3)) await sleep(1);
  }
}

const JUNK_JSON = [
  ...['', 'null', '0', '[]', '{}', '"x"', '{"seq":1', '{"seq":1,"text":5}', '{"seq":"1","text":"look"}'],
  ...['0', '-1', '1.5', '1e999', '2147483648', '9007199254740993'].map(
    (seq) => `{"seq":${seq},"text":"look"}`,
  ),
  ...['{"text":"look"}', '{"seq":1}', '{"__proto__":{"seq":1,"text":"look"}}'],
  ...[
    '{"seq":{"a":1},"text":["look"]}',
    '[{"seq":1,"text":"look"}]',
    'NaN',
    '['.repeat(900),
    '\u0000',
    '\ud800',
  ],
];

/** Frames that no player sends. */
export function junkFrames(next: Random): Buffer {
  const text = pick(next, JUNK_JSON);
  const random = Buffer.from(Array.from({ length: below(next, 300) }, () => below(next, 256)));
  return pick(next, [
    () => frame(text),
    () => frame(text),
    () => frame(random, { opcode: OPCODE.binary }),
    () => frame('{"seq":1,"text":"look"}', { opcode: OPCODE.binary }),
    () => frame(random),
    () => frame(random, { opcode: 3 + below(next, 5) }),
    () => frame(random, { opcode: 11 + below(next, 5) }),
    () => frame(text, { reserved: 1 + below(next, 7) }),
    () => frame(text, { mask: false }),
    () => frame('x'.repeat(1_025)),
    () => frame('x'.repeat(70_000)),
    () => frame('x', { length: 2 ** 40 }),
    () => frame('x', { length: Number.MAX_SAFE_INTEGER }),
    () => frame('x'.repeat(126), { opcode: OPCODE.ping }),
    () => frame('', { opcode: OPCODE.ping, fin: false }),
    () => frame('x', { opcode: OPCODE.continuation }),
    () => Buffer.concat([frame('{"seq":', { fin: false }), frame('1,"text":"look"}')]),
    () =>
      Buffer.concat(
        Array.from({ length: 200 }, () => frame('xxxxxx', { fin: false, opcode: OPCODE.continuation })),
      ),
    () =>
      Buffer.concat([
        frame('x'.repeat(600), { fin: false }),
        frame('x'.repeat(600), { opcode: OPCODE.continuation }),
      ]),
    () => frame(Buffer.from([3]), { opcode: OPCODE.close }),
    () => frame(Buffer.from([0, 5, 0xff, 0xfe]), { opcode: OPCODE.close }),
    () => random,
  ])();
}

const post = (length: string, body: string, more: readonly string[] = []): string =>
  [
    'POST /commands?generator=junk&post=1 HTTP/1.1',
    'host: x',
    'content-type: application/json',
    length,
    ...more,
    '',
    body,
  ].join('\r\n');

const JUNK_COMMANDS = [
  ...['[]', '[[]]', '[[1,2]]', '[[99999999,1,"guard"]]', '[["40",1,"guard"]]', '[[40,0,"guard"]]'],
  ...['[[40,1e999,"guard"]]', '[[40,1,5]]', '{"length":5}'],
  `[${'[40,1,"guard"],'.repeat(5_001)}[40,1,"guard"]]`,
  ...JUNK_JSON,
];
const UNSERVED = [
  ...['/play', '/play?player=', '/play?player=-1', '/play?player=1e1', '/play?player=999999999'],
  ...['/nowhere', '/commits', '/commits?generator=%00', '/play?player=1%00'],
];

/** Bytes that are no request, or one that is not served. Each is answered or ended. */
export function junkRequest(next: Random): Buffer {
  const random = (n: number): Buffer => Buffer.from(Array.from({ length: n }, () => below(next, 256)));
  const body = pick(next, JUNK_JSON);
  const sent = pick(next, JUNK_COMMANDS);
  return Buffer.from(
    pick<() => string | Buffer>(next, [
      () => Buffer.concat([random(1 + below(next, 400)), Buffer.from('\r\n\r\n')]),
      () => Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...random(200)]),
      () => 'GET\r\n\r\n',
      () => 'GET / HTTP/9.9\r\n\r\n',
      () => `GET /${'x'.repeat(40_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
      () => `GET / HTTP/1.1\r\nhost: x\r\n${'a: b\r\n'.repeat(5_000)}\r\n`,
      () => 'GET //// HTTP/1.1\r\nhost: x\r\n\r\n',
      () => 'GET * HTTP/1.1\r\nhost: x\r\n\r\n',
      () => 'GET http://[::1 HTTP/1.1\r\nhost: x\r\n\r\n',
      () => 'CONNECT a:1 HTTP/1.1\r\nhost: x\r\n\r\n',
      () => 'OPTIONS /play HTTP/1.1\r\nhost: x\r\nexpect: something\r\n\r\n',
      () => post('content-length: -5', '[]'),
      () => post('content-length: 1e3', '[]'),
      () => post('content-length: 2', '[]', ['transfer-encoding: chunked']),
      () => post('transfer-encoding: chunked', 'zz\r\n[]\r\n0\r\n\r\n'),
      () => post('transfer-encoding: chunked', 'fffffffffffffffff\r\n[]'),
      () => post(`content-length: ${Buffer.byteLength(sent)}`, sent),
      () => post(`content-length: ${Buffer.byteLength(sent)}`, sent),
      () => post(`content-length: ${Buffer.byteLength(body)}`, body),
      () => post(`content-length: ${2 ** 21}`, 'x'.repeat(2 ** 21)),
      () => post('content-length: 1', '[', ['content-encoding: gzip']),
      () => handshake(pick(next, UNSERVED)),
      () => handshake('/play?player=39').replace('version: 13', 'version: 99'),
      () => handshake('/play?player=39').replace('MDEyMzQ1Njc4OWFiY2RlZg==', 'x'),
      () => handshake('/play?player=39').replace('GET', 'POST'),
    ])(),
  );
}

import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { openColyseus } from '../../../../src/systems/massless/colyseus.ts';
import {
  CONFIRMATION,
  decodeMessage,
  encodeMessage,
  FRAME,
  seatOf,
} from '../../../../src/systems/massless/colyseus-frames.ts';
import type { StateDecoder } from '../../../../src/systems/massless/rooms.ts';
import {
  type DownMessages,
  type DownType,
  SEAT_PATH,
  type UpMessages,
  type UpType,
} from '../../../../src/systems/massless/wire.ts';

/** A player of zones, driven message by message, who decodes the state. */

const colyseus = await openColyseus();

/** The answer to a request for a seat. */
export async function reserve(url: string, player: number, zone: number, token = '', bearer = '') {
  const response = await fetch(`${url}${SEAT_PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
    body: JSON.stringify({ zone, player, token }),
  });
  const answer = (await response.json()) as { readonly code?: number; readonly error?: string };
  return { ...answer, seat: seatOf(answer) };
}

export type Player = Awaited<ReturnType<typeof enter>>;

/** Takes a seat in a room; what it is sent waits until it is asked for. */
export async function enter(url: string, player: number, zone = 0, token = '') {
  const { seat, ...answer } = await reserve(url, player, zone, token);
  if (seat === null || 'refused' in seat) throw new Error(`no seat: ${JSON.stringify(answer)}`);
  const socket = new WebSocket(`${url.replace('http', 'ws')}${seat.path}`);
  onTestFinished(() => socket.terminate());
  const messages: { readonly type: string; readonly body: unknown }[] = [];
  const waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const one of waiting.splice(0)) one();
  };
  let state: StateDecoder | null = null;
  let error: Buffer | null = null;
  let patches = 0;
  socket.on('message', (data: Buffer) => {
    const [first] = data;
    if (first === FRAME.joined) {
      state = colyseus.openState(data);
      socket.send(CONFIRMATION);
    } else if (first === FRAME.state || first === FRAME.patch) {
      state?.take(data);
      patches += 1;
    } else if (first === FRAME.error) error = data;
    else {
      const message = decodeMessage(data, colyseus);
      if (message === null) throw new Error(`not a message: ${data.toString('hex')}`);
      messages.push(message);
    }
    wake();
  });
  const closed = once(socket, 'close').then(([code]) => Number(code));
  await once(socket, 'open');
  /** The next message of this type; the others before it stay. */
  async function next<Type extends DownType>(type: Type): Promise<DownMessages[Type]> {
    for (;;) {
      const at = messages.findIndex((message) => message.type === type);
      if (at >= 0) return messages.splice(at, 1)[0]?.body as DownMessages[Type];
      if (socket.readyState === WebSocket.CLOSED)
        throw new Error(`closed without ${type}: ${error?.toString('latin1', 1) ?? 'no error'}`);
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        void closed.then(() => resolve());
      });
    }
  }
  return {
    player,
    socket,
    closed,
    next,
    messages,
    get patches() {
      return patches;
    },
    get state() {
      return state?.state ?? {};
    },
    error: () => error?.toString('latin1', 1),
    send: <Type extends UpType>(type: Type, body: UpMessages[Type]): void =>
      socket.send(encodeMessage(type, body, colyseus)),
    /** Resolves once all inputs up to this number are acknowledged. */
    async ackedTo(seq: number): Promise<DownMessages['ack']> {
      for (;;) {
        const ack = await next('ack');
        if (ack.seq >= seq) return ack;
      }
    },
  };
}

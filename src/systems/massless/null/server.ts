import type { WebSocket } from 'ws';
import { decodeMessage, encodeMessage, FRAME, type MessageCodec } from '../colyseus-frames.ts';
import type { Colyseus } from '../server/colyseus.ts';
import { type Presence, zoneStates } from '../server/zone-state.ts';
import { firstItem, type Item } from '../tables.ts';
import {
  type DownMessages,
  type DownType,
  type JoinOptions,
  moved,
  type Place,
  serverOf,
  type UpMessages,
} from '../wire.ts';

/** The path of the only room. */
export const ROOM_PATH = '/null/zone';

/** The parts of @colyseus/schema that write a state. */
export interface StateEncoding {
  readonly schema: Colyseus['schema']['schema'];
  readonly StateView: Colyseus['schema']['StateView'];
  readonly Encoder: { BUFFER_SIZE: number } & (new (state: object) => Encoder);
  readonly Reflection: { encode(encoder: Encoder): Uint8Array };
}
interface Encoder {
  encodeAll(at: { offset: number }): Uint8Array;
  encode(at: { offset: number }): Uint8Array;
  discardChanges(): void;
}

interface NullPlan {
  readonly zoneSize: number;
  readonly itemsPerCharacter: number;
  readonly decodesOneOf: number;
  /** Of the run, which the zones of transfers are dealt to. */
  readonly servers: number;
}

/** What a token carries to the next room, perhaps of another process. */
interface Carried extends Place {
  readonly last: number;
  readonly transferred: number;
  readonly zone: number;
}

interface NullPlayer {
  readonly player: number;
  readonly socket: WebSocket;
  carried: Carried;
  inputs: UpMessages['input'][];
  /** In the state, if it decodes the state. */
  presence: Presence | null;
  isIn: boolean;
}

/** About as many as see each other in a zone: they move all the time, so that patches are as long as those of real rooms. */
const OTHERS = 20;
const TICKS_PER_SECOND = 20;

/** Reserves seats, and plays with whoever takes one. */
export function openNullZone(schema: StateEncoding, codec: MessageCodec, plan: NullPlan) {
  const { zoneSize, itemsPerCharacter, decodesOneOf, servers } = plan;
  const middle: Place = { x: zoneSize / 2, z: zoneSize / 2 };
  const zone = zoneStates({ schema }, OTHERS)(false, TICKS_PER_SECOND);
  const encoder = new schema.Encoder(zone.state);
  const joined = Buffer.concat([
    ...[[FRAME.joined], [0], [6]].map((bytes) => Buffer.from(bytes)),
    Buffer.from('schema'),
    schema.Reflection.encode(encoder),
  ]);
  const others = Array.from({ length: OTHERS }, (_, i) => zone.enter(-1 - i, middle));
  const players = new Set<NullPlayer>();
  let ticks = 0;

  const send = <T extends DownType>({ socket }: NullPlayer, type: T, body: DownMessages[T]): void =>
    socket.send(encodeMessage(type, body, codec));
  const frameOf = (first: number, bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from([first]), bytes]);

  function confirmed(one: NullPlayer): void {
    const { player, carried } = one;
    one.isIn = true;
    if (player % decodesOneOf === 0) one.presence = zone.enter(player, carried);
    one.socket.send(frameOf(FRAME.state, encoder.encodeAll({ offset: 0 })));
    const from = firstItem(player, itemsPerCharacter);
    const items = Array.from({ length: itemsPerCharacter }, (_, i): Item => from + i);
    send(one, 'welcome', {
      ...{ player, character: player, items, got: [], token: tokenOf(carried) },
      ...carried,
    });
  }

  function received(one: NullPlayer, type: string, body: unknown): void {
    if (type === 'input') one.inputs.push(body as UpMessages['input']);
    else if (type === 'trade') {
      const { seq, to, item } = body as UpMessages['trade'];
      send(one, 'traded', { seq, from: one.player, to, item });
    } else if (type === 'zone') {
      const { seq, to } = body as UpMessages['zone'];
      apply(one, ticks + 1);
      const carried = { ...one.carried, last: Math.max(seq, one.carried.last), transferred: seq, zone: to };
      send(one, 'transfer', { seq, zone: to, server: serverOf(to, servers), token: tokenOf(carried) });
      one.socket.close(4000);
    }
  }

  /** `tick`: whose state has it. */
  function apply(one: NullPlayer, tick: number): void {
    const { inputs, carried } = one;
    if (inputs.length === 0) return;
    one.inputs = [];
    const last = inputs.at(-1)!.seq;
    const { x, z } = inputs.reduce<Place>((place, step) => moved(place, step, zoneSize), carried);
    one.carried = { ...carried, last, x, z };
    if (one.presence !== null) zone.move(one.presence, { x, z });
    send(one, 'ack', { seq: last, tick, x, z });
  }

  return {
    /** The answer to a request for a seat. */
    reserve: ({ player, zone: wanted, token }: JoinOptions) => ({
      room: { processId: 'null', roomId: 'zone' },
      sessionId: `${player}_${token === '' ? tokenOf({ ...middle, last: 0, transferred: 0, zone: wanted }) : token}`,
    }),
    play(socket: WebSocket, sessionId: string): void {
      const [player, ...carried] = sessionId.split('_').map(Number) as [number, ...number[]];
      const [x = middle.x, z = middle.z, last = 0, transferred = 0, at = 0] = carried;
      const one: NullPlayer = {
        ...{ player, socket, inputs: [], presence: null, isIn: false },
        carried: { x, z, last, transferred, zone: at },
      };
      players.add(one);
      socket.on('close', () => {
        players.delete(one);
        if (one.presence !== null) zone.leave(one.presence);
      });
      socket.on('message', (data: Buffer) => {
        if (data[0] === FRAME.joined && !one.isIn) return confirmed(one);
        const message = decodeMessage(data, codec);
        if (message !== null) received(one, message.type, message.body);
      });
      socket.send(joined);
    },
    tick(): void {
      ticks += 1;
      for (const one of players) apply(one, ticks);
      for (const [i, other] of others.entries())
        if ((ticks + i) % 2 === 0) zone.move(other, { x: middle.x + (ticks % 100) / 10, z: middle.z });
      zone.write(ticks);
      const patch = frameOf(FRAME.patch, encoder.encode({ offset: 0 }));
      encoder.discardChanges();
      for (const { socket, isIn } of players) if (isIn) socket.send(patch);
    },
  };
}

const tokenOf = ({ x, z, last, transferred, zone }: Carried): string =>
  [x, z, last, transferred, zone].join('_');

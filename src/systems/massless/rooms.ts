import type { WorldContext } from '../../load/module/player-code.ts';
import type { CountWrong } from '../../load/module/wrong-frames.ts';
import type { PlayerSocket } from '../../player.d.ts';
import {
  CONFIRMATION,
  decodeMessage,
  encodeMessage,
  FRAME,
  type MessageCodec,
  type Seat as ReservedSeat,
  seatOf,
} from './colyseus-frames.ts';
import { postJson } from './post-json.ts';
import {
  CLOSE,
  type DownMessages,
  type JoinOptions,
  SEAT_PATH,
  type UpMessages,
  type UpType,
  type ZoneView,
} from './wire.ts';

/** What a player needs of Colyseus' packages. */
export interface Colyseus extends MessageCodec {
  /** A decoder of the state whose types a `joined` frame has; null for a frame without them. */
  openState(joined: Buffer): StateDecoder | null;
}

export interface StateDecoder {
  /** A frame of the whole state or of a patch. */
  take(frame: Buffer): void;
  readonly state: Partial<ZoneView>;
}

/** Where the next seat of a player is. */
export interface Seat {
  zone: number;
  server: number;
  token: string;
}

/** A connection to a room. */
export interface Room {
  readonly id: string;
  /** Of its server. */
  readonly process: string;
  readonly socket: PlayerSocket;
  /** Null for a player that does not decode the state. */
  state: StateDecoder | null;
  /** Messages; replaced once the player is in. */
  hear: (type: string, body: unknown) => void;
  /** The connection has ended; replaced once the player is in. */
  ended: (why: string) => void;
  /** Frames of the state since they were reported last, and their bytes. */
  patches: number;
  patchBytes: number;
}

export interface Message {
  readonly type: string;
  readonly body: unknown;
}

/** Where a player arrived: in a room, or elsewhere. */
type Arrival =
  | {
      readonly at: 'room';
      readonly room: Room;
      readonly welcome: DownMessages['welcome'];
      /** Answers to trades that came before anybody listened: the server knows the player before it welcomes it. */
      readonly early: readonly Message[];
    }
  | { readonly at: 'elsewhere'; readonly transfer: DownMessages['transfer'] };

/** A player is sent on by rooms so often, until it gives up. */
const MOST_HOPS = 4;

/** Connections to rooms. */
interface Rooms {
  /**
   * Takes seats until the player is in a room: what a room knows of where its character is may be older than a transfer.
   * Rejects with the reason where it does not get in.
   */
  enter(context: WorldContext, seat: Seat): Promise<Extract<Arrival, { readonly at: 'room' }>>;
  send<T extends UpType>(room: Room, type: T, body: UpMessages[T]): void;
}

export function goTo(seat: Seat, { zone, server, token }: DownMessages['transfer']): void {
  seat.zone = zone;
  seat.server = server;
  seat.token = token;
}

export function openRooms({
  colyseus,
  decodesOneOf,
  wrong,
}: {
  readonly colyseus: Colyseus;
  readonly decodesOneOf: number;
  readonly wrong: CountWrong;
}): Rooms {
  /** Processes that have said that they end: nobody is taken in there any more. */
  const ending = new Set<string>();

  /** A room that the player has a seat in. It reports nothing before `hear` and `ended` are set. */
  function openRoom(context: WorldContext, url: string, seat: ReservedSeat): Room {
    const socket = context.openSocketAt(url, seat.path);
    const room: Room = {
      ...{ id: seat.roomId, process: seat.processId, socket, state: null, patches: 0, patchBytes: 0 },
      hear: () => undefined,
      ended: () => undefined,
    };
    socket.on('message', (data) => {
      switch (data[0]) {
        case FRAME.state:
        case FRAME.patch:
          room.patches += 1;
          room.patchBytes += data.length;
          decode(context, room, data);
          break;
        case FRAME.message: {
          const message = decodeMessage(data, colyseus);
          if (message === null) wrong(context, 'a message that cannot be read', data.toString('latin1'));
          else room.hear(message.type, message.body);
          break;
        }
        case FRAME.joined:
          if (context.player % decodesOneOf === 0) {
            room.state = colyseus.openState(data);
            if (room.state === null) wrong(context, 'a room without the types of its state', data.length);
          }
          socket.send(CONFIRMATION);
          break;
        case FRAME.error:
          room.ended(`the room answered ${JSON.stringify(data.toString('latin1', 1).slice(0, 200))}`);
          break;
        default:
          break;
      }
    });
    socket.on('error', ({ message }) => room.ended(message));
    socket.on('close', (code, reason) => {
      if (code === CLOSE.leaving) ending.add(room.process);
      room.ended(`the server closed the connection (${code}${reason.length > 0 ? `, ${reason}` : ''})`);
    });
    return room;
  }

  function decode(context: WorldContext, room: Room, data: Buffer): void {
    try {
      room.state?.take(data);
    } catch (error) {
      wrong(context, 'a state that cannot be decoded', error instanceof Error ? error.message : error);
      room.state = null;
    }
  }

  /** Reserves a seat in the player's zone, and takes it. Rejects with the reason where it does not get in. */
  async function arrive(context: WorldContext, seat: Seat): Promise<Arrival> {
    const { player, urls, headers, signal } = context;
    const url = urls[seat.server];
    if (url === undefined) throw new Error(`there is no server ${seat.server}`);
    const wanted: JoinOptions = { zone: seat.zone, player, token: seat.token };
    const answer = await postJson(`${url}${SEAT_PATH}`, wanted, { headers, signal });
    const reserved = seatOf(answer.body);
    if (reserved === null) throw new Error(`no seat: an answer with status ${answer.status} that has none`);
    if ('refused' in reserved) {
      context.measure('refusedSeats', 1);
      throw new Error(`no seat: ${reserved.refused}`);
    }
    const room = openRoom(context, url, reserved);
    const early: Message[] = [];
    return new Promise((resolve, reject) => {
      room.ended = (why) => reject(new Error(why));
      room.hear = (type, body) => {
        if (type === 'welcome') {
          if (ending.has(room.process))
            wrong(context, 'a welcome of a server that had said that it ends', body);
          resolve({ at: 'room', room, welcome: body as DownMessages['welcome'], early });
        } else if (type === 'transfer')
          resolve({ at: 'elsewhere', transfer: body as DownMessages['transfer'] });
        else if (type === 'traded' || type === 'refused') early.push({ type, body });
        else reject(new Error(`the room began with the message ${type}`));
      };
    });
  }

  const enter: Rooms['enter'] = async (context, seat) => {
    for (let hop = 0; hop < MOST_HOPS; hop++) {
      const arrival = await arrive(context, seat);
      if (arrival.at === 'room') return arrival;
      goTo(seat, arrival.transfer);
    }
    throw new Error(`sent from zone to zone ${MOST_HOPS} times`);
  };

  return {
    enter,
    send: ({ socket }, type, body) => socket.send(encodeMessage(type, body, colyseus)),
  };
}

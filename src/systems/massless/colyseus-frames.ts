/**
 * The frames of Colyseus 0.16 as a client has them: the first byte says what a frame is. Messages are read and written; of the
 * state only that it came and how long it is, since decoding it for every player costs a load generator more than the server.
 */

/** First bytes. */
export const FRAME = { joined: 10, error: 11, leave: 12, message: 13, state: 14, patch: 15 } as const;

/** The parts of @colyseus/msgpackr that messages need. */
export interface MessageCodec {
  pack(value: unknown): Uint8Array;
  unpack(data: Uint8Array): unknown;
}

/** Bodies are made of a room's own messages; a longer one is nobody's. */
const SHORT_TEXT = 0xa0;
const LONGEST_SHORT = 31;

/** Confirms a `joined` frame; only then does the server send state and messages. */
export const CONFIRMATION: Uint8Array = Uint8Array.of(FRAME.joined);

/** A message. `type`: at most 31 ASCII characters. */
export function encodeMessage(type: string, body: unknown, { pack }: MessageCodec): Buffer {
  return Buffer.concat([
    Buffer.from([FRAME.message, SHORT_TEXT | type.length]),
    Buffer.from(type, 'latin1'),
    pack(body),
  ]);
}

/** Type and body of a message; null for one without a short text as its type, or with a body that cannot be read. */
export function decodeMessage(
  frame: Buffer,
  { unpack }: MessageCodec,
): { readonly type: string; readonly body: unknown } | null {
  const length = (frame[1] ?? 0) ^ SHORT_TEXT;
  if (frame[0] !== FRAME.message || length > LONGEST_SHORT || frame.length < 2 + length) return null;
  try {
    const body = frame.length === 2 + length ? undefined : unpack(frame.subarray(2 + length));
    return { type: frame.toString('latin1', 2, 2 + length), body };
  } catch {
    return null;
  }
}

/**
 * Where the types of the state begin in a `joined` frame, after the reconnection token and the name of the serializer; null for
 * a frame that is too short for them.
 */
export function typesAt(frame: Buffer): number | null {
  const serializer = 2 + (frame[1] ?? 0);
  const length = frame[serializer];
  return length === undefined || frame.length <= serializer + 1 + length ? null : serializer + 1 + length;
}

/** A seat in a room, as the answer to a request for one has it. */
export interface Seat {
  /** Path of the room's WebSocket. */
  readonly path: string;
  readonly processId: string;
  readonly roomId: string;
}

/** The words of an answer that refuses a seat; or null for one that is none of Colyseus'. */
export function seatOf(answer: unknown): Seat | { readonly refused: string } | null {
  if (typeof answer !== 'object' || answer === null) return null;
  const { room, sessionId, error, code } = answer as Readonly<Record<string, unknown>>;
  if (error !== undefined || code !== undefined) return { refused: String(error ?? code) };
  if (typeof room !== 'object' || room === null || typeof sessionId !== 'string') return null;
  const { processId, roomId } = room as Readonly<Record<string, unknown>>;
  if (typeof processId !== 'string' || typeof roomId !== 'string') return null;
  return { path: `/${processId}/${roomId}?sessionId=${sessionId}`, processId, roomId };
}

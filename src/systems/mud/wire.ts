/**
 * The frames of the text game. `command`, `response` and `room_message` are the document's; `connected`, `saved` and `error`
 * are beside them, since the document has no greeting, no second level of acknowledgement and no error. The id of a command is
 * its number as text.
 */

/** Up: a line that a player typed. */
export interface Command {
  readonly command: string;
  readonly number: number;
}

/** Down. */
export type Frame =
  /** The player is in the game. `last`: the highest number of its commands that the game contains. */
  | { readonly type: 'connected'; readonly last: number }
  /** The answer to a command, once its effect is stored. */
  | { readonly type: 'response'; readonly id: string; readonly messages: readonly string[] }
  /** The commands `from` to `id` are committed to the database. */
  | { readonly type: 'saved'; readonly from: string; readonly id: string }
  /** A command that the game refuses (`rate_limited`), or cannot carry out now (`unavailable`). */
  | {
      readonly type: 'error';
      readonly id: string;
      readonly code: 'rate_limited' | 'unavailable';
      readonly message: string;
    }
  /** To all in a room. */
  | {
      readonly type: 'room_message';
      readonly room_id: string;
      readonly message: string;
      readonly message_type: string;
    };

/** Codes of the server's close frames. */
export const CLOSE = { leaving: 1001, replaced: 4001, unavailable: 4503 } as const;

const LONGEST_COMMAND = 500;
const NUMBER = /^[1-9]\d{0,9}$/;

export const encodeCommand = ({ command, number }: Command): string =>
  JSON.stringify({ type: 'command', command, id: String(number) });

/** Null for anything but a command as the document has it: `type`, `command` and `id`. */
export function decodeCommand(text: string): Command | null {
  const frame = parse(text);
  if (frame === null || frame.type !== 'command' || Object.keys(frame).length !== 3) return null;
  const { command, id } = frame;
  if (typeof command !== 'string' || command.length > LONGEST_COMMAND) return null;
  return typeof id === 'string' && NUMBER.test(id) ? { command, number: Number(id) } : null;
}

export const encodeFrame = (frame: Frame): string => JSON.stringify(frame);

/** Null for a frame that is none of the above, has a key too few or too many, or a value of another type. */
export function decodeFrame(text: string): Frame | null {
  const frame = parse(text);
  const check = typeof frame?.type === 'string' ? SHAPES[frame.type] : undefined;
  if (frame === null || check === undefined) return null;
  const keys = Object.keys(check);
  const isShaped =
    Object.keys(frame).length === keys.length + 1 && keys.every((key) => check[key]?.(frame[key]) === true);
  return isShaped ? (frame as unknown as Frame) : null;
}

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === 'string';
const isNumberText: Check = (value) => typeof value === 'string' && NUMBER.test(value);
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);

const SHAPES: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  connected: { last: (value) => Number.isInteger(value) && Number(value) >= 0 },
  response: { id: isNumberText, messages: isTexts },
  saved: { from: isNumberText, id: isNumberText },
  error: { id: isNumberText, code: isText, message: isText },
  room_message: { room_id: isText, message: isText, message_type: isText },
};

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

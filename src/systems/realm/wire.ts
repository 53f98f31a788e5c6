/**
 * The frames between an agent and its world, JSON text. Numbers called `seq` count the commands of one agent, from 1 without
 * gaps; a refused command uses up its number. The document names the messages, not their fields: these are ours.
 */

/** Up. */
export type Command =
  /** To a spot: multiples of 1/2. */
  | { readonly type: 'move'; readonly seq: number; readonly x: number; readonly z: number }
  | { readonly type: 'chat'; readonly seq: number; readonly text: string }
  | { readonly type: 'emote'; readonly seq: number; readonly emote: Emote };

export const EMOTES = ['wave', 'dance', 'bow', 'laugh'] as const;
export type Emote = (typeof EMOTES)[number];

/** An agent, and where it stands. */
export type Position = readonly [agent: number, x: number, z: number];
/** The same, and the number of the command that brought it there; 0 where it has not moved. */
export type Moved = readonly [agent: number, x: number, z: number, seq: number];

export const REFUSALS = ['rate_limited', 'out_of_bounds', 'collision'] as const;
export type RefusalReason = (typeof REFUSALS)[number];

/** Down. */
export type Frame =
  /**
   * The agent is in the world with this number, from 1. `last`: the highest number of its commands that the world contains, or 0.
   */
  | {
      readonly type: 'welcome';
      readonly world: number;
      readonly agent: number;
      readonly last: number;
      readonly x: number;
      readonly z: number;
    }
  /** The other agents that it sees; once, after `welcome`. */
  | { readonly type: 'snapshot'; readonly agents: readonly Position[] }
  /**
   * What has changed since the update before: `acks` are the agent's own moves that were applied, in order; `agents` those other
   * agents in sight that moved or came into sight, `gone` those that it no longer sees. It is not sent where all are empty.
   */
  | {
      readonly type: 'update';
      readonly tick: number;
      readonly acks: readonly number[];
      readonly agents: readonly Moved[];
      readonly gone: readonly number[];
    }
  /** A chat or an emote was sent to all others. */
  | { readonly type: 'ack'; readonly seq: number }
  | { readonly type: 'refused'; readonly seq: number; readonly reason: RefusalReason }
  /** To every other agent of this world. */
  | { readonly type: 'chat'; readonly from: number; readonly seq: number; readonly text: string }
  | { readonly type: 'emote'; readonly from: number; readonly seq: number; readonly emote: Emote }
  /** The relay has these numbers: ranges, in order, without those of an earlier frame of this connection. */
  | { readonly type: 'saved'; readonly numbers: readonly (readonly [from: number, to: number])[] };

/** Codes of the server's close frames. */
export const CLOSE = { leaving: 1001, malformed: 1007, replaced: 4001 } as const;

export const LONGEST_CHAT = 280;
const LARGEST_NUMBER = 2 ** 31 - 1;
/** Beyond any world: a command may ask for a spot outside, and is refused then. */
const FARTHEST = 1_000_000;

export const encodeCommand = (command: Command): string => JSON.stringify(command);
export const encodeFrame = (frame: Frame): string => JSON.stringify(frame);

/** Null for what is no command: a key too few or too many, a value of another type, a spot between multiples of 1/2. */
export const decodeCommand = (text: string): Command | null => shaped(text, COMMANDS) as Command | null;
/** Null for a frame that is none of the above, has a key too few or too many, or a value of another type. */
export const decodeFrame = (text: string): Frame | null => shaped(text, FRAMES) as Frame | null;

type Check = (value: unknown) => boolean;
type Shapes = Readonly<Record<string, Readonly<Record<string, Check>>>>;

const isWhole: Check = (value) =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= LARGEST_NUMBER;
const isSeq: Check = (value) => isWhole(value) && Number(value) > 0;
const isCoordinate: Check = (value) =>
  typeof value === 'number' && Number.isInteger(2 * value) && Math.abs(value) <= FARTHEST;
const isChat: Check = (value) =>
  typeof value === 'string' && value.length > 0 && value.length <= LONGEST_CHAT;
const isEmote: Check = (value) => EMOTES.some((one) => one === value);
const isRefusalReason: Check = (value) => REFUSALS.some((one) => one === value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const tupleOf =
  (...checks: readonly Check[]): Check =>
  (value) =>
    Array.isArray(value) && value.length === checks.length && checks.every((check, i) => check(value[i]));

const COMMANDS: Shapes = {
  move: { seq: isSeq, x: isCoordinate, z: isCoordinate },
  chat: { seq: isSeq, text: isChat },
  emote: { seq: isSeq, emote: isEmote },
};

const FRAMES: Shapes = {
  welcome: { world: isSeq, agent: isWhole, last: isWhole, x: isCoordinate, z: isCoordinate },
  snapshot: { agents: listOf(tupleOf(isWhole, isCoordinate, isCoordinate)) },
  update: {
    tick: isSeq,
    acks: listOf(isSeq),
    agents: listOf(tupleOf(isWhole, isCoordinate, isCoordinate, isWhole)),
    gone: listOf(isWhole),
  },
  ack: { seq: isSeq },
  refused: { seq: isSeq, reason: isRefusalReason },
  chat: { from: isWhole, seq: isSeq, text: isChat },
  emote: { from: isWhole, seq: isSeq, emote: isEmote },
  saved: { numbers: listOf(tupleOf(isSeq, isSeq)) },
};

function shaped(text: string, shapes: Shapes): object | null {
  const value = parse(text);
  const { type } = value;
  const shape = typeof type === 'string' && Object.hasOwn(shapes, type) ? shapes[type] : undefined;
  if (shape === undefined) return null;
  const keys = Object.keys(shape);
  const isShaped =
    Object.keys(value).length === keys.length + 1 && keys.every((key) => shape[key]?.(value[key]) === true);
  return isShaped ? value : null;
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

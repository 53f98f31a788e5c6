import type { Question } from './questions.ts';

/** Players connect to this path. */
export const PLAY_PATH = '/play';
/** The longest frame in either direction, in bytes. */
export const LONGEST_FRAME = 16_384;

/** What players send: JSON text frames `{event, data, id}`; `id` is the number of the operation, and comes back with the answer. */
export type PlayerFrame =
  | {
      readonly event: 'authenticate';
      /** `match`: the match in which the player believes itself to be. */
      readonly data: { readonly player: number; readonly match: number | null };
    }
  | { readonly event: 'create_friend_match'; readonly id: number; readonly data: { readonly quiz: number } }
  | { readonly event: 'join_match'; readonly id: number; readonly data: { readonly joinCode: string } }
  | { readonly event: 'player_ready'; readonly id: number; readonly data: { readonly matchId: number } }
  | {
      readonly event: 'submit_answer';
      readonly id: number;
      readonly data: {
        readonly matchId: number;
        readonly questionId: number;
        readonly questionIndex: number;
        readonly selectedOptions: readonly number[];
        /** Milliseconds. */
        readonly timeSpent: number;
      };
    };

/** An operation of a player. */
export type RequestFrame = Extract<PlayerFrame, { readonly id: number }>;

/** Where a match stands, for a player who has connected again. */
export interface MatchView {
  readonly matchId: number;
  readonly joinCode: string;
  readonly players: readonly number[];
  /** Of the player that is addressed. */
  readonly ready: boolean;
  readonly started: boolean;
  /** The open question; null before the start and after the last one. */
  readonly question: Question | null;
  readonly questionIndex: number;
  /** The player has answered the open question. */
  readonly answered: boolean;
}

export interface Results {
  readonly matchId: number;
  readonly results: readonly { readonly player: number; readonly score: number }[];
  /** Null for a draw. */
  readonly winner: number | null;
}

/** A question that is open now. */
export interface Shown {
  readonly matchId: number;
  readonly question: Question;
  readonly questionIndex: number;
  readonly totalQuestions: number;
}

/** What the server sends. Frames with an `id` answer an operation. */
export type ServerFrame =
  | { readonly event: 'authenticated'; readonly data: { readonly player: number } }
  | { readonly event: 'match_reconnected'; readonly data: MatchView }
  /** The match is not here, and was not finished. */
  | { readonly event: 'match_unknown'; readonly data: { readonly matchId: number } }
  | {
      readonly event: 'friend_match_created';
      readonly id: number;
      readonly data: { readonly matchId: number; readonly joinCode: string };
    }
  | {
      readonly event: 'match_joined';
      readonly id: number;
      readonly data: { readonly matchId: number; readonly players: readonly number[] };
    }
  | {
      readonly event: 'player_list_updated';
      readonly data: { readonly matchId: number; readonly players: readonly number[] };
    }
  | { readonly event: 'player_ready'; readonly id: number; readonly data: { readonly matchId: number } }
  | { readonly event: 'match_started' | 'next_question'; readonly data: Shown }
  | {
      readonly event: 'answer_result';
      readonly id: number;
      readonly data: { readonly isCorrect: boolean; readonly points: number; readonly totalScore: number };
    }
  | { readonly event: 'player_disconnected'; readonly data: { readonly player: number } }
  /** The rows of the match are committed. */
  | { readonly event: 'match_completed'; readonly data: Results }
  /** `retry`: the same may work a little later. */
  | {
      readonly event: 'error';
      readonly id?: number;
      readonly data: { readonly message: string; readonly retry: boolean };
    };

export const encode = (frame: PlayerFrame | ServerFrame): string => JSON.stringify(frame);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** A frame of a player; null for anything else, which the server refuses. */
export function readPlayerFrame(text: string): PlayerFrame | null {
  const frame = parsed(text);
  if (!isObject(frame) || !isObject(frame.data)) return null;
  const { event, data } = frame;
  if (event === 'authenticate') {
    const { player, match } = data;
    return isWhole(player) && (match === null || isWhole(match)) ? { event, data: { player, match } } : null;
  }
  const { id } = frame;
  if (!isWhole(id)) return null;
  switch (event) {
    case 'create_friend_match':
      return isWhole(data.quiz) ? { event, id, data: { quiz: data.quiz } } : null;
    case 'join_match':
      return typeof data.joinCode === 'string' ? { event, id, data: { joinCode: data.joinCode } } : null;
    case 'player_ready':
      return isWhole(data.matchId) ? { event, id, data: { matchId: data.matchId } } : null;
    case 'submit_answer': {
      const { matchId, questionId, questionIndex, selectedOptions, timeSpent } = data;
      const isAnswer =
        isWhole(matchId) &&
        isWhole(questionId) &&
        isWhole(questionIndex) &&
        isWhole(timeSpent) &&
        Array.isArray(selectedOptions) &&
        selectedOptions.length === 1 &&
        isWhole(selectedOptions[0]);
      return isAnswer
        ? { event, id, data: { matchId, questionId, questionIndex, selectedOptions, timeSpent } }
        : null;
    }
    default:
      return null;
  }
}

/** A frame of our own server, which players trust in its shape; null for what is no frame. */
export function readServerFrame(text: string): ServerFrame | null {
  const frame = parsed(text);
  return isObject(frame) && typeof frame.event === 'string' && isObject(frame.data)
    ? (frame as unknown as ServerFrame)
    : null;
}

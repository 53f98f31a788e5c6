import { pointsOf } from './questions.ts';
import { PAIR } from './workload.ts';

/** An answer; `number` is that of the player's operation. */
export interface Answer {
  readonly choice: number;
  readonly number: number;
  /** Milliseconds that the player says it took. */
  readonly timeSpent: number;
}

/** One of a match's players. */
export interface Seat {
  readonly player: number;
  /** The number of the operation that created or joined the match. */
  readonly entry: number;
  /** The number of the operation that said so; null before. */
  ready: number | null;
  /** By question; null until it is answered. */
  readonly answers: (Answer | null)[];
}

/** A match. It changes only by `applyChange`, after the change is in the store. */
export interface Match {
  readonly id: number;
  readonly code: string;
  readonly quiz: number;
  readonly questions: number;
  /** The creator first. */
  readonly seats: Seat[];
}

/** What an operation does to a match. */
export type Change =
  | { readonly kind: 'join'; readonly player: number; readonly number: number }
  | { readonly kind: 'ready'; readonly player: number; readonly number: number }
  | {
      readonly kind: 'answer';
      readonly player: number;
      readonly number: number;
      readonly question: number;
      readonly choice: number;
      readonly timeSpent: number;
    };

export function openMatch(
  { id, code, quiz, questions }: Pick<Match, 'id' | 'code' | 'quiz' | 'questions'>,
  creator: Pick<Seat, 'player' | 'entry'>,
): Match {
  const match: Match = { id, code, quiz, questions, seats: [] };
  takeSeat(match, creator);
  return match;
}

const takeSeat = (match: Match, { player, entry }: Pick<Seat, 'player' | 'entry'>): void =>
  void match.seats.push({
    player,
    entry,
    ready: null,
    answers: new Array<Answer | null>(match.questions).fill(null),
  });

export const seatOf = ({ seats }: Match, player: number): number =>
  seats.findIndex((seat) => seat.player === player);

/** Both players are there and ready. */
export const isStarted = ({ seats }: Match): boolean =>
  seats.length === PAIR && seats.every(({ ready }) => ready !== null);

/** The question that is open: the first that not both have answered. The number of questions, once the match has ended. */
export function currentQuestion({ seats, questions }: Match): number {
  for (let question = 0; question < questions; question++) {
    if (seats.length < PAIR || seats.some(({ answers }) => answers[question] === null)) return question;
  }
  return questions;
}

export const isEnded = (match: Match): boolean =>
  isStarted(match) && currentQuestion(match) === match.questions;

/**
 * Whether a change is possible: `done` if it has been made before by the operation of the same number, which is asked for again
 * after the loss of a worker; else why not.
 */
export function checkChange(
  match: Match,
  change: Change,
): 'possible' | 'done' | { readonly refused: string } {
  const { player, number } = change;
  const seat = match.seats[seatOf(match, player)];
  if (change.kind === 'join') {
    if (seat !== undefined) return seat.entry === number ? 'done' : { refused: 'already in this match' };
    return match.seats.length < PAIR ? 'possible' : { refused: 'the match is full' };
  }
  if (seat === undefined) return { refused: 'not a player of this match' };
  if (change.kind === 'ready') {
    if (seat.ready !== null) return seat.ready === number ? 'done' : { refused: 'ready already' };
    return match.seats.length === PAIR ? 'possible' : { refused: 'nobody has joined yet' };
  }
  if (!isStarted(match)) return { refused: 'the match has not started' };
  const given = seat.answers[change.question];
  if (given !== null && given !== undefined) {
    return given.number === number ? 'done' : { refused: 'answered already' };
  }
  return change.question === currentQuestion(match) ? 'possible' : { refused: 'another question is open' };
}

/** Makes a change that `checkChange` found possible. */
export function applyChange(match: Match, change: Change): void {
  const { player, number } = change;
  if (change.kind === 'join') {
    if (seatOf(match, player) < 0) takeSeat(match, { player, entry: number });
    return;
  }
  const seat = match.seats[seatOf(match, player)]!;
  if (change.kind === 'ready') seat.ready = number;
  else seat.answers[change.question] = { choice: change.choice, number, timeSpent: change.timeSpent };
}

/** The points of a player's answers so far. */
export const scoreOf = ({ quiz }: Pick<Match, 'quiz'>, { answers }: Pick<Seat, 'answers'>): number =>
  answers.reduce(
    (sum, answer, index) => sum + (answer === null ? 0 : pointsOf(quiz, index, answer.choice)),
    0,
  );

/** The player with the most points; null for a draw. */
export function winnerOf(
  scores: readonly { readonly player: number; readonly score: number }[],
): number | null {
  const most = Math.max(...scores.map(({ score }) => score));
  const first = scores.filter(({ score }) => score === most);
  return first.length === 1 ? (first[0]?.player ?? null) : null;
}

/** An ended match, as it is written to PostgreSQL. */
export interface EndedMatch extends Pick<Match, 'id' | 'quiz' | 'questions' | 'seats'> {
  /** The server that ran it, from 1. */
  readonly server: number;
}

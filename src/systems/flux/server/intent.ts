import { DIRECTIONS } from './places.ts';

/**
 * The kind of a command. The first four are moves, by the index of their direction in DIRECTIONS.
 * A command is one small integer, kind + 16 x argument, so that the queue needs no objects.
 */
export const KIND = {
  north: 0,
  east: 1,
  south: 2,
  west: 3,
  attack: 4,
  say: 5,
  look: 6,
  guard: 7,
  unknown: 8,
  tooLong: 9,
} as const;

/** Kinds below this are moves. */
export const MOVES = 4;
export const MAX_WORDS = 200;

/** An id that no entity has; larger numbers are read as this one. */
const NOBODY = 2 ** 27 - 1;
const MAX_DIGITS = 9;

export const kindOf = (command: number): number => command & 15;
/** The target of an attack. */
export const argumentOf = (command: number): number => command >>> 4;

/** The commands without an argument, in their usual spelling; other texts are parsed word by word. */
const FIXED = new Map<string, number>([
  ...DIRECTIONS.map((name, direction): [string, number] => [`go ${name}`, direction]),
  ['look', KIND.look],
  ['guard', KIND.guard],
]);

/** Parses the text of a player or monster. Case and surrounding blanks do not matter. */
export function parseIntent(text: string): number {
  return FIXED.get(text) ?? parseWords(text.trim());
}

function parseWords(text: string): number {
  const verbEnd = endOfFirstWord(text);
  const verb = text.slice(0, verbEnd).toLowerCase();
  const rest = text.slice(verbEnd).trim();
  switch (verb) {
    case 'go':
      return FIXED.get(`go ${rest.toLowerCase()}`) ?? KIND.unknown;
    case 'attack':
      return parseTarget(rest);
    case 'say':
      if (rest === '') return KIND.unknown;
      return rest.length > MAX_WORDS ? KIND.tooLong : KIND.say;
    case 'look':
    case 'guard':
      return rest === '' ? KIND[verb] : KIND.unknown;
    default:
      return KIND.unknown;
  }
}

function parseTarget(digits: string): number {
  if (digits.length === 0) return KIND.unknown;
  let id = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return KIND.unknown;
    if (i < MAX_DIGITS) id = id * 10 + digit;
  }
  const target = digits.length > MAX_DIGITS ? NOBODY : Math.min(id, NOBODY);
  return KIND.attack + 16 * target;
}

function endOfFirstWord(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 32 || c === 9) return i;
  }
  return text.length;
}

/** The part of the text that the answer or an event quotes; null for kinds that quote nothing. */
export function quotedOf(command: number, text: string): string | null {
  const kind = kindOf(command);
  if (kind === KIND.say) return text.trim().slice(3).trim();
  return kind === KIND.unknown ? text : null;
}

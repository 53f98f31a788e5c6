import { KIND } from '../scenario/kinds.ts';
import type { Shape } from './shape.ts';

/** Something of the source that the scenario does not have, and why. */
export interface LeftOut {
  /** Of the source, from 1; null where it is about the whole. */
  readonly line: number | null;
  readonly what: string;
}

/** Those that players of HTTP send. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** One HTTP request, as it was found. */
export interface FoundRequest {
  readonly method: string;
  /** Path and query; `{player}` stands for the number of the player. */
  readonly path: string;
  readonly body: string | null;
  /** Where it was found. */
  readonly line: number;
  /** A second, of all players together, at rate 1. */
  readonly perSecond: number;
  /** The share of its answers that say no (4xx), where that is known. */
  readonly rejectedPercent?: number;
}

/** One message that a player sends over a socket. */
export interface FoundMessage extends Omit<FoundRequest, 'method' | 'path' | 'body' | 'rejectedPercent'> {
  /** The name of the event, where the protocol has one. */
  readonly event: string | null;
  /** A JavaScript expression of plain data. */
  readonly data: string;
  /** The server acknowledges it by calling back. */
  readonly acknowledged: boolean;
}

/** How the players talk. */
export type Talk =
  | { readonly protocol: 'http'; readonly requests: readonly FoundRequest[] }
  | {
      readonly protocol: 'websocket' | 'socket.io';
      readonly path: string;
      readonly messages: readonly FoundMessage[];
    };

export interface FoundBudget {
  readonly id: string;
  readonly metric: string;
  readonly stat: string | null;
  readonly op: '<' | '<=' | '>' | '>=';
  readonly limit: number;
  readonly unit: string;
  /** Where it was found. */
  readonly line: number;
}

/** A scenario that another tool's file, or a log, leads to. */
export interface Proposal {
  /** What it was made of, in a sentence. */
  readonly description: string;
  readonly players: number;
  /** How the number of players was found. */
  readonly whyPlayers: string;
  /** Null: the default. */
  readonly connectsPerSecond: number | null;
  readonly shape: Shape;
  readonly talk: Talk;
  /** Of the metrics of each operation, `{op}` stands for its name. */
  readonly budgets: readonly FoundBudget[];
  /** What its requests went to: `http://127.0.0.1:3000`; null where it is not known. */
  readonly target: string | null;
  readonly leftOut: readonly LeftOut[];
}

/** A kind of operation, and what is sent for it. */
interface NamedKind<T> {
  readonly id: string;
  readonly perSecond: number;
  readonly line: number;
  readonly of: readonly T[];
}

/** The most kinds of a scenario. */
const MOST_KINDS = 20;
/** What is too rare for a kind of its own. */
const OTHER = 'other';

/** `getItems` for GET /items/7, with a number where it is taken. */
function kindName(words: readonly string[], taken: ReadonlySet<string>): string {
  const parts = words.flatMap(
    (word) => word.replaceAll(/\{[^}]*\}|%[\dA-F]{2}/gi, ' ').match(/[A-Za-z0-9]+/g) ?? [],
  );
  const joined = parts
    .map((part, i) => {
      const [head = '', rest = ''] = [part[0], part.slice(1)];
      return i === 0 ? part.toLowerCase() : head.toUpperCase() + rest;
    })
    .join('')
    .slice(0, 28);
  const base = KIND.test(joined) ? joined : 'operation';
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}${number}`;
    // An object has these from the beginning.
    if (!taken.has(name) && !Object.hasOwn(Object.prototype, name) && name !== 'operations') return name;
  }
}

/** The kinds of operations, the most frequent ones by their names and the rest together. */
export function kindsOf<T extends { readonly perSecond: number; readonly line: number }>(
  all: readonly T[],
  wordsOf: (one: T) => readonly string[],
): readonly NamedKind<T>[] {
  const named = new Map<string, T[]>();
  for (const one of all) {
    const key = wordsOf(one).join(' ');
    named.set(key, [...(named.get(key) ?? []), one]);
  }
  const rateOf = (of: readonly T[]): number => of.reduce((sum, { perSecond }) => sum + perSecond, 0);
  const groups = [...named.values()];
  const frequent = groups.toSorted((a, b) => rateOf(b) - rateOf(a));
  const most = groups.length > MOST_KINDS ? MOST_KINDS - 1 : MOST_KINDS;
  const own = groups.filter((group) => frequent.indexOf(group) < most);
  const rest = frequent.slice(most).flat();
  const taken = new Set<string>([OTHER]);
  const kinds = own.map((of): NamedKind<T> => {
    const id = kindName(of[0] === undefined ? [] : wordsOf(of[0]), taken);
    taken.add(id);
    return { id, perSecond: rateOf(of), line: of[0]?.line ?? 1, of };
  });
  return rest.length === 0
    ? kinds
    : [...kinds, { id: OTHER, perSecond: rateOf(rest), line: rest[0]?.line ?? 1, of: rest }];
}

import { applyChange, type Change, type Match, openMatch, type Seat } from './match.ts';

/** The fields of a match's hash in Redis: a change writes one of them. */
export type Fields = Readonly<Record<string, string>>;

export const matchKey = (id: number): string => `match:${id}`;
export const codeKey = (code: string): string => `joinCode:${code}`;
/** The match that a player entered last, on any server. */
export const playerKey = (player: number): string => `player:${player}`;
/** The set of a server's matches. */
export const serverKey = (server: number): string => `server:${server}:matches`;

/** The field with the server that plays the match: one at a time. */
export const OWNER = 'server';

const HEAD = 'head';
const JOIN = 'join';

interface Head extends Pick<Match, 'code' | 'quiz' | 'questions'> {
  readonly player: number;
  readonly entry: number;
}

/** The field that a new match begins with. */
export function headOf({ code, quiz, questions, seats: [creator] }: Match): Fields {
  const { player, entry } = creator!;
  return { [HEAD]: JSON.stringify({ code, quiz, questions, player, entry } satisfies Head) };
}

export function fieldOf(change: Change): Fields {
  const { player, number } = change;
  switch (change.kind) {
    case 'join':
      return { [JOIN]: JSON.stringify([player, number]) };
    case 'ready':
      return { [`ready:${player}`]: String(number) };
    case 'answer':
      return {
        [`answer:${player}:${change.question}`]: JSON.stringify([change.choice, number, change.timeSpent]),
      };
  }
}

/** All fields of a match. */
export function fieldsOf(match: Match): Fields {
  return Object.assign({ ...headOf(match) }, ...match.seats.flatMap(changesOf).map(fieldOf));
}

/** The changes that made a seat what it is; the creator's entry is none. */
function changesOf({ player, entry, ready, answers }: Seat, index: number): readonly Change[] {
  return [
    ...(index === 0 ? [] : [{ kind: 'join', player, number: entry } as const]),
    ...(ready === null ? [] : [{ kind: 'ready', player, number: ready } as const]),
    ...answers.flatMap((answer, question): readonly Change[] =>
      answer === null ? [] : [{ kind: 'answer', player, question, ...answer }],
    ),
  ];
}

/** What the fields of a hash say, field by field. */
export function changesIn(fields: Fields): readonly Change[] {
  const changes: Change[] = [];
  for (const [field, value] of Object.entries(fields)) {
    const [kind, player, question] = field.split(':');
    if (kind === JOIN) {
      const [joiner, number] = JSON.parse(value) as [number, number];
      changes.push({ kind, player: joiner, number });
    } else if (kind === 'ready') {
      changes.push({ kind, player: Number(player), number: Number(value) });
    } else if (kind === 'answer') {
      const [choice, number, timeSpent] = JSON.parse(value) as [number, number, number];
      changes.push({ kind, player: Number(player), question: Number(question), choice, number, timeSpent });
    }
  }
  return changes;
}

/** The first field; null where it is missing, as of a match that was evicted and then changed. */
export const headIn = (fields: Fields): Head | null =>
  fields[HEAD] === undefined ? null : (JSON.parse(fields[HEAD]) as Head);

/** The match of a hash; null where so much of it is missing that it cannot go on. */
export function matchIn(id: number, fields: Fields): Match | null {
  const head = headIn(fields);
  if (head === null) return null;
  const { player, entry, ...rest } = head;
  const match = openMatch({ id, ...rest }, { player, entry });
  const changes = changesIn(fields);
  for (const change of changes) if (change.kind === 'join') applyChange(match, change);
  const isThere = (change: Change): boolean => match.seats.some((seat) => seat.player === change.player);
  if (!changes.every(isThere)) return null;
  for (const change of changes) if (change.kind !== 'join') applyChange(match, change);
  return match;
}

import type { Refusal } from '../../../server/token-check.ts';
import type { Entities } from './entities.ts';
import { parseIntent } from './intent.ts';
import { isSequence } from './players.ts';

const MAX_COMMANDS = 5_000;

/** The commands of one post, all validated before any is queued. */
export interface Commands {
  readonly count: number;
  /** For each command: the monster's local index, the command (intent.ts) and its sequence number. */
  readonly triples: Int32Array;
}

/** Parses `[[monsterId, seq, "go north"], ...]`; returns a refusal if it is malformed. */
export function readCommands(body: string, entities: Entities): Commands | Refusal {
  let posted: unknown;
  try {
    posted = JSON.parse(body);
  } catch {
    return malformed('the body is not JSON');
  }
  if (!Array.isArray(posted)) return malformed('the body is not an array of commands');
  const count = posted.length;
  if (count === 0) return malformed('the post holds no commands');
  if (count > MAX_COMMANDS)
    return malformed(`the post holds ${count} commands, expected at most ${MAX_COMMANDS}`);
  const triples = new Int32Array(count * 3);
  for (let i = 0; i < count; i++) {
    const command: unknown = posted[i];
    if (!Array.isArray(command) || command.length !== 3)
      return malformed(`command ${i} is not [monsterId, seq, "text"]`);
    const [id, seq, text]: unknown[] = command;
    if (!Number.isInteger(id) || !isSequence(seq) || typeof text !== 'string') {
      return malformed(`command ${i} is not [monsterId, seq, "text"]`);
    }
    const monster = entities.indexOf(Number(id));
    if (monster < entities.players)
      return malformed(`command ${i} names ${id}, which is not a monster of this server`);
    triples[i * 3] = monster;
    triples[i * 3 + 1] = parseIntent(text);
    triples[i * 3 + 2] = seq;
  }
  return { count, triples };
}

const malformed = (why: string): Refusal => ({ status: 400, why });

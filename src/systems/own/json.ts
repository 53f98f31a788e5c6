import { isRecord, parseJson } from '../../load/json.ts';
import { OUTCOME } from '../../load/outcome.ts';
import type { Listener } from '../../load/player/connection.ts';
import type { PlayerCodec } from '../../load/player/socket-protocol.ts';
import type { Workload } from '../../scenario/workload.ts';
import { Choices } from './choices.ts';
import { largestFrameOf, withPlayer } from './players.ts';
import type { JsonPlayers } from './players-schema.ts';

/** As JSON in ASCII, since frames are sent as latin1. */
const escaped = (text: string): string =>
  JSON.stringify(text).replaceAll(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The value at a path of keys; undefined if there is none. */
function at(message: unknown, keys: readonly string[]): unknown {
  let value = message;
  for (const key of keys) {
    if (!isRecord(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/**
 * Sends `{type, command, id}`; the answer has the same id. Any other frame (news, a heartbeat, binary data) is ignored.
 */
export class JsonCodec implements PlayerCodec {
  readonly mostPayload: number;
  private readonly players: JsonPlayers;
  private readonly ids: Int32Array;
  private readonly choices: Choices;
  private readonly idAt: readonly string[];
  private readonly errorAt: readonly string[];

  constructor(
    players: JsonPlayers,
    { seed, operations }: Pick<Workload, 'seed' | 'operations'>,
    ids: Int32Array,
  ) {
    this.mostPayload = largestFrameOf(players);
    this.players = players;
    this.ids = ids;
    this.choices = new Choices(players.commands, operations, seed, ids);
    this.idAt = players.idAt.split('.');
    this.errorAt = players.errorAt.split('.');
  }

  path(playerId: number): string {
    return withPlayer(this.players.path, playerId);
  }

  encode(player: number, operation: number, sequence: number): string {
    const { type, command } = this.players.commands[this.choices.draw(player, operation)]!;
    return `{"type":${escaped(type)},"command":${escaped(withPlayer(command, this.ids[player]!))},"id":${sequence}}`;
  }

  decode(player: number, frame: string, listener: Listener): boolean {
    // Binary data and heartbeats need not be parsed to see that they are no answer.
    const message = /^\s*\{/.test(frame) ? parseJson(frame) : undefined;
    const id = at(message, this.idAt);
    if (id === undefined || id === null) return true;
    const error = at(message, this.errorAt);
    const accepted = error === undefined || error === null || error === false || error === '';
    // A number as text is accepted; anything else is an unexpected answer.
    const sequence = typeof id === 'string' && /^\d{1,15}$/.test(id) ? Number(id) : id;
    listener.answered(
      player,
      typeof sequence === 'number' ? sequence : Number.NaN,
      accepted ? OUTCOME.ok : OUTCOME.rejected,
    );
    return true;
  }
}

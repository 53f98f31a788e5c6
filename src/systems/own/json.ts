import { isRecord, parseJson } from '../../load/json.ts';
import { OUTCOME } from '../../load/outcome.ts';
import type { Listener, Welcome } from '../../load/player/connection.ts';
import type { PlayerCodec } from '../../load/player/socket-protocol.ts';
import type { Workload } from '../../scenario/workload.ts';
import { Choices } from './choices.ts';
import type { PlayerValues } from './player-values.ts';
import { largestFrameOf } from './players.ts';
import type { JsonPlayers } from './players-schema.ts';
import { type Fill, jsonFill, pathFill } from './template.ts';

const NO_WELCOME: Welcome = { lastSequence: null, stated: null };
const LONGEST_REASON = 200;
const LOGIN_HINT =
  "compare the log-in frame (players.login.frame) and its values (players.data, login.tokenAt) with what the server expects, and see the server's own log";

/** The value at a path of keys; undefined if there is none. */
export function at(message: unknown, keys: readonly string[]): unknown {
  let value = message;
  for (const key of keys) {
    if (!isRecord(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** Whether an answer says something at a path, such as an error: anything but nothing, false and an empty text. */
const says = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false && value !== '';

/**
 * Sends `{type, command, id}`, or a body of the user's; the answer has the same id. Any other frame (news, a heartbeat, binary
 * data) is ignored. A player with a first frame is connected once the server has answered it.
 */
export class JsonCodec implements PlayerCodec {
  readonly mostPayload: number;
  readonly hello?: (player: number) => string;
  readonly welcome?: NonNullable<PlayerCodec['welcome']>;
  readonly unwelcomed?: NonNullable<PlayerCodec['unwelcomed']>;
  readonly redacted: (player: number, text: string) => string;
  private readonly at: Fill;
  private readonly frames: readonly Fill[];
  private readonly choices: Choices;
  private readonly idAt: readonly string[];
  private readonly errorAt: readonly string[];

  constructor(
    players: JsonPlayers,
    { seed, operations, isCalibration }: Pick<Workload, 'seed' | 'operations' | 'isCalibration'>,
    ids: Int32Array,
    values: PlayerValues,
  ) {
    const { path, commands, login, idAt, errorAt } = players;
    this.mostPayload = largestFrameOf(players);
    this.at = pathFill(path, values.of);
    this.frames = commands.map(({ type, command, body }) =>
      jsonFill(body ?? { type, command, id: '{id}' }, values.of),
    );
    this.choices = new Choices(commands, operations, seed, ids);
    this.idAt = idAt.split('.');
    this.errorAt = errorAt.split('.');
    this.redacted = (player, text) => values.redacted(player, text);
    // Null servers know no log-in.
    if (login?.frame === undefined || isCalibration === true) return;
    const frame = jsonFill(login.frame, values.of);
    const okAt = login.okAt?.split('.');
    this.hello = (player) => frame(player, 0);
    const answer = okAt === undefined ? 'answer' : `answer with a value at ${login.okAt} (login.okAt)`;
    this.unwelcomed = { what: `log-in: no ${answer} to the frame`, hint: LOGIN_HINT };
    this.welcome = (_player, text) => this.welcomeIn(parseJson(text), okAt);
  }

  path(_playerId: number, player: number): string {
    return this.at(player, 0);
  }

  encode(player: number, operation: number, sequence: number): string {
    return this.frames[this.choices.draw(player, operation)]!(player, sequence);
  }

  decode(player: number, frame: string, listener: Listener): boolean {
    // Binary data and heartbeats need not be parsed to see that they are no answer.
    const message = /^\s*\{/.test(frame) ? parseJson(frame) : undefined;
    const id = at(message, this.idAt);
    if (id === undefined || id === null) return true;
    // A number as text is accepted; anything else is an unexpected answer.
    const sequence = typeof id === 'string' && /^\d{1,15}$/.test(id) ? Number(id) : id;
    listener.answered(
      player,
      typeof sequence === 'number' ? sequence : Number.NaN,
      says(at(message, this.errorAt)) ? OUTCOME.rejected : OUTCOME.ok,
    );
    return true;
  }

  /** The answer to a player's first frame: any, or one with a value at `okAt`. */
  private welcomeIn(message: unknown, okAt: readonly string[] | undefined) {
    const error = at(message, this.errorAt);
    if (says(error)) {
      const reason = typeof error === 'string' ? error : JSON.stringify(error);
      return {
        refused: `the server refused the log-in: ${reason.slice(0, LONGEST_REASON)}`,
        hint: LOGIN_HINT,
      };
    }
    return okAt === undefined || says(at(message, okAt)) ? NO_WELCOME : 'later';
  }
}

import type { NumberRanges } from '../../../number-ranges.ts';
import type { RedisCommand } from '../../../server/redis-batch.ts';
import type { RunCommands } from '../../../server/redis-client.ts';
import { roomId, usernameOf } from '../rooms.ts';
import { type GameEvent, newRoom, type RoomState } from './game.ts';
import { DIRTY, GLOBAL_KEYS, playerKeys, roomKeys, userChannel } from './keys.ts';
import { decodeState, encodeState, type PlayerState } from './player-state.ts';
import { COMMIT, LEAVE, RELEASE, SAVED, SCRIPTS, type Script, TAKE } from './scripts.ts';

/** A room as it was read, and the text that it was read from. */
export interface ReadRoom {
  readonly text: string | null;
  readonly state: RoomState | null;
}

/** What a command needs of Redis, in one round trip. */
interface Reading {
  /** Null: Redis does not have it. */
  readonly state: PlayerState | null;
  /** Another server has the player. */
  readonly isReplaced: boolean;
  readonly room: ReadRoom;
  readonly present: readonly string[];
}

/** The effect of a command. */
export interface Effect {
  readonly session: string;
  readonly player: number;
  /** The number of the room before the command. */
  readonly from: number;
  readonly state: PlayerState;
  /** The room as it was read, and its new state; null where it is unchanged. */
  readonly room: { readonly before: ReadRoom; readonly after: RoomState } | null;
  readonly events: readonly GameEvent[];
}

/** What the channel of a player carries besides events: its row has the numbers `from` to `to`. */
export interface SavedMessage extends Pick<SavedPlayer, 'isBehind'> {
  readonly type: 'saved';
  readonly from: number;
  readonly to: number;
}

/** A player whose state was saved. */
export interface SavedPlayer {
  readonly player: number;
  /** Those that its row has; none where Redis had no state to be saved. */
  readonly numbers: NumberRanges;
  /** The row has what Redis lacks. */
  readonly isBehind: boolean;
}

/** Bytes of the states that were written, as JSON and as they were stored. */
export interface StateBytes {
  states: number;
  compressed: number;
  json: number;
  stored: number;
}

/** The channel of an event: of the room that is in it, or of its player. */
export const channelOf = (event: GameEvent): string =>
  event.type === 'quest_update' ? `user:${event.username}` : `room:${event.room_id}`;

const call = ({ sha }: Script, keys: readonly string[], args: readonly (string | number)[]): RedisCommand => [
  ...(['evalsha', sha, keys.length] as const),
  ...keys,
  ...args,
];

/** The state that servers share, in Redis, under the document's keys. `run` throws RedisUnavailable. */
export interface SharedStore {
  /** What a new Redis has to have before players are played. */
  prepare(run: RunCommands, rooms: number): Promise<void>;
  /** The process that answers: another one may have lost everything, or come back with an old copy. */
  identity(run: RunCommands): Promise<string>;
  /** Reads what a command needs, and lets the keys live on. */
  read(
    run: RunCommands,
    of: { player: number; session: string; room: number; present: boolean },
  ): Promise<Reading>;
  /** `session`: another server has the player; `room`: the room has changed since it was read. */
  commit(run: RunCommands, effect: Effect): Promise<'ok' | 'session' | 'room'>;
  /** Claims the player for this session, then reads its state. */
  claim(run: RunCommands, player: number, session: string): Promise<PlayerState | null>;
  /** The player is in the room. Resolves to the events of late. */
  enter(run: RunCommands, player: number, room: number): Promise<readonly string[]>;
  leave(run: RunCommands, of: { player: number; session: string; room: number }): Promise<void>;
  /** Takes up to `most` players whose states have to be saved. */
  take(run: RunCommands, lease: { now: number; end: number; most: number }): Promise<readonly string[]>;
  states(run: RunCommands, players: readonly number[]): Promise<readonly (PlayerState | null)[]>;
  /** Resolves to how many are still to be saved. */
  saved(run: RunCommands, lease: number, players: readonly SavedPlayer[]): Promise<number>;
  release(run: RunCommands, lease: number, players: readonly number[]): Promise<void>;
  readonly bytes: Readonly<StateBytes>;
}

export function openSharedStore({
  ttlSeconds,
  compressAbove,
  publish,
}: {
  readonly ttlSeconds: number;
  readonly compressAbove: number;
  readonly publish: 'redis' | 'local';
}): SharedStore {
  const bytes: StateBytes = { states: 0, compressed: 0, json: 0, stored: 0 };
  const encoded = (state: PlayerState): string => {
    const { text, bytes: json } = encodeState(state, compressAbove);
    bytes.states += 1;
    bytes.compressed += text.length < json ? 1 : 0;
    bytes.json += json;
    bytes.stored += text.length;
    return text;
  };
  return {
    bytes,
    async prepare(run, rooms) {
      await run([
        ...SCRIPTS.map(({ text }): RedisCommand => ['script', 'load', text]),
        ['set', GLOBAL_KEYS.time, '0', 'nx'],
        ['set', GLOBAL_KEYS.weather, 'clear', 'nx'],
        ['set', GLOBAL_KEYS.quests, '{"open":["find things"]}', 'nx'],
        ...Array.from(
          { length: rooms },
          (_, room): RedisCommand => [
            ...(['set', roomKeys(room).state, JSON.stringify(newRoom(room)), 'nx'] as const),
          ],
        ),
      ]);
    },
    async identity(run) {
      const [text] = await run([['info', 'server']]);
      return /^run_id:(\w+)/m.exec(String(text))?.[1] ?? '';
    },
    async read(run, { player, session, room, present }) {
      const keys = playerKeys(player);
      const commands: RedisCommand[] = [
        ['getex', keys.session, 'ex', ttlSeconds],
        ['getex', keys.state, 'ex', ttlSeconds],
        ['getex', keys.location, 'ex', ttlSeconds],
        ['get', roomKeys(room).state],
        ...(present ? [['smembers', roomKeys(room).players] as const] : []),
      ];
      const [owner, state, , text, names] = await run(commands);
      return {
        state: textOf(state) === null ? null : decodeState(String(state)),
        isReplaced: textOf(owner) !== null && owner !== session,
        room: roomOf(textOf(text)),
        present: Array.isArray(names) ? names.map(String) : [],
      };
    },
    async commit(run, { session, player, from, state, room, events }) {
      const keys = playerKeys(player);
      const told = publish === 'local' ? [] : events;
      const [result] = await run([
        call(
          COMMIT,
          [
            ...[keys.session, keys.state, keys.location, roomKeys(from).state, DIRTY],
            ...[roomKeys(from).players, roomKeys(state.room).players],
          ],
          [
            ...[session, ttlSeconds, encoded(state), roomId(state.room), usernameOf(player)],
            ...(room === null ? ['', ''] : [room.before.text ?? 'none', JSON.stringify(room.after)]),
            ...told.flatMap((event) => [channelOf(event), JSON.stringify(event)]),
          ],
        ),
      ]);
      return result === 'session' || result === 'room' ? result : 'ok';
    },
    async claim(run, player, session) {
      const keys = playerKeys(player);
      const [, state] = await run([
        ['set', keys.session, session, 'ex', ttlSeconds],
        ['getex', keys.state, 'ex', ttlSeconds],
      ]);
      return textOf(state) === null ? null : decodeState(String(state));
    },
    async enter(run, player, room) {
      const [, , events] = await run([
        ['sadd', roomKeys(room).players, usernameOf(player)],
        ['sadd', GLOBAL_KEYS.players, usernameOf(player)],
        ['lrange', roomKeys(room).events, -RECENT, -1],
      ]);
      return Array.isArray(events) ? events.map(String) : [];
    },
    async leave(run, { player, session, room }) {
      const keys = [playerKeys(player).session, roomKeys(room).players, GLOBAL_KEYS.players];
      await run([call(LEAVE, keys, [session, usernameOf(player)])]);
    },
    async take(run, { now, end, most }) {
      const [users] = await run([call(TAKE, [DIRTY], [now, end, most])]);
      return Array.isArray(users) ? users.map(String) : [];
    },
    async states(run, players) {
      const [texts] = await run([['mget', ...players.map((player) => playerKeys(player).state)]]);
      return (texts as readonly (string | null)[]).map((text) => (text === null ? null : decodeState(text)));
    },
    async saved(run, lease, players) {
      const told = players.flatMap(({ player, numbers, isBehind }) => {
        const [from, to] = numbers.at(-1) ?? [0, 0];
        const message: SavedMessage = { type: 'saved', from, to, isBehind };
        return [usernameOf(player), userChannel(player), to === 0 ? '' : JSON.stringify(message)];
      });
      const [left] = await run([call(SAVED, [DIRTY], [lease, ...told])]);
      return Number(left);
    },
    async release(run, lease, players) {
      await run([call(RELEASE, [DIRTY], [lease, ...players.map(usernameOf)])]);
    },
  };
}

/** So many of a room's events are told to who comes in. */
const RECENT = 3;

const textOf = (reply: unknown): string | null => (typeof reply === 'string' ? reply : null);

const roomOf = (text: string | null): ReadRoom => ({
  text,
  state: text === null ? null : (JSON.parse(text) as RoomState),
});

import { setTimeout as sleep } from 'node:timers/promises';
import { hasNumber } from '../../../number-ranges.ts';
import { type RedisClient, RedisUnavailable, type RunCommands } from '../../../server/redis-client.ts';
import type { Command } from '../wire.ts';
import type { MudConfig } from './config.ts';
import { asksForPresent, type GameEvent, newRoom, play, type RoomState, type Turn } from './game.ts';
import { DatabaseAway, type GameTable } from './game-table.ts';
import { type LocalPlayer, send } from './local-player.ts';
import { hasAllOf, merged, playedAway } from './merge.ts';
import { counted, newPlayer, type PlayerState } from './player-state.ts';
import type { Presence } from './presence.ts';
import type { SharedStore } from './shared-store.ts';

/** Another server has the player now. */
export class Replaced extends Error {}

/** Neither Redis nor PostgreSQL has an answer. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

export interface TurnCounts {
  /** Commands that were answered, and those of them that were refused. */
  operations: number;
  rejected: number;
  /** Commands that could not be carried out. */
  unavailable: number;
  /** Commands that were carried out on PostgreSQL, because Redis was away. */
  degraded: number;
  /** States that were read from PostgreSQL, because Redis had none. */
  recalled: number;
  /** Commands that were played again because their room had changed. */
  replayed: number;
  /** Commands that arrived again, and had been applied. */
  repeated: number;
  readonly events: Record<GameEvent['type'], number>;
}

interface TurnPlan {
  readonly config: MudConfig;
  readonly redis: RedisClient;
  readonly store: SharedStore;
  readonly table: GameTable;
  readonly presence: Presence;
}

/** Carries out the commands of players: on Redis, or on PostgreSQL while Redis is away. */
export interface Turns {
  readonly counts: Readonly<TurnCounts>;
  /** Carries out a command and answers it. */
  perform(local: LocalPlayer, command: Command): Promise<void>;
  /** Counts an event that nobody's command has led to. */
  happened(type: GameEvent['type']): void;
  /** Brings what was played on PostgreSQL into Redis. */
  reunite(local: LocalPlayer, run: RunCommands): Promise<void>;
}

/** What an early acknowledgement is ahead of its write. */
const EARLY_MS = 250;
const MOST_REPLAYS = 10;

/** What a command has led to. */
interface Result {
  readonly messages: readonly string[];
  readonly isRejected: boolean;
  /** Committed in PostgreSQL already, from this number on. */
  readonly savedFrom: number | null;
  /** It was answered before it was stored. */
  readonly isAnswered?: boolean;
}

export function openTurns({ config, redis, store, table, presence }: TurnPlan): Turns {
  const counts: TurnCounts = {
    ...{ operations: 0, rejected: 0, unavailable: 0, degraded: 0, recalled: 0, replayed: 0, repeated: 0 },
    events: { player_move: 0, npc_action: 0, ambiance: 0, player_message: 0, quest_update: 0 },
  };
  /** Rooms as this instance knows them while Redis is away: nobody else has a copy. */
  let roomsAway = new Map<number, RoomState>();

  const isTooSoon = (local: LocalPlayer): boolean => {
    const now = performance.now();
    if (now - local.allowedAt < config.spacingMillis) return true;
    local.allowedAt = now;
    return false;
  };

  const answer = (local: LocalPlayer, number: number, { messages, isRejected }: Result): void => {
    const id = String(number);
    counts.operations += 1;
    if (isRejected) {
      counts.rejected += 1;
      send(local, { type: 'error', id, code: 'rate_limited', message: messages[0] ?? '' });
    } else send(local, { type: 'response', id, messages });
  };

  /** What the command does to this state; a refused command only uses up its number. */
  const turnOf = (
    { player }: LocalPlayer,
    { command }: Command,
    isRejected: boolean,
    state: PlayerState,
    room: RoomState,
    present: readonly string[],
  ): Turn =>
    isRejected
      ? { state, room: null, messages: ['You type too fast.'], events: [] }
      : play(player, command, state, { room, present, rooms: config.rooms });

  const happened = (events: readonly GameEvent[], isShared: boolean): void => {
    for (const event of events) {
      if (isShared) counts.events[event.type] += 1;
      else presence.tell(event);
    }
  };

  /** The state of a player whom Redis has forgotten, or never knew. */
  const stateInTable = async ({ player }: LocalPlayer): Promise<PlayerState> => {
    const row = await table.load(player).catch(() => {
      throw new Unavailable('the state is not in Redis, and PostgreSQL is away');
    });
    if (row === null) return newPlayer(player, config.rooms);
    counts.recalled += 1;
    return { ...row, outage: [] };
  };

  const onRedis = async (local: LocalPlayer, command: Command, isRejected: boolean): Promise<Result> => {
    if (local.isAway) await reunite(local, redis.run);
    else if (local.isBehind) await reunite(local, redis.run).catch(unlessDatabaseAway);
    for (let replays = 0; ; replays++) {
      const { player, session, room: from } = local;
      const present = asksForPresent(command.command);
      const reading = await store.read(redis.run, { player, session, room: from, present });
      if (reading.isReplaced) throw new Replaced();
      const before = reading.state ?? (await stateInTable(local));
      if (before.room !== from) {
        // Redis came back without what this server knew: the room is the one of the state.
        await presence.move(local, before.room);
        if (replays < MOST_REPLAYS) continue;
      }
      if (hasNumber(before.numbers, command.number)) {
        counts.repeated += 1;
        return { messages: ['You have done that.'], isRejected, savedFrom: null };
      }
      const room = reading.room.state ?? newRoom(from);
      const turn = turnOf(local, command, isRejected, before, room, reading.present);
      const isEarly = config.acknowledge === 'early';
      const result = { messages: turn.messages, isRejected, savedFrom: null, isAnswered: isEarly };
      if (isEarly && replays === 0) {
        answer(local, command.number, result);
        await sleep(EARLY_MS);
      }
      const committed = await store.commit(redis.run, {
        ...{ session, player, from, state: counted(turn.state, command.number), events: turn.events },
        room: turn.room === null ? null : { before: reading.room, after: turn.room },
      });
      if (committed === 'session') throw new Replaced();
      if (committed === 'room' && replays < MOST_REPLAYS) {
        counts.replayed += 1;
        continue;
      }
      if (committed === 'room') throw new Unavailable('too many players want the same thing');
      await presence.move(local, turn.state.room);
      happened(turn.events, config.publish === 'redis');
      return result;
    }
  };

  const onTable = async (local: LocalPlayer, command: Command, isRejected: boolean): Promise<Result> => {
    const { player } = local;
    const before = (await table.load(player)) ?? newPlayer(player, config.rooms);
    if (hasNumber(before.numbers, command.number)) {
      counts.repeated += 1;
      return { messages: ['You have done that.'], isRejected, savedFrom: null };
    }
    const room = roomsAway.get(before.room) ?? newRoom(before.room);
    const turn = turnOf(local, command, isRejected, before, room, []);
    const state = playedAway(turn.state, command.number, isRejected ? '' : command.command);
    local.isAway = true;
    await table.save(player, state);
    if (turn.room !== null) roomsAway.set(before.room, turn.room);
    counts.degraded += 1;
    await presence.move(local, state.room);
    happened(turn.events, false);
    return { messages: turn.messages, isRejected, savedFrom: command.number };
  };

  const unlessDatabaseAway = (error: unknown): void => {
    if (!(error instanceof DatabaseAway)) throw error;
  };

  const reunite = async (local: LocalPlayer, run: RunCommands): Promise<void> => {
    const { player, session, room } = local;
    const reading = await store.read(run, { player, session, room, present: false });
    if (reading.isReplaced) throw new Replaced();
    const row = await table.load(player);
    if (row !== null && !hasAllOf(reading.state, row)) {
      if (reading.state === null) counts.recalled += 1;
      const both = reading.state === null ? row : merged(player, reading.state, row, config.rooms);
      const state = { ...both, outage: [] };
      const committed = await store.commit(run, {
        session,
        player,
        from: room,
        state,
        room: null,
        events: [],
      });
      if (committed === 'session') throw new Replaced();
      await presence.move(local, state.room);
    }
    local.isAway = false;
    local.isBehind = false;
  };

  /** Where the command can be carried out: on Redis; if it is away, on PostgreSQL. */
  const carryOut = async (local: LocalPlayer, command: Command, isRejected: boolean): Promise<Result> => {
    if (redis.isAvailable) {
      roomsAway = roomsAway.size === 0 ? roomsAway : new Map();
      try {
        return await onRedis(local, command, isRejected);
      } catch (error) {
        if (!(error instanceof RedisUnavailable)) throw error;
      }
    }
    if (config.degrade === 'off') throw new Unavailable('Redis is away');
    return onTable(local, command, isRejected);
  };

  /** What cannot be brought into Redis now is brought in by the player's next command. */
  const onlyReplaced = (error: unknown): void => {
    if (error instanceof Replaced) throw error;
  };

  return {
    counts,
    reunite,
    happened(type) {
      counts.events[type] += 1;
    },
    async perform(local, command) {
      if (!local.isOpen) return;
      const id = String(command.number);
      try {
        const result = await carryOut(local, command, isTooSoon(local));
        if (result.isAnswered !== true) answer(local, command.number, result);
        if (result.savedFrom !== null) send(local, { type: 'saved', from: String(result.savedFrom), id });
        // Redis came back meanwhile, when nothing was known yet that it lacks.
        if (local.isAway && redis.isAvailable) await reunite(local, redis.run).catch(onlyReplaced);
      } catch (error) {
        if (error instanceof Replaced) throw error;
        counts.unavailable += 1;
        const message = error instanceof Error ? error.message : 'the game is not available';
        send(local, { type: 'error', id, code: 'unavailable', message });
      }
    },
  };
}

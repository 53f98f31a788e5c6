import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { messageOf } from '../../../errors.ts';
import { lastOf } from '../../../number-ranges.ts';
import type { World, WorldProcess } from '../../../server/frame.ts';
import { openHttpFrame } from '../../../server/http-frame.ts';
import { openProcessMetrics } from '../../../server/page.ts';
import { RedisClient, RedisUnavailable, type RunCommands } from '../../../server/redis-client.ts';
import { RedisSubscriber } from '../../../server/redis-subscriber.ts';
import type { Refusal } from '../../../server/token-check.ts';
import { CLOSE, decodeCommand } from '../wire.ts';
import { PLAY_PATH } from '../workload.ts';
import { openClock } from './clock.ts';
import type { MudConfig } from './config.ts';
import { type GameEvent, MESSAGE_TYPES, messageOfEvent } from './game.ts';
import { DatabaseAway, openGameTable } from './game-table.ts';
import { GLOBAL_CHANNEL } from './keys.ts';
import { enqueue, type LocalPlayer, send } from './local-player.ts';
import { hasAllOf, merged } from './merge.ts';
import { renderMud } from './page.ts';
import { newPlayer, type PlayerState } from './player-state.ts';
import { openPresence } from './presence.ts';
import { openSaver } from './saver.ts';
import { openSharedStore } from './shared-store.ts';
import { openTurns, Replaced, Unavailable } from './turns.ts';

/** An answer of Redis that takes longer counts as none. */
const REDIS_TIMEOUT_MS = 500;
/** What a clean end has for the rows that are not saved yet; less than the frame allows in all. */
const LAST_SAVE_MS = 3_000;

/** One instance: it keeps nothing that another one could not go on with. */
export async function openMudWorld(config: MudConfig, { log }: WorldProcess): Promise<World> {
  const name = `Mud server ${config.instance} of ${config.instances}`;
  const application = `capbench mud ${config.instance}`;
  const processMetrics = openProcessMetrics();
  let state: 'open' | 'stopping' = 'open';

  const store = openSharedStore(config);
  const table = await openGameTable({
    ...{ database: config.database, application, rooms: config.rooms, log },
    // As many as there are players, whose states may all wait, and one more of each that plays meanwhile.
    most: 2 * config.players,
  });
  let subscriber: RedisSubscriber;
  const presence = openPresence(() => subscriber);
  const access = { url: config.redis, timeout: REDIS_TIMEOUT_MS };
  subscriber = await RedisSubscriber.open({
    ...{ ...access, name: `${application} events` },
    message: (channel, text) => presence.published(channel, text),
  });
  void subscriber.subscribe(GLOBAL_CHANNEL);

  let redisIdentity = '';
  /** What Redis may have lost, and what was played without it. */
  const restore = async (run: RunCommands): Promise<void> => {
    await store.prepare(run, config.rooms);
    const identity = await store.identity(run);
    const isAnother = identity !== redisIdentity;
    redisIdentity = identity;
    await Promise.all(
      [...presence.all()].map(async (local) => {
        local.isAway ||= isAnother;
        if (local.isAway) await enqueue(local, () => reunite(local, run));
        await store.enter(run, local.player, local.room);
      }),
    );
  };
  const redis = await RedisClient.open({
    ...{ ...access, name: application, breaker: config.breaker === 'on' },
    opened: (why) => log(`Redis is away, its circuit breaker opens: ${why}`),
    beforeClosed: restore,
    closed: (millis) => {
      log(`Redis is back after ${Math.round(millis)} ms`);
      for (const local of presence.all()) {
        if (local.isAway) void enqueue(local, () => reunite(local, redis.run));
      }
      void saver.saveNow();
    },
  });
  if (redis.isAvailable) {
    await store.prepare(redis.run, config.rooms);
    redisIdentity = await store.identity(redis.run);
  }
  const turns = openTurns({ config, redis, store, table, presence });
  const saver = openSaver({ config, redis, store, table, log });
  const clock = openClock(config, redis, ({ type }) => turns.happened(type));

  /** What cannot be brought into Redis now is brought in by the player's next command. */
  const reunite = async (local: LocalPlayer, run: RunCommands): Promise<void> => {
    if (!local.isAway || !local.isOpen) return;
    try {
      await turns.reunite(local, run);
    } catch (error) {
      if (error instanceof Replaced) replaced(local);
      else if (!(error instanceof DatabaseAway)) log(`A state is not in Redis yet: ${messageOf(error)}`);
    }
  };
  const replaced = ({ socket }: LocalPlayer): void => socket.close(CLOSE.replaced, 'playing elsewhere');

  /** The state of a player who comes in, claimed for its session. @throws Unavailable */
  const claimed = async (
    player: number,
    session: string,
  ): Promise<{ state: PlayerState; isAway: boolean }> => {
    const row = table.load(player).catch(() => undefined);
    if (redis.isAvailable) {
      try {
        const inRedis = await store.claim(redis.run, player, session);
        const kept = await row;
        if (kept === undefined && inRedis === null)
          throw new Unavailable('PostgreSQL is away, and Redis has no state');
        if (kept == null) return { state: inRedis ?? newPlayer(player, config.rooms), isAway: false };
        if (hasAllOf(inRedis, kept)) return { state: inRedis, isAway: false };
        const state = inRedis === null ? kept : merged(player, inRedis, kept, config.rooms);
        return { state, isAway: true };
      } catch (error) {
        if (!(error instanceof RedisUnavailable)) throw error;
      }
    }
    const kept = config.degrade === 'on' ? await row : undefined;
    if (kept === undefined) throw new Unavailable('Redis and PostgreSQL are away');
    return { state: kept ?? newPlayer(player, config.rooms), isAway: true };
  };

  const enter = async (player: number, socket: WebSocket): Promise<void> => {
    const session = JSON.stringify({ id: randomUUID(), instance: config.instance, since: Date.now() });
    const { state: own, isAway } = await claimed(player, session);
    if (socket.readyState !== socket.OPEN) return;
    const local: LocalPlayer = {
      ...{ player, socket, session, room: own.room, isAway, isBehind: false, isOpen: true },
      ...{ allowedAt: Number.NEGATIVE_INFINITY, tail: Promise.resolve() },
    };
    presence.of(player)?.socket.close(CLOSE.replaced, 'playing elsewhere');
    socket.on('close', () => leave(local));
    socket.on('message', (data) => receive(local, String(data)));
    await presence.add(local);
    if (redis.isAvailable) {
      if (isAway) await enqueue(local, () => reunite(local, redis.run));
      for (const text of await store.enter(redis.run, player, local.room).catch(() => []))
        remind(local, text);
    }
    send(local, { type: 'connected', last: lastOf(own.numbers) });
  };
  /** Tells what has happened in the room before. */
  const remind = (local: LocalPlayer, text: string): void => {
    const event = JSON.parse(text) as GameEvent;
    if (!('room_id' in event)) return;
    const message_type = `earlier_${MESSAGE_TYPES[event.type]}`;
    send(local, {
      type: 'room_message',
      room_id: event.room_id,
      message: messageOfEvent(event),
      message_type,
    });
  };

  const receive = (local: LocalPlayer, text: string): void => {
    const command = decodeCommand(text);
    if (command === null) {
      local.socket.close(1007, 'expected {"type":"command","command":"...","id":"<number>"}');
      return;
    }
    void enqueue(local, () =>
      turns.perform(local, command).catch((error: unknown) => {
        if (error instanceof Replaced) replaced(local);
        else log(`A command failed: ${messageOf(error)}`);
      }),
    );
  };

  const leave = (local: LocalPlayer): void => {
    if (!local.isOpen) return;
    local.isOpen = false;
    void enqueue(local, async () => {
      presence.remove(local);
      if (redis.isAvailable) await store.leave(redis.run, local).catch(() => undefined);
    });
  };

  const admit = (url: URL): ((socket: WebSocket) => void) | Refusal => {
    const player = Number(url.searchParams.get('player') ?? Number.NaN);
    if (!Number.isInteger(player) || player < 0 || player >= config.players)
      return { status: 400, why: `player=<0 to ${config.players - 1}> is missing or malformed` };
    return (socket) => {
      enter(player, socket).catch((error: unknown) => {
        if (!(error instanceof Unavailable)) log(`A player cannot come in: ${messageOf(error)}`);
        socket.close(CLOSE.unavailable, messageOf(error).slice(0, 100));
      });
    };
  };

  const server = openHttpFrame({
    token: config.token,
    state: () => state,
    health: () => ({
      status: state === 'open' ? 'ok' : state,
      world: 'mud',
      ...{ instance: config.instance, instances: config.instances, players: presence.size },
      redis: redis.state,
      database: table.isAway ? 'away' : 'connected',
    }),
    metrics: () =>
      [
        processMetrics.render(presence.size),
        redis.render(),
        table.render(),
        renderMud({ turns: turns.counts, saver: saver.counts, bytes: store.bytes, presence, subscriber }),
      ].join(''),
    sockets: { [PLAY_PATH]: admit },
  });

  return {
    ...{ name, host: config.host, server },
    async close() {
      state = 'stopping';
      clock.close();
      saver.close();
      // What was asked for is answered. Nobody has to wait for the last save, and whoever leaves first plays on elsewhere first.
      const locals = [...presence.all()];
      await Promise.all(locals.map(({ tail }) => tail));
      if (redis.isAvailable) await Promise.all(locals.map((local) => reunite(local, redis.run)));
      for (const { socket } of locals) socket.close(CLOSE.leaving, 'the server is stopping');
      await saver.saveNow();
      // One that was under way may have begun before the last command.
      await saver.saveNow();
      await Promise.all(locals.map(({ tail }) => tail));
      await table.close(LAST_SAVE_MS);
      await Promise.all([subscriber.close(), redis.close()]);
    },
  };
}

import type { RedisCommand } from '../../../server/redis-batch.ts';
import { type RedisClient, RedisUnavailable } from '../../../server/redis-client.ts';
import { roomId } from '../rooms.ts';
import type { MudConfig } from './config.ts';
import type { GameEvent } from './game.ts';
import { CLOCK, GLOBAL_CHANNEL, GLOBAL_KEYS } from './keys.ts';
import { channelOf } from './shared-store.ts';

/** What happens without players: the time, the weather, and what those do who are no players. */

const EVERY_MS = 1_000;
/** Seconds between two changes of the weather, and between two ambient messages. */
const WEATHER = 10;
const AMBIANCE = 5;
const SKIES = ['clear', 'rain', 'fog', 'wind'];

/** What happens in a second of the world's time. */
export function eventsOf(
  second: number,
  rooms: number,
): readonly { readonly channel: string; readonly event: GameEvent }[] {
  // A room after the other, in an order that is none for a reader.
  const room = (second * 7) % rooms;
  const here = roomId(room);
  const local: readonly GameEvent[] = [
    { type: 'npc_action', room_id: here, npc_id: `guard-${room}`, action: 'looks around' },
    ...(second % AMBIANCE === 0
      ? [{ type: 'ambiance', room_id: here, message: 'Somewhere a door slams.' } as const]
      : []),
  ];
  const weather: GameEvent = { type: 'ambiance', room_id: '', message: `The weather: ${skyAt(second)}.` };
  return [
    ...local.map((event) => ({ channel: channelOf(event), event })),
    ...(second % WEATHER === 0 ? [{ channel: GLOBAL_CHANNEL, event: weather }] : []),
  ];
}

const skyAt = (second: number): string => SKIES[Math.floor(second / WEATHER) % SKIES.length]!;

/**
 * Moves the clock once a second, if no other instance does: whoever gets the key for the second. `happened` counts the events
 * that this instance has published.
 */
export function openClock(
  { rooms, instance, publish }: Pick<MudConfig, 'rooms' | 'instance' | 'publish'>,
  redis: RedisClient,
  happened: (event: GameEvent) => void,
): { close(): void } {
  const tick = async (): Promise<void> => {
    const [holder] = await redis.run([['set', CLOCK, instance, 'nx', 'px', EVERY_MS - 100]]);
    if (holder !== 'OK') return;
    const [time] = await redis.run([['incr', GLOBAL_KEYS.time]]);
    const events = eventsOf(Number(time), rooms);
    if (publish === 'local') return;
    await redis.run([
      ['set', GLOBAL_KEYS.weather, skyAt(Number(time))],
      ...events.map(({ channel, event }): RedisCommand => ['publish', channel, JSON.stringify(event)]),
    ]);
    for (const { event } of events) happened(event);
  };
  const timer = setInterval(() => {
    if (!redis.isAvailable) return;
    tick().catch((error: unknown) => {
      // The time stands still while Redis is away.
      if (!(error instanceof RedisUnavailable)) throw error;
    });
  }, EVERY_MS);
  return { close: () => clearInterval(timer) };
}

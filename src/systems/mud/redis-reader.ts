import type { Redis } from 'ioredis';
import { DIRTY, playerKeys } from './server/keys.ts';
import { decodeState, type PlayerState } from './server/player-state.ts';

/** Reads what the game has in Redis, over a connection for each reading, since faults end it. */
export interface RedisReader {
  /** The states of the players 0 to `players` - 1 that Redis has. */
  states(players: number): Promise<readonly (readonly [player: number, state: PlayerState])[]>;
  /** How many states are newer than their rows. */
  unsaved(): Promise<number>;
}

const TIMEOUT_MS = 5_000;
const AT_ONCE = 500;

export function openRedisReader(url: string): RedisReader {
  const asked = async <T>(ask: (redis: Redis) => Promise<T>): Promise<T> => {
    const { Redis } = await import('ioredis');
    const redis = new Redis(url, {
      ...{ protocol: 2, lazyConnect: true, connectTimeout: TIMEOUT_MS, commandTimeout: TIMEOUT_MS },
      ...{ retryStrategy: () => null, maxRetriesPerRequest: 0, disableClientInfo: true },
    });
    let failed: Error | null = null;
    redis.on('error', (error: Error) => {
      failed ??= error;
    });
    try {
      await redis.connect();
      return await ask(redis);
    } catch (error) {
      // The client only reports that it is closed; the error before has the reason.
      throw failed ?? error;
    } finally {
      redis.disconnect();
    }
  };
  return {
    states: (players) =>
      asked(async (redis) => {
        const found: (readonly [number, PlayerState])[] = [];
        for (let from = 0; from < players; from += AT_ONCE) {
          const numbers = Array.from({ length: Math.min(AT_ONCE, players - from) }, (_, i) => from + i);
          const texts = await redis.mget(numbers.map((player) => playerKeys(player).state));
          texts.forEach((text, i) => {
            if (text !== null) found.push([from + i, decodeState(text)]);
          });
        }
        return found;
      }),
    unsaved: () => asked((redis) => redis.zcard(DIRTY)),
  };
}

import type { Redis } from 'ioredis';

const TIMEOUT_MS = 2_000;
const PAGE_SIZE = 1_000;

/** A connection to the Redis of a stack for what a probe reads of it: faults end it, and the next reading opens another. */
export interface RedisReading {
  /** @throws the client's error where Redis is away */
  connected(): Promise<Redis>;
  close(): void;
}

export function openRedisReading(url: string): RedisReading {
  let client: Redis | null = null;
  return {
    async connected() {
      if (client?.status === 'ready') return client;
      const { Redis } = await import('ioredis');
      client?.disconnect();
      client = new Redis(url, {
        ...{ protocol: 2, lazyConnect: true, connectTimeout: TIMEOUT_MS, commandTimeout: TIMEOUT_MS },
        // The next reading reconnects.
        ...{ retryStrategy: () => null, maxRetriesPerRequest: 0, enableOfflineQueue: false },
        ...{ disableClientInfo: true },
      });
      client.on('error', () => undefined); // what is asked next rejects
      await client.connect();
      return client;
    },
    close: () => client?.disconnect(),
  };
}

/** The keys that are like a pattern of Redis, each once: a scan may return one twice. */
export async function keysLike(redis: Redis, pattern: string): Promise<readonly string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', PAGE_SIZE);
    for (const key of page) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...keys];
}

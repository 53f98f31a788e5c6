import type { Redis } from 'ioredis';
import { redisAddressOf } from '../address/probe-address.ts';

/**
 * The answer of a Redis over a connection of its own, which is tried once. Rejects with the reason why it does not connect
 * within `limitMs`, or not answer in as long again.
 * @param url `redis://USER:PASSWORD@ADDRESS:PORT/DATABASE`
 */
export async function redisAnswer<T>(
  url: string,
  limitMs: number,
  ask: (client: Redis) => Promise<T>,
): Promise<T> {
  const { Redis } = await import('ioredis');
  const { host, port, username, password } = redisAddressOf(url);
  const client = new Redis({
    ...{ host, port },
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...{ lazyConnect: true, connectTimeout: limitMs, commandTimeout: limitMs },
    ...{ retryStrategy: () => null, maxRetriesPerRequest: 0 },
    ...{ enableReadyCheck: false, disableClientInfo: true },
  });
  let failed: Error | null = null;
  client.on('error', (error: Error) => {
    failed ??= error;
  });
  try {
    await client.connect();
    // The client's own option goes on with database 0 where this one does not exist.
    await client.select(Number(new URL(url).pathname.slice(1)));
    return await ask(client);
  } catch (error) {
    // The client only reports that it is closed; the error before has the reason.
    throw failed ?? error;
  } finally {
    client.disconnect();
  }
}

import type { Redis } from 'ioredis';
import { redisAddressOf } from '../address/probe-address.ts';
import { logIn } from '../address/redis-login.ts';

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
  const address = redisAddressOf(url);
  const { host, port } = address;
  const client = new Redis({
    ...{ host, port },
    ...{ protocol: 2, lazyConnect: true, connectTimeout: limitMs, commandTimeout: limitMs },
    ...{ retryStrategy: () => null, maxRetriesPerRequest: 0 },
    ...{ enableReadyCheck: false, disableClientInfo: true },
  });
  let failed: Error | null = null;
  client.on('error', (error: Error) => {
    failed ??= error;
  });
  try {
    await client.connect();
    await logIn(client, address);
    // The client's own option goes on with database 0 where this one does not exist.
    await client.select(address.database ?? 0);
    return await ask(client);
  } catch (error) {
    // The client only reports that it is closed; the error before has the reason.
    throw failed ?? error;
  } finally {
    client.disconnect();
  }
}

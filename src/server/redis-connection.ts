import { Redis } from 'ioredis';
import { messageOf, stackFailed } from '../errors.ts';

/** Where Redis is, and how long it may take to answer. */
export interface RedisAccess {
  /** `redis://:PASSWORD@HOST:PORT/0` */
  readonly url: string;
  /** As in CLIENT LIST. */
  readonly name: string;
  /** Milliseconds until a connection attempt or a round trip counts as failed. */
  readonly timeout: number;
}

/** Errors of a wrong address, which no later attempt mends. */
const WRONG_ADDRESS = /^(?:WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH|ERR DB index|NOPERM)/;

/**
 * One connection, ready for commands: it neither reconnects nor resends, so that its owner knows which commands were lost.
 * @throws CapbenchError (93) when Redis refuses the password or the database; any other error of a failed attempt as it is
 */
export async function connectRedis({ url, name, timeout }: RedisAccess): Promise<Redis> {
  const redis = new Redis(url, {
    protocol: 2,
    connectionName: name,
    disableClientInfo: true,
    lazyConnect: true,
    enableOfflineQueue: false,
    connectTimeout: timeout,
    retryStrategy: null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  let last: Error | null = null;
  redis.on('error', (error: Error) => {
    last = error;
  });
  let late: NodeJS.Timeout | undefined;
  try {
    const tooLate = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error(`Redis did not answer within ${timeout} ms`)), timeout);
    });
    await Promise.race([redis.connect(), tooLate]);
    return redis;
  } catch (thrown) {
    redis.disconnect();
    // ioredis rejects with "Connection is closed.", and reports why in an event.
    const error = last ?? thrown;
    const why = messageOf(error);
    if (!WRONG_ADDRESS.test(why)) throw error;
    throw stackFailed(
      `Redis refused the connection: ${why}`,
      'Correct the password or the database in its URL.',
    );
  } finally {
    clearTimeout(late);
  }
}

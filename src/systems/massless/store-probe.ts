import type { Redis } from 'ioredis';
import type { Probe, Sample } from '../../probe/probe.ts';
import { LEADERBOARD, sessionKey } from './keys.ts';

const TIMEOUT_MS = 2_000;
const PAGE_SIZE = 1_000;

/** What PTTL answers for a key that never expires. */
const FOR_EVER = -1;

/**
 * Looks at what the zones keep in Redis, from outside: how many players the leaderboard has; and where a phase begins or ends, how
 * many sessions there are, and whether they expire.
 */
export function openStoreProbe(url: string): Probe {
  let client: Redis | null = null;

  const connected = async (): Promise<Redis> => {
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
  };

  const sessions = async (redis: Redis): Promise<readonly Sample[]> => {
    const keys = new Set<string>();
    let cursor = '0';
    do {
      const [next, page] = await redis.scan(cursor, 'MATCH', SESSIONS, 'COUNT', PAGE_SIZE);
      for (const key of page) keys.add(key);
      cursor = next;
    } while (cursor !== '0');
    const pipeline = redis.pipeline();
    for (const key of keys) pipeline.pttl(key);
    return sessionSamples(((await pipeline.exec()) ?? []).map(([, value]) => Number(value)));
  };

  return {
    name: 'massless',
    async sample(isBoundary = false) {
      const redis = await connected();
      const ranked = await redis.zcard(LEADERBOARD);
      return [
        { series: 'massless.leaderboardPlayers', kind: 'gauge', value: ranked },
        ...(isBoundary ? await sessions(redis) : []),
      ];
    },
    async close() {
      client?.disconnect();
    },
  };
}

const SESSIONS = sessionKey(0).replace(/0$/, '*');

/** What the answers of PTTL to the keys of sessions say, in milliseconds; nothing of keys that are gone by now. */
export function sessionSamples(lifetimes: readonly number[]): readonly Sample[] {
  const there = lifetimes.filter((ms) => ms >= FOR_EVER);
  const endless = there.filter((ms) => ms === FOR_EVER);
  return [
    { series: 'massless.sessions', kind: 'gauge', value: there.length },
    { series: 'massless.sessionsWithoutTtl', kind: 'gauge', value: endless.length },
  ];
}

import type { Redis } from 'ioredis';
import type { Probe, Sample } from '../../probe/probe.ts';
import { keysLike, openRedisReading } from '../../probe/redis-reading.ts';
import { LEADERBOARD, sessionKey } from './keys.ts';

/** What PTTL answers for a key that never expires. */
const FOR_EVER = -1;

/**
 * Looks at what the zones keep in Redis, from outside: how many players the leaderboard has; and where a phase begins or ends, how
 * many sessions there are, and whether they expire.
 */
export function openStoreProbe(url: string): Probe {
  const reading = openRedisReading(url);

  const sessions = async (redis: Redis): Promise<readonly Sample[]> => {
    const pipeline = redis.pipeline();
    for (const key of await keysLike(redis, SESSIONS)) pipeline.pttl(key);
    return sessionSamples(((await pipeline.exec()) ?? []).map(([, value]) => Number(value)));
  };

  return {
    name: 'massless',
    async sample(isBoundary = false) {
      const redis = await reading.connected();
      const ranked = await redis.zcard(LEADERBOARD);
      return [
        { series: 'massless.leaderboardPlayers', kind: 'gauge', value: ranked },
        ...(isBoundary ? await sessions(redis) : []),
      ];
    },
    async close() {
      reading.close();
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

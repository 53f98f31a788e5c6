import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { askOnce } from '../../probe/counted-rows.ts';
import type { Probe, Sample } from '../../probe/probe.ts';
import { keysLike, openRedisReading } from '../../probe/redis-reading.ts';
import type { DatabaseEndpoint } from '../../stack/stack.ts';
import { LEADERBOARD, sessionKey } from './keys.ts';
import { SCORES } from './tables.ts';

/** What PTTL answers for a key that never expires. */
const FOR_EVER = -1;
/** A server writes what has changed in the leaderboard ten times a second: until nothing is wrong, it is compared so often. */
const COMPARED = { times: 4, everyMs: 150 };

/**
 * Looks at what the zones keep in Redis, from outside: how many players the leaderboard has; and where a phase begins or ends, how
 * many sessions there are, whether they expire, and which scores are not those of the trades in PostgreSQL.
 */
export function openStoreProbe(url: string, database: DatabaseEndpoint | null): Probe {
  const reading = openRedisReading(url);

  const sessions = async (redis: Redis): Promise<readonly Sample[]> => {
    const pipeline = redis.pipeline();
    for (const key of await keysLike(redis, SESSIONS)) pipeline.pttl(key);
    return sessionSamples(((await pipeline.exec()) ?? []).map(([, value]) => Number(value)));
  };

  const scores = async (redis: Redis): Promise<readonly Sample[]> => {
    if (database === null) return [];
    let wrong = 0;
    for (let i = 0; i < COMPARED.times; i++) {
      if (i > 0) await sleep(COMPARED.everyMs);
      const stored = await askOnce<[number, number]>(database, SCORES);
      wrong = wrongScores(stored, await redis.zrange(LEADERBOARD, '0', '-1', 'WITHSCORES'));
      if (wrong === 0) break;
    }
    return [{ series: 'massless.wrongScores', kind: 'gauge', value: wrong }];
  };

  return {
    name: 'massless',
    async sample(isBoundary = false) {
      const redis = await reading.connected();
      const ranked = await redis.zcard(LEADERBOARD);
      return [
        { series: 'massless.leaderboardPlayers', kind: 'gauge', value: ranked },
        ...(isBoundary ? [...(await sessions(redis)), ...(await scores(redis))] : []),
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

/** Players whose score in the leaderboard is not that of their trades. `ranked`: player and score in turn, as texts. */
export function wrongScores(
  stored: readonly (readonly [player: number, score: number])[],
  ranked: readonly string[],
): number {
  const left = new Map(stored.map(([player, score]) => [String(player), score]));
  let wrong = 0;
  for (let i = 0; i < ranked.length; i += 2) {
    if (left.get(ranked[i]!) !== Number(ranked[i + 1])) wrong += 1;
    left.delete(ranked[i]!);
  }
  return wrong + left.size;
}

import type { Redis } from 'ioredis';
import type { Probe, Sample } from '../../probe/probe.ts';
import { keysLike, openRedisReading } from '../../probe/redis-reading.ts';

/** Players whose keys' time to live is read. */
const SAMPLED = 20;

/** The document's keys, by what follows the name of a player or a room; and the keys of the whole world. */
const KINDS = {
  playerState: /^player:[^:]+:state$/,
  playerLocation: /^player:[^:]+:location$/,
  playerSession: /^player:[^:]+:session$/,
  roomState: /^room:[^:]+:state$/,
  roomPlayers: /^room:[^:]+:players$/,
  roomEvents: /^room:[^:]+:events$/,
  global: /^global:(?:world_time|weather|quests|active_players)$/,
} as const;
export type KeyKind = keyof typeof KINDS;
export const KEY_KINDS = Object.keys(KINDS) as readonly KeyKind[];

const CHANNELS = {
  room: /^room:[^:]+$/,
  user: /^user:[^:]+$/,
  global: /^global$/,
} as const;
export const CHANNEL_KINDS = Object.keys(CHANNELS) as readonly (keyof typeof CHANNELS)[];

const counted = <K extends string>(
  names: readonly string[],
  kinds: Readonly<Record<K, RegExp>>,
): Readonly<Record<K | 'other', number>> => {
  const counts: Record<string, number> = { other: 0 };
  for (const kind of Object.keys(kinds)) counts[kind] = 0;
  for (const name of names) {
    const kind = Object.entries<RegExp>(kinds).find(([, pattern]) => pattern.test(name))?.[0] ?? 'other';
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts as Record<K | 'other', number>;
};

/** How many keys there are of each kind; the rest is `other`. */
export const keyCounts = (keys: readonly string[]) => counted(keys, KINDS);
/** The same of channels with subscribers. */
export const channelCounts = (channels: readonly string[]) => counted(channels, CHANNELS);

/** What PTTL answers for a key without expiry, and how long such a key is said to live: longer than any claim allows. */
const NO_EXPIRY = -1;
const FOR_EVER_SECONDS = 1e9;

/** What the answers of PTTL to some keys say; nothing of keys that are gone. */
export function lifetimesOf(answers: readonly unknown[]): readonly Sample[] {
  const seconds = answers.flatMap((value) => {
    if (value === NO_EXPIRY) return [FOR_EVER_SECONDS];
    return typeof value === 'number' && value >= 0 ? [value / 1e3] : [];
  });
  if (seconds.length === 0) return [];
  return [
    { series: 'mud.shortestTtlSeconds', kind: 'gauge', value: Math.min(...seconds) },
    { series: 'mud.longestTtlSeconds', kind: 'gauge', value: Math.max(...seconds) },
    {
      ...{ series: 'mud.keysWithoutTtl', kind: 'gauge' },
      value: answers.filter((value) => value === NO_EXPIRY).length,
    },
  ];
}

/**
 * Looks at what the game keeps in Redis, from outside: which keys there are and which channels, where a phase begins or ends,
 * and once a second how long the keys of a few players still live.
 */
export function openStoreProbe(url: string): Probe {
  const reading = openRedisReading(url);

  const lifetimes = async (redis: Redis): Promise<readonly Sample[]> => {
    const names = await redis.srandmember('global:active_players', SAMPLED);
    if (names.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const name of names) {
      for (const what of ['state', 'location', 'session']) pipeline.pttl(`player:${name}:${what}`);
    }
    const replies = (await pipeline.exec()) ?? [];
    return lifetimesOf(replies.map(([, value]) => value));
  };

  const census = async (redis: Redis): Promise<readonly Sample[]> => {
    const channels = channelCounts((await redis.call('pubsub', 'channels')) as string[]);
    const found = keyCounts(await keysLike(redis, '*'));
    return [
      ...[...KEY_KINDS, 'other' as const].map(
        (kind): Sample => ({ series: `mud.keys.${kind}`, kind: 'gauge', value: found[kind] }),
      ),
      ...[...CHANNEL_KINDS, 'other' as const].map(
        (kind): Sample => ({ series: `mud.channels.${kind}`, kind: 'gauge', value: channels[kind] }),
      ),
    ];
  };

  return {
    name: 'mud',
    async sample(isBoundary = false) {
      const redis = await reading.connected();
      return [...(await lifetimes(redis)), ...(isBoundary ? await census(redis) : [])];
    },
    async close() {
      reading.close();
    },
  };
}

import type { z } from 'zod';
import { map, whole } from './leaf.ts';
import { limitsSchema } from './limits.ts';
import { type SettingValue, settingsMap } from './settings-map.ts';

/**
 * The settings of redis.conf that a scenario may name: memory, eviction, persistence, clients, encodings and background work.
 * A scenario is data from others, and everything else in redis.conf may load a module, name a file, listen elsewhere, let
 * others in, or follow another server.
 */
const ALLOWED = [
  /^(?:appendonly|appendfsync|no-appendfsync-on-rewrite|auto-aof-rewrite-(?:percentage|min-size)|aof-[a-z-]+|save)$/,
  /^(?:rdbcompression|rdbchecksum|rdb-save-incremental-fsync|stop-writes-on-bgsave-error|sanitize-dump-payload)$/,
  /^(?:maxmemory(?:-(?:policy|samples|eviction-tenacity|clients))?|lfu-(?:log-factor|decay-time)|proto-max-bulk-len)$/,
  /^(?:maxclients|timeout|tcp-keepalive|tcp-backlog|databases|client-(?:output-buffer-limit|query-buffer-limit))$/,
  /^(?:hz|dynamic-hz|io-threads(?:-do-reads)?|(?:lua|script)-time-limit|busy-reply-threshold|activerehashing)$/,
  /^(?:active-?defrag|active-defrag-[a-z-]+|active-expire-effort|jemalloc-bg-thread|lazyfree-[a-z-]+|replica-lazy-flush)$/,
  /^(?:notify-keyspace-events|slowlog-(?:log-slower-than|max-len)|latency-(?:monitor-threshold|tracking))$/,
  /^(?:hash|list|set|zset|stream|hll)-[a-z-]+$/,
];

const settingText = (value: SettingValue): string =>
  typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value).trim();

/** What was expected instead of a setting; null when it is allowed. */
function settingProblem(name: string, value: SettingValue): string | null {
  if (!/^[a-z][a-z-]*$/.test(name)) return "a setting's name as in redis.conf, in lower case";
  if (!ALLOWED.some((pattern) => pattern.test(name))) {
    return 'another setting: a scenario may set memory, eviction, persistence, clients and encodings, and nothing that could run code, or write or listen elsewhere';
  }
  const text = settingText(value);
  // No quotes, escapes or line breaks, which could start another setting.
  if (!/^[\w .%-]*$/.test(text)) return "a setting's value as in redis.conf, on one line";
  const [, , expected] = VALUES.find(([known, values]) => known.test(name) && !values.test(text)) ?? [];
  return expected ?? null;
}

/** Values that every Redis understands; of the others Redis itself is the judge. */
const VALUES: readonly (readonly [name: RegExp, values: RegExp, expected: string])[] = [
  [
    /^(?:maxmemory|proto-max-bulk-len|client-query-buffer-limit|auto-aof-rewrite-min-size)$/,
    /^\d+(?:[kmg]b?)?$/i,
    'a size in bytes, or such as 64mb or 1gb',
  ],
  [/^(?:databases|maxclients|hz|io-threads)$/, /^0*[1-9]\d*$/, 'a whole number above 0'],
  [/^(?:timeout|tcp-keepalive|tcp-backlog)$/, /^\d+$/, 'a whole number'],
  [/^(?:appendonly|rdbcompression|rdbchecksum|dynamic-hz|activerehashing)$/, /^(?:yes|no)$/i, 'yes or no'],
  [/^appendfsync$/, /^(?:always|everysec|no)$/i, 'always, everysec or no'],
  [
    /^save$/,
    /^(?:[1-9]\d* \d+(?: [1-9]\d* \d+)*)?$/,
    "pairs of seconds and changes, such as '900 1 60 1000', or ''",
  ],
];

const settings = settingsMap({
  ...{ program: 'Redis', file: 'redis.conf', longest: 200 },
  ...{ problemOf: settingProblem, textOf: settingText },
});

export const redisSchema = map({
  version: whole(1, 99)
    .optional()
    .describe('The documented major version; what runs is the Redis or Valkey of this host'),
  settings: settings.prefault({}).describe('As in redis.conf. Without any, nothing is written to disk'),
  limits: limitsSchema.optional(),
});

/** The Redis of the stack: its documented version, and its settings by their names in redis.conf. */
export type RedisSettings = Readonly<z.output<typeof redisSchema>>;

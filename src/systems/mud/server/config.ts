import { openEnvironment } from '../../../server/environment.ts';

/** The configuration of one instance, from its environment variables. */
export type MudConfig = Readonly<ReturnType<typeof readConfig>>;

/** @throws CapbenchError (104) that names every missing or wrong variable */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const { text, integer, choice, database, check } = openEnvironment(env);
  const instances = integer('INSTANCES', 1, 1_000);
  const config = {
    host: text('HOST', '127.0.0.1'),
    /** 1-based; for its log, and for the time within the interval at which it saves. */
    instance: integer('INSTANCE_ID', 1, instances),
    instances,
    players: integer('PLAYERS', 1, 10_000_000),
    rooms: integer('ROOMS', 1, 10_000),
    /** Of player and session keys, seconds. */
    ttlSeconds: integer('TTL_SECONDS', 1, 86_400, 600),
    saveMillis: integer('SAVE_MS', 100, 600_000, 5_000),
    /** Commands of one player may not come closer together than this; milliseconds. */
    spacingMillis: integer('SPACING_MS', 0, 60_000, 200),
    /** States above so many bytes are compressed. */
    compressAbove: integer('COMPRESS_ABOVE', 1, 1_000_000, 1_024),
    breaker: choice('BREAKER', ['on', 'off']),
    degrade: choice('DEGRADE', ['on', 'off']),
    publish: choice('PUBLISH', ['redis', 'local']),
    acknowledge: choice('ACKNOWLEDGE', ['stored', 'early']),
    /** The bearer token of players; empty: none. */
    token: text('TOKEN', ''),
    redis: text('REDIS_URL'),
    database: database(),
  };
  check('src/systems/mud/README.md lists every variable.');
  return config;
}

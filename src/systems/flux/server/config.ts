import { openEnvironment } from '../../../server/environment.ts';

/** The configuration of one world server, from its environment variables. */
export type WorldConfig = Readonly<ReturnType<typeof readConfig>>;

/** Entities of one world. A command packs its target's id into 27 bits (intent.ts), which is more. */
const MAX_ENTITIES = 10_000_000;

/** @throws CapbenchError (104) that names every missing or wrong variable */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const { text, integer, choice, database, check } = openEnvironment(env);
  const instances = integer('INSTANCES', 1, 1_000);
  const config = {
    host: text('HOST', '127.0.0.1'),
    /** 0 picks a free port. */
    port: integer('PORT', 0, 65_535, 0),
    /** 1-based. */
    instance: integer('INSTANCE_ID', 1, instances),
    instances,
    /** Of the whole world, over all instances. */
    players: integer('PLAYERS', 0, MAX_ENTITIES),
    monsters: integer('MONSTERS', 0, MAX_ENTITIES),
    playersPerPlace: integer('PLAYERS_PER_PLACE', 1, MAX_ENTITIES),
    /** A batch is flushed at this many operations ... */
    batchOperations: integer('BATCH_SIZE_LIMIT', 1, 100_000, 1_663),
    /** ... or this many milliseconds after its first one was queued, once no other batch is in flight. */
    batchMillis: integer('BATCH_TIME_LIMIT_MS', 1, 60_000, 10),
    rowShape: choice('ROW_SHAPE', ['columns', 'jsonb']),
    /** How long the server tries to reconnect to PostgreSQL; 0: it ends at once when the connection is lost. */
    reconnectSeconds: integer('RECONNECT_SECONDS', 0, 3_600, 0),
    /** The bearer token that requests with side effects need; empty: none. */
    token: text('TOKEN', ''),
    database: database(),
  };
  check('"World server" in src/systems/flux/README.md lists every variable.');
  return config;
}

import { openEnvironment } from '../../../server/environment.ts';

/** The configuration of one server, from its environment variables. */
export type MasslessConfig = Readonly<ReturnType<typeof readConfig>>;

/** @throws CapbenchError (104) that names every missing or wrong variable */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const { text, integer, choice, database, check } = openEnvironment(env);
  const servers = integer('INSTANCES', 1, 1_000);
  const config = {
    host: text('HOST', '127.0.0.1'),
    /** From 1: `world-1`. */
    instance: integer('INSTANCE_ID', 1, servers),
    servers,
    zones: integer('ZONES', 1, 10_000),
    /** Characters. */
    players: integer('PLAYERS', 1, 10_000_000),
    itemsPerCharacter: integer('ITEMS_PER_CHARACTER', 1, 1_000),
    /** Side of a zone, in units. */
    zoneSize: integer('ZONE_SIZE', 1, 100_000),
    tickRate: integer('TICK_RATE', 1, 200, 20),
    saveMillis: integer('SAVE_MS', 100, 600_000, 30_000),
    saveOnExit: choice('SAVE_ON_EXIT', ['on', 'off']),
    trade: choice('TRADE', ['committed', 'early', 'torn']),
    interest: choice('INTEREST', ['on', 'off']),
    /** The bearer token of players; empty: none. */
    token: text('TOKEN', ''),
    redis: text('REDIS_URL'),
    database: database(),
  };
  check('src/systems/massless/README.md lists every variable.');
  return config;
}

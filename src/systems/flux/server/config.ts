import { badInput, type CapbenchError } from '../../../errors.ts';

/** The configuration of one world server, from its environment variables. */
export type WorldConfig = Readonly<ReturnType<typeof readConfig>>;

type Environment = Readonly<Record<string, string | undefined>>;

/** Entities of one world. A command packs its target's id into 27 bits (intent.ts), which is more. */
const MAX_ENTITIES = 10_000_000;

/** @throws CapbenchError (104) that names every missing or wrong variable */
export function readConfig(env: Environment) {
  const problems: string[] = [];

  const text = (name: string, fallback?: string): string => {
    const value = env[name] ?? fallback;
    if (value === undefined) problems.push(`${name} is not set`);
    return value ?? '';
  };
  const integer = (name: string, min: number, max: number, fallback?: number): number => {
    const given = text(name, fallback === undefined ? undefined : String(fallback));
    if (env[name] === undefined && fallback === undefined) return min;
    const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
    if (value >= min && value <= max) return value;
    problems.push(`${name} is "${given}", expected a whole number from ${min} to ${max}`);
    return min;
  };

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
    rowShape: rowShapeOf(text('ROW_SHAPE', 'columns'), problems),
    /** How long the server tries to reconnect to PostgreSQL; 0: it ends at once when the connection is lost. */
    reconnectSeconds: integer('RECONNECT_SECONDS', 0, 3_600, 0),
    /** The bearer token that requests with side effects need; empty: none. */
    token: text('TOKEN', ''),
    database: {
      /** A host name, or the folder of a UNIX socket. */
      host: text('DB_SOCKET_PATH'),
      port: integer('DB_PORT', 1, 65_535, 5_432),
      user: text('DB_USER'),
      password: text('DB_PASSWORD', ''),
      name: text('DB_NAME'),
    },
  };
  if (problems.length > 0) throw configError(problems);
  return config;
}

function rowShapeOf(given: string, problems: string[]): 'columns' | 'jsonb' {
  if (given === 'columns' || given === 'jsonb') return given;
  problems.push(`ROW_SHAPE is "${given}", expected "columns" or "jsonb"`);
  return 'columns';
}

const configError = (problems: readonly string[]): CapbenchError =>
  badInput(
    `The world server's environment is wrong: ${problems.join('; ')}.`,
    '"World server" in src/systems/flux/README.md lists every variable.',
  );

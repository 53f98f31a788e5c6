import type { DatabaseAccess } from '../../../server/database-connection.ts';
import { openEnvironment } from '../../../server/environment.ts';
import type { Complete } from '../workload.ts';

/** What a quiz server is started with. */
export interface Config {
  readonly host: string;
  /** From 1. */
  readonly instance: number;
  readonly workers: number;
  readonly matchesPerWorker: number;
  /** V8's old space of a worker, in MB. */
  readonly workerHeap: number;
  readonly complete: Complete;
  readonly recover: 'on' | 'off';
  readonly token: string;
  readonly database: DatabaseAccess;
  readonly redisUrl: string;
  readonly redisTimeoutMs: number;
}

/** @throws CapbenchError (104) that names every missing or wrong variable */
export function readConfig(variables: Readonly<Record<string, string | undefined>>): Config {
  const env = openEnvironment(variables);
  const config: Config = {
    host: env.text('HOST', '127.0.0.1'),
    instance: env.integer('INSTANCE_ID', 1, 1_000),
    workers: env.integer('WORKERS', 1, 1_000),
    matchesPerWorker: env.integer('MATCHES_PER_WORKER', 1, 100),
    workerHeap: env.integer('WORKER_HEAP_MB', 16, 65_536, 64),
    complete: env.choice('COMPLETE', ['committed', 'early']),
    recover: env.choice('RECOVER', ['on', 'off']),
    token: env.text('TOKEN', ''),
    database: env.database(),
    redisUrl: env.text('REDIS_URL'),
    redisTimeoutMs: env.integer('REDIS_TIMEOUT_MS', 10, 60_000),
  };
  env.check('See the keys of world: in scenarios/README.md.');
  return config;
}

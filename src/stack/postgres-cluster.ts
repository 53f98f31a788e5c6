import { chown, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CapbenchError, stackFailed } from '../errors.ts';
import type { Cleanup } from '../supervision/cleanup.ts';
import { describeExit, type Exit, KILL, type ProcessUser, startProcess } from '../supervision/process.ts';
import type { RunFolder } from '../supervision/run-folder.ts';
import {
  START_LIMITS,
  type StartLimits,
  settlesWithin,
  unlessAborted,
  within,
} from '../supervision/time-limit.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import type { PostgresBuild } from './postgres-build.ts';

/** Enough for a cluster, its WAL and the rows of a small world. */
const LEAST_SPACE_BYTES = 300 * 2 ** 20;

/** Advice for the errors that PostgreSQL logs before it gives up. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /shared memory segment ".*No space left on device/,
    'free space in /dev/shm, where PostgreSQL keeps its shared memory (df -h /dev/shm; docker run --shm-size=256m): no disk is full',
  ],
  [
    /could not create shared memory segment: No space left on device/,
    'the host has no shared memory segment left (ipcs -m; Linux: sysctl kernel.shmmni): no disk is full',
  ],
  [/No space left on device/, 'free space in the temporary directory, or set TMPDIR to another one'],
  [
    /could not create shared memory|Cannot allocate memory|could not map anonymous/,
    'lower postgres.settings.shared_buffers in the scenario, or free memory',
  ],
  [/could not bind|Address already in use/, 'set TMPDIR to a directory of your own'],
  [
    /unrecognized configuration parameter|invalid value for parameter|outside the valid range|contains errors/,
    'correct postgres.settings in the scenario',
  ],
  [/could not access file "/, 'remove the library from shared_preload_libraries in the scenario'],
  [
    /could not look up effective user ID/,
    'this user has no entry in /etc/passwd, which PostgreSQL requires: run as a user that has one, or add it (useradd, or a line in /etc/passwd of a container)',
  ],
  [/File too large/, "raise the limit of a file's size: ulimit -f unlimited"],
  [/Too many open files/, 'raise the limit of open files: ulimit -n 4096'],
  [/Permission denied/, 'set TMPDIR to a directory that every user may enter, such as /tmp'],
];

export const adviceIn = (log: string): string | undefined =>
  ADVICE.find(([pattern]) => pattern.test(log))?.[1];

const LOG_LINES = 5;

/** PostgreSQL did not start: what happened, the last lines of its log, and what to do. */
export function postgresFailed(happened: string, log: string, cause?: unknown): CapbenchError {
  const hint = adviceIn(log) ?? 'see the last lines of its log above';
  const tail = log.split('\n').slice(-LOG_LINES).join('\n');
  return stackFailed(tail === '' ? happened : `${happened}\n${tail.replace(/^/gm, '  | ')}`, hint, cause);
}

/** Throws exit code 93 when a folder's file system is almost full. */
export async function checkSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= LEAST_SPACE_BYTES) return;
  throw stackFailed(
    `${Math.floor(free / 2 ** 20)} MB are free at ${folder}, and PostgreSQL needs at least ${LEAST_SPACE_BYTES / 2 ** 20} MB`,
    'free space there, or set TMPDIR to another directory',
  );
}

export interface ClusterPlan {
  readonly build: PostgresBuild;
  readonly folder: RunFolder;
  readonly watchdog: Watchdog;
  /** The account that runs PostgreSQL; null: capbench's own. */
  readonly user: ProcessUser | null;
  readonly signal: AbortSignal;
  /** Replaces START_LIMITS. */
  readonly limits?: StartLimits;
}

/**
 * A killed PostgreSQL leaves its shared memory behind, which the next one on the same data folder removes. `--check` is
 * a start that ends before it touches any data. It does not use the run's configuration, which may be the reason why the
 * killed one failed.
 */
export const sharedMemoryCleanup = ({ build, user }: ClusterPlan, data: string): Cleanup => ({
  command: join(build.bin, 'postgres'),
  args: [
    ...['--check', '-D', data, '-c', 'config_file=/dev/null'],
    ...['-c', 'shared_buffers=128kB', '-c', 'max_connections=5', '-c', 'huge_pages=off'],
  ],
  folder: data,
  user,
});

/**
 * Runs initdb for a cluster with one superuser, who has a password. The files are not synced, since the cluster is
 * removed with the run; commits of the running server are. Rejects with exit code 93.
 */
export async function makeCluster(
  plan: ClusterPlan,
  data: string,
  superuser: string,
  password: string,
): Promise<void> {
  const { build, folder, watchdog, user, signal, limits = START_LIMITS } = plan;
  const passwordFile = folder.file('password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user !== null) await chown(passwordFile, user.uid, user.gid);
  const initdb = await startProcess({
    name: 'initdb',
    command: join(build.bin, 'initdb'),
    args: [
      ...['--pgdata', data, '--username', superuser, '--auth', 'scram-sha-256', '--pwfile', passwordFile],
      ...['--encoding', 'UTF8', '--locale', 'C', '--no-sync', '--no-clean', '--no-instructions'],
    ],
    env: { HOME: data, LC_ALL: 'C' },
    cwd: data,
    log: folder.file('initdb.log'),
    watchdog,
    // Any signal but SIGKILL makes initdb remove files that the cleanup needs.
    ladder: [KILL],
    cleanup: sharedMemoryCleanup(plan, data),
    user,
  });
  let exit: Exit;
  try {
    if (!(await unlessAborted(settlesWithin(initdb.exited, limits.postgres), signal)))
      throw postgresFailed(`initdb did not end ${within(limits.postgres)}`, initdb.tail());
    exit = await initdb.exited;
  } finally {
    await initdb.stop();
    await rm(passwordFile, { force: true });
  }
  if (exit.code !== 0) throw postgresFailed(`initdb failed: ${describeExit(exit)}`, initdb.tail());
}

/** Lines to append to postgresql.conf, where the last line of a setting counts. */
export function configurationFile(configuration: Readonly<Record<string, string>>): string {
  const lines = Object.entries(configuration).map(([name, value]) => {
    if (!/^\w+(\.\w+)?$/.test(name))
      throw stackFailed(
        `"${name}" is not the name of a PostgreSQL setting`,
        'correct postgres.settings in the scenario',
      );
    return `${name} = '${value.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\n', '\\n')}'\n`;
  });
  return `\n${lines.join('')}`;
}

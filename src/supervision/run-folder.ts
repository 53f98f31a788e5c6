import { randomBytes } from 'node:crypto';
import { type Stats, statSync } from 'node:fs';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, stackFailed } from '../errors.ts';
import { removeFolder } from './cleanup.ts';
import type { ProcessUser } from './process.ts';
import type { Watchdog } from './watchdog.ts';

/** sun_path holds 104 bytes on macOS and 108 on Linux, with the closing zero. */
const SOCKET_PATH_LIMIT = 102;
/** The longest socket path within the run's folder. */
const LONGEST_SOCKET = 's/.s.PGSQL.65535';

/** Everything a run writes besides its bundle: `capbench-<random>` in the temporary directory. */
export interface RunFolder {
  readonly path: string;
  /** The path of an entry in it. */
  file(name: string): string;
  /**
   * Makes a folder in it, mode 0700, for capbench itself or for the user of a process. Rejects with exit code 93 where
   * that fails.
   */
  folder(name: string, owner?: ProcessUser | null): Promise<string>;
  /** Removes the whole folder. Idempotent. */
  remove(): Promise<void>;
}

/** Only the paths of sockets have to be short. */
type FolderContents = 'sockets' | 'files';

/**
 * The first of the temporary directories that the other account can traverse and, for sockets, whose path is short
 * enough. Throws exit code 93 when there is none.
 */
export function temporaryFolder(
  candidates: readonly string[],
  name: string,
  user: ProcessUser | null,
  contents: FolderContents = 'sockets',
): string {
  const problems: string[] = [];
  for (const candidate of new Set(candidates)) {
    const length = Buffer.byteLength(join(candidate, name, LONGEST_SOCKET));
    if (contents === 'sockets' && length > SOCKET_PATH_LIMIT) {
      problems.push(
        `${candidate}: a socket's path would have ${length} bytes, at most ${SOCKET_PATH_LIMIT} are possible`,
      );
    } else if (user !== null && !isOpenTo(candidate, user)) {
      problems.push(`${candidate}: the account ${user.name}, which runs PostgreSQL, has no access`);
    } else return candidate;
  }
  throw stackFailed(
    `no usable temporary directory: ${problems.join('; ')}`,
    'set TMPDIR to a short path that every user may enter, such as /tmp',
  );
}

function isOpenTo(folder: string, user: ProcessUser): boolean {
  try {
    return canTraverse(folder, user);
  } catch {
    return false;
  }
}

/**
 * Makes the run's folder, which the watchdog guards before it exists. Mode 0700; for a process of another account 0710
 * and its group, so that this account can traverse the folder, and can neither list nor write it.
 */
export async function openRunFolder(
  watchdog: Watchdog,
  candidates: readonly string[],
  user: ProcessUser | null = null,
  contents: FolderContents = 'sockets',
): Promise<RunFolder> {
  const name = `capbench-${randomBytes(6).toString('hex')}`;
  const path = join(temporaryFolder(candidates, name, user, contents), name);
  await watchdog.guardFolder(path);
  const make = async (folder: string, mode: number, uid?: number, gid?: number): Promise<string> => {
    try {
      await mkdir(folder, { mode: 0o700 });
      if (uid === undefined || gid === undefined) return folder;
      await chown(folder, uid, gid);
      await chmod(folder, mode);
    } catch (error) {
      throw stackFailed(
        `the folder ${folder} cannot be made: ${messageOf(error)}`,
        'free space there, or set TMPDIR to a directory that you may write to',
        error,
      );
    }
    return folder;
  };
  await (user === null ? make(path, 0o700) : make(path, 0o710, 0, user.gid));
  return {
    path,
    file: (entry) => join(path, entry),
    folder: (entry, owner = null) => make(join(path, entry), 0o700, owner?.uid, owner?.gid),
    async remove() {
      // If that fails, the watchdog tries again at the end.
      if (await removeFolder(path)) watchdog.releaseFolder(path);
    },
  };
}

const READ = 4;
const EXECUTE = 1;

/** Whether the mode grants these bits to the user as owner, as member of the group, or as other. */
function grants({ mode, uid, gid }: Stats, user: ProcessUser, bits: number): boolean {
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
  return ((mode >> shift) & bits) === bits;
}

/**
 * Whether another account can read and execute a file or folder, and traverse every folder above it. Access control
 * lists are not checked: where they forbid access, the start fails.
 */
export function canReach(path: string, user: ProcessUser): boolean {
  try {
    if (!grants(statSync(path), user, READ | EXECUTE)) return false;
    return canTraverse(dirname(path), user);
  } catch {
    return false;
  }
}

/** Whether another account can traverse a folder and all folders above it. */
export function canTraverse(folder: string, user: ProcessUser): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (!grants(statSync(at), user, EXECUTE)) return false;
    if (at === dirname(at)) return true;
  }
}

import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ProcessUser } from './process.ts';

const READ = 4;
const EXECUTE = 1;

/** Whether the mode grants these bits to the user, as owner, as member of the group, or as anybody. */
function grants({ mode, uid, gid }: Stats, user: ProcessUser, bits: number): boolean {
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
  return ((mode >> shift) & bits) === bits;
}

/**
 * Whether another account can read and execute what lies at a path: the file or folder itself, and every
 * folder on the way to it. Access control lists are not looked at: where they forbid more, starting fails.
 */
export function canReach(path: string, user: ProcessUser): boolean {
  try {
    if (!grants(statSync(path), user, READ | EXECUTE)) return false;
    return canTraverse(dirname(path), user);
  } catch {
    return false;
  }
}

/** Whether another account can go through a folder and all that are above it. */
export function canTraverse(folder: string, user: ProcessUser): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (!grants(statSync(at), user, EXECUTE)) return false;
    if (at === dirname(at)) return true;
  }
}

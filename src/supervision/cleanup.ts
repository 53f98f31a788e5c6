import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { signal } from './process-tree.ts';

/** A command that takes away what a process leaves behind outside its folder when it is killed. */
export interface Cleanup {
  readonly command: string;
  readonly args: readonly string[];
  /** What it works on: where that is gone there is nothing to do. */
  readonly folder: string;
  /** As whom; null: as capbench itself. */
  readonly user: { readonly uid: number; readonly gid: number } | null;
}

const ATTEMPTS = 20;
const AGAIN_MS = 100;
const LIMIT_MS = 2_500;

/** Runs the command until it succeeds, for a while: others of the killed process's kind may be just ending. */
export async function cleanUp(
  { command, args, folder, user }: Cleanup,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const until = performance.now() + LIMIT_MS;
  for (let attempt = 0; attempt < ATTEMPTS && performance.now() < until; attempt++) {
    if (!existsSync(folder)) return;
    if (await succeeds(command, args, user, env)) return;
    await sleep(AGAIN_MS);
  }
}

function succeeds(
  command: string,
  args: readonly string[],
  user: Cleanup['user'],
  env: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  return new Promise((resolve) => {
    // A group of its own, so that nothing of a command that hangs is left.
    const child = spawn(command, args, {
      cwd: '/',
      detached: true,
      env,
      stdio: 'ignore',
      ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
    });
    const limit = setTimeout(() => child.pid !== undefined && signal(-child.pid, 'SIGKILL'), LIMIT_MS);
    const done = (success: boolean) => {
      clearTimeout(limit);
      resolve(success);
    };
    child.once('error', () => done(false));
    child.once('exit', (code) => done(code === 0));
  });
}

const REMOVE_LIMIT_MS = 5_000;
const AGAIN_SOON_MS = 20;

/** Somebody may still be writing while it ends: tried again for a while. False when it cannot be done. */
export async function removeFolder(path: string): Promise<boolean> {
  const until = performance.now() + REMOVE_LIMIT_MS;
  for (;;) {
    try {
      await rm(path, { recursive: true, force: true });
      return true;
    } catch {
      if (performance.now() > until) return false;
      await sleep(AGAIN_SOON_MS);
    }
  }
}

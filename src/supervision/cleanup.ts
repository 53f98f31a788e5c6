import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../errors.ts';
import { signal } from './process-tree.ts';

/** A command that removes what a killed process leaves behind outside its folder. */
export interface Cleanup {
  readonly command: string;
  readonly args: readonly string[];
  /** What it cleans up: if this folder is gone there is nothing to do. */
  readonly folder: string;
  /** The account that it runs as; null: capbench's own. */
  readonly user: { readonly uid: number; readonly gid: number } | null;
}

const ATTEMPTS = 20;
const RETRY_MS = 100;
const LIMIT_MS = 2_500;

/** Retries the command for a while: it fails as long as children of the killed process are still ending. */
export async function cleanUp(
  { command, args, folder, user }: Cleanup,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const until = performance.now() + LIMIT_MS;
  for (let attempt = 0; attempt < ATTEMPTS && performance.now() < until; attempt++) {
    if (!existsSync(folder)) return;
    if (await succeeds(command, args, user, env)) return;
    await sleep(RETRY_MS);
  }
}

function succeeds(
  command: string,
  args: readonly string[],
  user: Cleanup['user'],
  env: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  return new Promise((resolve) => {
    // In a process group of its own, so that a command that hangs can be killed with its children.
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
const REMOVE_RETRY_MS = 20;

/** Retries for a while, since a process that is ending may still write there. False when the folder cannot be removed. */
export async function removeFolder(path: string): Promise<boolean> {
  const until = performance.now() + REMOVE_LIMIT_MS;
  for (;;) {
    try {
      await rm(path, { recursive: true, force: true });
      return true;
    } catch {
      if (performance.now() > until) return false;
      await sleep(REMOVE_RETRY_MS);
    }
  }
}

/**
 * Removes a control group, which is possible once its processes have ended: retries for a while. Its folder is removed without
 * its files, which are the kernel's. False when it cannot be removed.
 */
export async function removeGroup(path: string): Promise<boolean> {
  const until = performance.now() + REMOVE_LIMIT_MS;
  for (;;) {
    try {
      await rmdir(path);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return true;
      if (performance.now() > until) return false;
      await sleep(REMOVE_RETRY_MS);
    }
  }
}

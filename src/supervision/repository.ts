import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { badInput, messageOf, stackFailed } from '../errors.ts';
import type { RunFolder } from './run-folder.ts';

/** A commit in a folder of its own. */
export interface Worktree {
  readonly path: string;
  /** Removes it, also from git's list. Resolves with a warning where that failed. Idempotent. */
  close(): Promise<string | null>;
}

/** The git repository that a folder is in. */
export interface Repository {
  /** Its top folder, without symbolic links. */
  readonly top: string;
  /** The commit that a ref names, for `option`. Rejects with exit code 104 where it names none. */
  commitNamed(ref: string, option: string): Promise<string>;
  /** SHA-256 of what the tracked files have changed of their commit; null where they have not. */
  changes(): Promise<string | null>;
  /**
   * Checks a commit out beside the repository, without its hooks, into a run folder, which the watchdog guards. Rejects with
   * exit code 93 where git cannot.
   */
  checkOut(commit: string, into: Pick<RunFolder, 'file'>, signal: AbortSignal): Promise<Worktree>;
}

/** What git printed, and how it ended; code null: it did not run, or was ended. */
interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Of a hook that runs capbench: they would name another repository than the folder is in. */
const OF_A_HOOK = /^GIT_(?:DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|OBJECT_DIRECTORY)$/;

/** In a group of its own, so that a Ctrl-C in a terminal does not end it halfway. */
function runGit(folder: string, env: Env, args: readonly string[], signal?: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    const child = spawn('git', ['-C', folder, ...args], {
      env: Object.fromEntries(Object.entries(env).filter(([name]) => !OF_A_HOOK.test(name))),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.once('error', (error) => resolve({ code: null, out, err: messageOf(error) }));
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** Git lists the worktrees of capbench by this name. */
const NAME = 'capbench-base';

/** Null where a folder is in no repository, or there is no git. */
export async function repositoryOf(folder: string, env: Env): Promise<Repository | null> {
  const found = await runGit(folder, env, ['rev-parse', '--show-toplevel']);
  if (found.code !== 0) return null;
  const top = found.out.replace(/\n$/, '');
  const git = (args: readonly string[], signal?: AbortSignal) => runGit(top, env, args, signal);
  const forget = (path: string) => git(['worktree', 'remove', '--force', '--force', path]);
  /** Where capbench was killed, the folder of its worktree is gone, and git still lists it. */
  const forgetLost = async (): Promise<void> => {
    const { out } = await git(['worktree', 'list', '--porcelain']);
    for (const [, path = ''] of out.matchAll(/^worktree (.+)$/gm))
      if (basename(path) === NAME && !existsSync(path)) await forget(path);
  };
  return {
    top,
    async commitNamed(ref, option) {
      const { code, out } = await git([
        ...['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`],
      ]);
      if (code === 0) return out.trim();
      throw badInput(
        `${option}: got ${JSON.stringify(ref)}, expected a branch, a tag or a commit of ${top}`,
        'a checkout of CI may be shallow: fetch the ref first, such as git fetch --depth 1 origin main:main',
      );
    },
    async changes() {
      const { code, out } = await git(['diff', 'HEAD', '--binary', '--no-ext-diff', '--no-color']);
      return code !== 0 || out === '' ? null : createHash('sha256').update(out).digest('hex');
    },
    async checkOut(commit, into, signal) {
      await forgetLost();
      const path = into.file(NAME);
      const { code, err } = await git(
        ['-c', 'core.hooksPath=/dev/null', 'worktree', 'add', '--quiet', '--force', '--detach', path, commit],
        signal,
      );
      if (code !== 0) {
        await forget(path);
        throw stackFailed(
          `git cannot check out ${commit.slice(0, 12)} in ${path}: ${lastLine(err)}`,
          'check that git worktree works here, and that TMPDIR has room',
        );
      }
      let closing: Promise<string | null> | undefined;
      const remove = async (): Promise<string | null> => {
        const { code: ended, err: said } = await forget(path);
        return ended === 0
          ? null
          : `git worktree remove ${path} failed: ${lastLine(said)}; git worktree prune forgets it`;
      };
      return {
        path,
        close() {
          closing ??= remove();
          return closing;
        },
      };
    },
  };
}

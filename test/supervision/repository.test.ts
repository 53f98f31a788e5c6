import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryOf } from '../../src/supervision/repository.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const env = { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };

/** A repository with two commits, of which the first is tagged: `server.txt` is `one`, then `two`. */
function repository(): { readonly top: string; readonly git: (...args: readonly string[]) => string } {
  const top = realpathSync(temporaryFolder());
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', top, '-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      ...{ env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    });
  git('init', '--quiet');
  mkdirSync(join(top, 'sub'));
  for (const content of ['one', 'two']) {
    writeFileSync(join(top, 'sub', 'server.txt'), content);
    git('add', '.');
    git('commit', '--quiet', '-m', content);
    if (content === 'one') git('tag', 'v1');
  }
  return { top, git };
}
const never = new AbortController().signal;

test('a folder that is in no repository has none', async () => {
  expect(await repositoryOf(temporaryFolder(), env)).toBeNull();
});

test('a commit is checked out beside the repository without its hooks, and nothing is left of it', async () => {
  const { top, git } = repository();
  const hook = join(top, '.git', 'hooks', 'post-checkout');
  writeFileSync(hook, `#!/bin/sh\ntouch ${join(top, 'hook-ran')}\n`, { mode: 0o755 });
  // As in a hook of another repository that runs capbench.
  const found = await repositoryOf(join(top, 'sub'), { ...env, GIT_DIR: '/nonexistent' });
  expect(found?.top).toBe(top);
  const commit = (await found?.commitNamed('v1', '--base-ref')) ?? '';
  expect(commit).toBe(git('rev-parse', 'v1').trim());
  const folder = temporaryFolder();
  const file = (name: string): string => join(folder, name);
  const worktree = await found?.checkOut(commit, { file }, never);
  expect(readFileSync(join(worktree?.path ?? '', 'sub', 'server.txt'), 'utf8')).toBe('one');
  expect(existsSync(join(top, 'hook-ran'))).toBe(false);
  // What is made in it, such as node_modules, does not keep it from being removed.
  writeFileSync(join(worktree?.path ?? '', 'sub', 'made.txt'), 'x');
  expect(await worktree?.close()).toBeNull();
  expect(existsSync(worktree?.path ?? '')).toBe(false);
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
});

test('what a killed capbench left in the list of worktrees is forgotten by the next', async () => {
  const { top, git } = repository();
  const found = await repositoryOf(top, env);
  const commit = (await found?.commitNamed('v1', '--base-ref')) ?? '';
  const lost = temporaryFolder();
  await found?.checkOut(commit, { file: (name) => join(lost, name) }, never);
  rmSync(lost, { recursive: true });
  const folder = temporaryFolder();
  const worktree = await found?.checkOut(commit, { file: (name) => join(folder, name) }, never);
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(2);
  await worktree?.close();
});

test('what the tracked files have changed has a hash; a ref that is none, or an option, is bad input', async () => {
  const { top } = repository();
  const found = await repositoryOf(top, env);
  expect(await found?.changes()).toBeNull();
  writeFileSync(join(top, 'not-tracked.txt'), 'x');
  expect(await found?.changes()).toBeNull();
  writeFileSync(join(top, 'sub', 'server.txt'), 'three');
  expect(await found?.changes()).toMatch(/^[0-9a-f]{64}$/);
  for (const ref of ['no-such-branch', '--all', ''])
    await expect(found?.commitNamed(ref, '--base-ref')).rejects.toMatchObject({ exitCode: 104 });
});

import { basename, isAbsolute } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanUp, removeFolder, removeGroup } from './cleanup.ts';
import { continueTree, killMarked, killTree, signal, startTime } from './process-tree.ts';
import type { WatchdogOrder } from './watchdog.ts';

/** A postmaster kills its backends itself 5 s after SIGQUIT. */
const QUIT_LIMIT_MS = 5_500;
const KILL_LIMIT_MS = 2_000;
const POLL_MS = 20;

type Guarded = Extract<WatchdogOrder, { readonly order: 'guard' }>;

const guarded = new Map<number, Guarded>();
/** Processes of others that a fault has stopped: pid -> start. */
const stopped = new Map<number, string>();
const folders = new Set<string>();
/** Control groups. */
const groups = new Set<string>();

/** Even after a bug elsewhere, only what a run has made is ever removed. */
const isOfRun = (path: string): boolean => isAbsolute(path) && basename(path).startsWith('capbench-');

function obey(order: WatchdogOrder): void {
  switch (order.order) {
    case 'guard':
      guarded.set(order.pid, order);
      return;
    case 'release':
      guarded.delete(order.pid);
      return;
    case 'guardStopped':
      stopped.set(order.pid, order.startedAt);
      return;
    case 'releaseStopped':
      stopped.delete(order.pid);
      return;
    case 'guardFolder':
      if (isOfRun(order.path)) folders.add(order.path);
      return;
    case 'releaseFolder':
      folders.delete(order.path);
      return;
    case 'guardGroup':
      if (isOfRun(order.path)) groups.add(order.path);
      return;
    case 'releaseGroup':
      groups.delete(order.path);
  }
}

const alive = (): Guarded[] => [...guarded.values()].filter((it) => startTime(it.pid) === it.startedAt);

async function allGone(limit: number): Promise<boolean> {
  const until = performance.now() + limit;
  while (alive().length > 0) {
    if (performance.now() > until) return false;
    await sleep(POLL_MS);
  }
  return true;
}

async function endAll(): Promise<void> {
  const trees: Promise<void>[] = [];
  for (const { pid, endMethod } of alive()) {
    if (endMethod === 'kill') {
      signal(-pid, 'SIGKILL');
    } else if (endMethod === 'tree' || endMethod === 'marked') {
      trees.push(killTree(pid));
    } else {
      // A fault may have stopped it with all its descendants.
      continueTree(pid);
      signal(pid, 'SIGQUIT');
    }
  }
  await Promise.all(trees);
  if (await allGone(QUIT_LIMIT_MS)) return;
  await Promise.all(alive().map(({ pid }) => killTree(pid)));
  await allGone(KILL_LIMIT_MS);
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGPIPE'] as const) process.on(name, () => {});
process.stdout.on('error', () => {});
process.stdout.write('ready\n');

for await (const line of createInterface({ input: process.stdin })) {
  try {
    obey(JSON.parse(line));
  } catch {
    // The line is incomplete, since its writer ended.
  }
}
for (const [pid, startedAt] of stopped) if (startTime(pid) === startedAt) continueTree(pid);
await endAll();
// Also of those that have ended by themselves.
await Promise.all([...guarded.values()].map(({ marker }) => (marker === null ? null : killMarked(marker))));
await Promise.all([...guarded.values()].map(({ cleanup }) => cleanup && cleanUp(cleanup, process.env)));
await Promise.all([...[...folders].map(removeFolder), ...[...groups].map(removeGroup)]);
process.exit(0);

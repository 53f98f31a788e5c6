import { readFileSync, readlinkSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { processesIn } from '../stack/leftovers.ts';
import { socketsOf } from './faults/inside.ts';

/** What can be seen of a run without asking capbench or its servers: the kernel's table of sockets, and the keys of Redis. */
export interface OutsideView {
  /** Established connections whose one end is held by a load worker and whose other end is a server's port. */
  readonly sockets: number;
  /** Keys in Redis of this pattern; 0 where none is asked for. */
  readonly keys: number;
}

/** A line of proc_net_tcp(5). */
interface Socket {
  readonly localPort: number;
  readonly remotePort: number;
  readonly state: string;
  readonly inode: string;
}

/** Elsewhere the kernel shows no table of sockets. */
export const IS_SEEN = platform() === 'linux';

const SAMPLE_MS = 100;
const LISTENING = '0A';
const ESTABLISHED = '01';

/** The kernel writes the table piece by piece: where others open sockets meanwhile, a line may be there twice. */
function socketsNow(): readonly Socket[] {
  const lines = readFileSync('/proc/net/tcp', 'latin1').trim().split('\n').slice(1);
  const byInode = new Map(
    lines.map((line) => {
      const [, local = '', remote = '', state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
      const portOf = (address: string): number => Number.parseInt(address.split(':')[1] ?? '', 16);
      return [inode, { localPort: portOf(local), remotePort: portOf(remote), state, inode }] as const;
    }),
  );
  return [...byInode.values()];
}

/**
 * Looks at the run in this temporary directory until it has ended; `server` is the bundle that its servers run, `keys` null where
 * it has no Redis.
 */
export async function watchFromOutside(
  { tmp, finished }: { readonly tmp: string; readonly finished: Promise<unknown> },
  { server, keys: pattern }: { readonly server: string; readonly keys: string | null },
): Promise<readonly OutsideView[]> {
  const views: OutsideView[] = [];
  let hasEnded = false;
  void finished.then(() => {
    hasEnded = true;
  });
  let redis: Redis | null = null;
  try {
    while (!hasEnded) {
      await pause(SAMPLE_MS);
      const processes = processesIn(tmp);
      const pidsOf = (program: string): readonly number[] =>
        processes.filter(({ command }) => command.includes(program)).map(({ pid }) => pid);
      if (pattern !== null) {
        redis ??= redisOf(pidsOf('redis-server').concat(pidsOf('valkey-server'))[0]);
        if (redis === null) continue;
      }
      const table = socketsNow();
      const ofServers = new Set(pidsOf(`${server}.js`).flatMap(socketsOf));
      const ports = new Set(
        table
          .filter((one) => one.state === LISTENING && ofServers.has(one.inode))
          .map((one) => one.localPort),
      );
      const ofWorkers = new Set(pidsOf('fleet-worker.js').flatMap(socketsOf));
      const sockets = table.filter(
        ({ state, inode, remotePort }) =>
          state === ESTABLISHED && ofWorkers.has(inode) && ports.has(remotePort),
      ).length;
      const found = redis === null || pattern === null ? 0 : await keysOf(redis, pattern).catch(() => null);
      if (found !== null) views.push({ sockets, keys: found });
      else {
        // It was not listening yet, or has ended.
        redis?.disconnect();
        redis = null;
      }
    }
  } finally {
    redis?.disconnect();
  }
  return views;
}

/** Without the beginning and the end, in which players connect and leave. */
export function plateauOf(views: readonly OutsideView[], players: number): readonly OutsideView[] {
  const full = views.map(({ sockets }) => sockets === players);
  return views.slice(full.indexOf(true), full.lastIndexOf(true) + 1);
}

/** The median and the maximum of what was seen. A table of sockets that changes while it is read may lack some of them. */
export function spreadOf(views: readonly OutsideView[], what: keyof OutsideView) {
  const sorted = views.map((view) => view[what]).toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** A connection to the Redis of the run, whose password only its configuration has. */
function redisOf(pid: number | undefined): Redis | null {
  if (pid === undefined) return null;
  try {
    const text = readFileSync(join(readlinkSync(`/proc/${pid}/cwd`), 'redis.conf'), 'latin1');
    const of = (key: string): string => new RegExp(`^${key} "?([^"\\n]+)"?$`, 'm').exec(text)?.[1] ?? '';
    const client = new Redis({
      ...{ host: '127.0.0.1', port: Number(of('port')), password: of('requirepass') },
      // It ends with the run, and is not waited for.
      ...{ retryStrategy: () => null, maxRetriesPerRequest: 0, commandTimeout: 1_000 },
    });
    client.on('error', () => {});
    return client;
  } catch {
    // It is just being started.
    return null;
  }
}

async function keysOf(redis: Redis, pattern: string): Promise<number> {
  const found = new Set<string>();
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 1000);
    for (const key of keys) found.add(key);
    cursor = next;
  } while (cursor !== '0');
  return found.size;
}

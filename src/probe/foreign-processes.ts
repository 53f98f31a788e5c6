import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeAddresses } from '../address/probe-address.ts';
import type { Endpoints } from '../stack/stack.ts';
import type { ProcessReading } from '../supervision/proc.ts';
import { openProcessTable, pidsNow } from './process-table.ts';

/** For this long no request is sent to the target. */
const QUIET_MS = 500;
/** The share of one core in that time from which a process counts as busy with something else than the load. */
const BUSY_SHARE = 0.25;
const LISTENING = '0A';

/**
 * The pids of processes on a target's host that are busy before the load begins. A process that listens on a port of the
 * target, and its children, are under test, however busy they are; a process that becomes busy with the load may be, too.
 * Null where this cannot be determined: without /proc, or where a listening process is not visible to this user.
 * @param ports of everything under test
 */
export async function busyForeignProcesses(ports: ReadonlySet<number>): Promise<ReadonlySet<number> | null> {
  const table = openProcessTable();
  const before = new Map((await table.scan()).map((one) => [idOf(one), one]));
  if (before.size === 0) return null;
  await sleep(QUIET_MS);
  const now = await table.scan();
  const listening = listeners(ports);
  if (listening === null) return null;
  const own = treesOf([process.pid, ...listening], now);
  const busy = now.filter((reading) => {
    const used = reading.ownSeconds - (before.get(idOf(reading))?.ownSeconds ?? reading.ownSeconds);
    return !own.has(reading.pid) && used * 1e3 >= BUSY_SHARE * QUIET_MS;
  });
  return new Set(busy.map(({ pid }) => pid));
}

/** The ports of a target and of its probed components. */
export function portsUnderTest(
  { worlds }: Endpoints,
  { metrics, redis, postgres }: Pick<ProbeAddresses, 'metrics' | 'redis' | 'postgres'>,
): ReadonlySet<number> {
  const [, database] = /:(\d+)$/.exec(postgres?.shown ?? '') ?? [];
  return new Set([
    ...[...worlds, ...metrics].map(({ url }) => portOf(url)),
    ...(redis === null ? [] : [redis.port]),
    ...(database === undefined ? [] : [Number(database)]),
  ]);
}

const idOf = ({ pid, started }: ProcessReading): string => `${pid} ${started}`;

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return port === '' ? (/^(https|wss):$/.test(protocol) ? 443 : 80) : Number(port);
}

/** The processes and all their descendants. */
function treesOf(roots: readonly number[], scan: readonly ProcessReading[]): ReadonlySet<number> {
  const pids = new Set(roots);
  for (let known = -1; known < pids.size; ) {
    known = pids.size;
    for (const { pid, parent } of scan) if (pids.has(parent)) pids.add(pid);
  }
  return pids;
}

/**
 * The pids that hold a listening TCP socket on one of the ports (proc_net_tcp(5)); null where the holder of a socket is
 * not visible to this user.
 */
function listeners(ports: ReadonlySet<number>): number[] | null {
  const sockets = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
      linesOf(file).flatMap((line) => {
        const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
        const port = Number.parseInt(local.split(':')[1] ?? '', 16);
        return state === LISTENING && ports.has(port) ? [`socket:[${inode}]`] : [];
      }),
    ),
  );
  const held = new Set<string>();
  const holders = pidsNow().filter((pid) => {
    const own = descriptorsOf(pid)
      .map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
      .filter((link) => sockets.has(link));
    for (const link of own) held.add(link);
    return own.length > 0;
  });
  return held.size < sockets.size ? null : holders;
}

/** Ignores processes that have ended in between or are not readable. */
function orNothing<T>(read: () => T, nothing: T): T {
  try {
    return read();
  } catch {
    return nothing;
  }
}
const linesOf = (file: string): string[] => orNothing(() => readFileSync(file, 'latin1').split('\n'), []);
const descriptorsOf = (pid: number): string[] => orNothing(() => readdirSync(`/proc/${pid}/fd`), []);
const linkOf = (path: string): string => orNothing(() => readlinkSync(path), '');

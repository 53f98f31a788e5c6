import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeAddresses } from '../address/probe-address.ts';
import type { Endpoints } from '../stack/stack.ts';
import type { ProcessReading } from '../supervision/proc.ts';
import { openProcessTable, pidsNow } from './process-table.ts';

/** So long nobody asks the target anything. */
const QUIET_MS = 500;
/** Of one core, in that time: a process that uses as much with no load is busy with something of its own. */
const BUSY_SHARE = 0.25;
const LISTENING = '0A';

/**
 * Processes beside a target on this host that are busy before any load has begun, by pid: neighbours of the run. Whoever
 * listens on a port of the target, and its children, are what is under test, however busy; so may be whatever gets busy
 * with the load. Null where nobody can say: without /proc, or where a process of somebody else's listens that is not ours
 * to see.
 * @param ports of all that is under test
 */
export async function busyForeignProcesses(ports: ReadonlySet<number>): Promise<ReadonlySet<number> | null> {
  const table = openProcessTable();
  const before = new Map((await table.scan()).map((one) => [idOf(one), one]));
  if (before.size === 0) return null;
  await sleep(QUIET_MS);
  const now = await table.scan();
  const listening = listeners(ports);
  if (listening === null) return null;
  const own = familyOf([process.pid, ...listening], now);
  const busy = now.filter((reading) => {
    const used = reading.ownSeconds - (before.get(idOf(reading))?.ownSeconds ?? reading.ownSeconds);
    return !own.has(reading.pid) && used * 1e3 >= BUSY_SHARE * QUIET_MS;
  });
  return new Set(busy.map(({ pid }) => pid));
}

/** The ports of a target, and of what is watched beside it. */
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

/** The processes, and all below them. */
function familyOf(heads: readonly number[], scan: readonly ProcessReading[]): ReadonlySet<number> {
  const family = new Set(heads);
  for (let known = -1; known < family.size; ) {
    known = family.size;
    for (const { pid, parent } of scan) if (family.has(parent)) family.add(pid);
  }
  return family;
}

/**
 * Pids that hold a listening TCP socket of one of the ports (proc_net_tcp(5)); null where a socket has no holder that this
 * user may see.
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

/** What has ended meanwhile, or is not ours to see, is not there. */
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

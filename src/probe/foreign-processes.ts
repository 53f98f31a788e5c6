import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeAddresses } from '../address/probe-address.ts';
import { portOf } from '../address/target-address.ts';
import type { Endpoints } from '../stack/stack.ts';
import type { ProcessReading } from '../supervision/proc.ts';
import { listenersOn } from './listeners.ts';
import { openProcessTable } from './process-table.ts';

/** For this long no request is sent to the target. */
const QUIET_MS = 500;
/** The share of one core in that time from which a process counts as busy with something else than the load. */
const BUSY_SHARE = 0.25;

/**
 * The pids of processes on a target's host that are busy before the load begins. A process that listens on a port of the
 * target or that is named as a part of it, and its children, are under test, however busy they are; a process that
 * becomes busy with the load may be, too, and so may every process of a user whose listening process is not visible to
 * capbench. Null without /proc.
 * @param ports of everything under test
 * @param named pids of the processes that are named as parts of the target
 */
export async function busyForeignProcesses(
  ports: ReadonlySet<number>,
  named: readonly number[] = [],
): Promise<ReadonlySet<number> | null> {
  const table = openProcessTable();
  const before = new Map((await table.scan()).map((one) => [idOf(one), one]));
  if (before.size === 0) return null;
  await sleep(QUIET_MS);
  const now = await table.scan();
  const { pids, hiddenUsers } = listenersOn(ports, 'any');
  // Init may hold the socket of a service that it starts on demand, and every process is its child.
  const roots = [process.pid, ...pids, ...named].filter((pid) => pid !== 1 || !table.complete);
  const own = treesOf(roots, now);
  const busy = now.filter((reading) => {
    const used = reading.ownSeconds - (before.get(idOf(reading))?.ownSeconds ?? reading.ownSeconds);
    return (
      used * 1e3 >= BUSY_SHARE * QUIET_MS && !own.has(reading.pid) && !hiddenUsers.includes(userOf(reading))
    );
  });
  return new Set(busy.map(({ pid }) => pid));
}

/** The user of a process; NaN where it has ended. */
function userOf({ pid }: ProcessReading): number {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return Number.NaN;
  }
}

/** The ports of a target and of its probed components. */
export function portsUnderTest(
  { worlds }: Endpoints,
  { metrics, redis, postgres }: Pick<ProbeAddresses, 'metrics' | 'redis' | 'postgres'>,
): ReadonlySet<number> {
  const [, database] = /:(\d+)$/.exec(postgres?.shown ?? '') ?? [];
  return new Set([
    ...[...worlds, ...metrics].map(({ url }) => portOf(new URL(url))),
    ...(redis === null ? [] : [redis.port]),
    ...(database === undefined ? [] : [Number(database)]),
  ]);
}

const idOf = ({ pid, started }: ProcessReading): string => `${pid} ${started}`;

/** The processes and all their descendants. */
function treesOf(roots: readonly number[], scan: readonly ProcessReading[]): ReadonlySet<number> {
  const pids = new Set(roots);
  for (let known = -1; known < pids.size; ) {
    known = pids.size;
    for (const { pid, parent } of scan) if (pids.has(parent)) pids.add(pid);
  }
  return pids;
}

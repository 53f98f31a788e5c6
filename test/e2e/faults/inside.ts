import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { processesIn } from '../../stack/leftovers.ts';
import { eventually, type Started } from '../capbench.ts';

/** A world server of the run, from outside: its process and what it was told. */
export function worldServers({ tmp }: Started): { pid: number; env: Record<string, string> }[] {
  return processesIn(tmp)
    .filter(({ command }) => command.includes('flux-server'))
    .flatMap(({ pid }) => {
      const env = environmentOf(pid);
      return env.TMPDIR === tmp && env.INSTANCE_ID !== undefined ? [{ pid, env }] : [];
    })
    .sort((a, b) => Number(a.env.INSTANCE_ID) - Number(b.env.INSTANCE_ID));
}

function environmentOf(pid: number): Record<string, string> {
  try {
    return Object.fromEntries(
      readFileSync(`/proc/${pid}/environ`, 'latin1')
        .split('\0')
        .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
  } catch {
    return {};
  }
}

/** A process of the run whose command line holds the text. */
export function processOf({ tmp }: Started, text: string): number {
  const found = processesIn(tmp).find(({ command }) => command.includes(text));
  if (found === undefined) throw new Error(`no process of the run has "${text}" in its command line`);
  return found.pid;
}

/** The run's own database, as somebody with the password would open it. */
export async function openDatabase(run: Started): Promise<pg.Client> {
  const world = await eventually('a world server', () => worldServers(run)[0], 60);
  const client = new pg.Client({
    host: world.env.DB_SOCKET_PATH ?? '',
    port: Number(world.env.DB_PORT),
    user: world.env.DB_USER ?? '',
    password: world.env.DB_PASSWORD ?? '',
    database: world.env.DB_NAME ?? '',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const appliedOperations = async (client: pg.Client): Promise<number> =>
  client.query<{ n: string }>('select coalesce(sum(applied_n), 0) as n from entity').then(
    ({ rows }) => Number(rows[0]?.n),
    () => 0,
  );

/** Resolves when the load is on, told from the rows. */
export const underLoad = (client: pg.Client): Promise<true> =>
  eventually('operations in the rows', async () => ((await appliedOperations(client)) > 0 ? true : null), 60);

export async function loadIsOn(run: Started): Promise<void> {
  const client = await openDatabase(run);
  await underLoad(client);
  await client.end();
}

/** The lock file of the run's PostgreSQL, line by line: its process first, its shared memory in the seventh. */
function postmasterLines({ tmp }: Started): string[] {
  for (const name of readdirSync(tmp)) {
    try {
      return readFileSync(join(tmp, name, 'data', 'postmaster.pid'), 'utf8').split('\n');
    } catch {
      // The folder of the load's processes.
    }
  }
  return [];
}

export const postmasterOf = (run: Started): number => Number(postmasterLines(run)[0]);

/** What a run holds beside its processes and folders, by names that the kernel gives to nobody else soon. */
export interface Held {
  /** System V shared memory, by id. */
  readonly segments: readonly string[];
  /** POSIX shared memory and sockets in the file system. */
  readonly files: readonly string[];
  /** Listening TCP sockets, by inode. */
  readonly listeners: readonly string[];
}

const listening = (): Set<string> =>
  new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
      readFileSync(table, 'latin1')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[3] === '0A')
        .map((fields) => fields[9] ?? ''),
    ),
  );

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

const mapsOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'latin1');
  } catch {
    return '';
  }
};

/** What the run holds now. */
export function heldBy(run: Started): Held {
  const all = listening();
  const pids = processesIn(run.tmp).map(({ pid }) => pid);
  const segment = postmasterLines(run)[6]?.trim().split(/\s+/)[1];
  return {
    segments: segment === undefined ? [] : [segment],
    files: [
      ...new Set(pids.flatMap((pid) => [...mapsOf(pid).matchAll(/\/dev\/shm\/\S+/g)].map(([path]) => path))),
    ],
    listeners: pids
      .flatMap(descriptorsOf)
      .flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [])
      .filter((inode) => all.has(inode)),
  };
}

/** What of it is still there. */
export function stillHeld({ segments, files, listeners }: Held): readonly string[] {
  const shared = new Set(
    readFileSync('/proc/sysvipc/shm', 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/)[1] ?? ''),
  );
  const memory = new Set(readdirSync('/dev/shm').map((name) => `/dev/shm/${name}`));
  const open = listening();
  return [
    ...segments.filter((id) => shared.has(id)).map((id) => `shared memory segment ${id}`),
    ...files.filter((path) => memory.has(path)),
    ...listeners.filter((inode) => open.has(inode)).map((inode) => `listening socket ${inode}`),
  ];
}

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { processesIn } from '../../stack/leftovers.ts';
import { eventually, type Started } from '../capbench.ts';

/** A world server of the run: its process and its environment. */
export function worldServers({ tmp }: Started): { pid: number; env: Record<string, string> }[] {
  return processesIn(tmp)
    .filter(({ command }) => command.includes('flux-server'))
    .flatMap(({ pid }) => {
      const pairs = environmentOf(pid).split('\0');
      const env = Object.fromEntries(
        pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
      );
      return env.TMPDIR === tmp && env.INSTANCE_ID !== undefined ? [{ pid, env }] : [];
    })
    .sort((a, b) => Number(a.env.INSTANCE_ID) - Number(b.env.INSTANCE_ID));
}

/** What the process has in one of its files in /proc; empty where it has ended. */
function factOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** `NAME=value` pairs, each ended by a NUL. */
export const environmentOf = (pid: number): string => factOf(pid, 'environ');

/** A process of the run whose command line holds the text. */
export function processOf({ tmp }: Started, text: string): number {
  const found = processesIn(tmp).find(({ command }) => command.includes(text));
  if (found === undefined) throw new Error(`no process of the run has "${text}" in its command line`);
  return found.pid;
}

/** The run's own database, opened with its password. */
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

/** The newest backend for sessions of such a name, as SQL's `like` has it. */
export async function backendOf(run: Started, application: string): Promise<number> {
  const client = await openDatabase(run);
  const { rows } = await client.query<{ pid: number }>(
    'select pid from pg_stat_activity where application_name like $1 order by backend_start desc limit 1',
    [application],
  );
  await client.end();
  if (rows[0] === undefined) throw new Error(`no session of ${application}`);
  return rows[0].pid;
}

const appliedOperations = async (client: pg.Client): Promise<number> =>
  client.query<{ n: string }>('select coalesce(sum(applied_n), 0) as n from entity').then(
    ({ rows }) => Number(rows[0]?.n),
    () => 0,
  );

/** Resolves when the rows show that the load has started. */
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

/** The listening sockets in a table of the kernel's: `/proc/net/tcp`. */
export const listening = (table: string): { readonly address: string; readonly inode: string }[] =>
  readFileSync(table, 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A')
    .map((fields) => ({ address: fields[1]?.split(':')[0] ?? '', inode: fields[9] ?? '' }));

const allListening = (): Set<string> =>
  new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap(listening).map(({ inode }) => inode));

/** The sockets of a process, by inode. */
export function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/** What the run holds now. */
export function heldBy(run: Started): Held {
  const all = allListening();
  const pids = processesIn(run.tmp).map(({ pid }) => pid);
  const segment = postmasterLines(run)[6]?.trim().split(/\s+/)[1];
  return {
    segments: segment === undefined ? [] : [segment],
    files: [
      ...new Set(
        pids.flatMap((pid) => [...factOf(pid, 'maps').matchAll(/\/dev\/shm\/\S+/g)].map(([path]) => path)),
      ),
    ],
    listeners: pids.flatMap(socketsOf).filter((inode) => all.has(inode)),
  };
}

/** The part of it that still exists. */
export function stillHeld({ segments, files, listeners }: Held): readonly string[] {
  const shared = new Set(
    readFileSync('/proc/sysvipc/shm', 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/)[1] ?? ''),
  );
  const memory = new Set(readdirSync('/dev/shm').map((name) => `/dev/shm/${name}`));
  const open = allListening();
  return [
    ...segments.filter((id) => shared.has(id)).map((id) => `shared memory segment ${id}`),
    ...files.filter((path) => memory.has(path)),
    ...listeners.filter((inode) => open.has(inode)).map((inode) => `listening socket ${inode}`),
  ];
}

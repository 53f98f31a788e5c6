import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { pidsNow } from './process-table.ts';

/** Who listens on a TCP port of this host. */
export interface Listeners {
  readonly pids: readonly number[];
  /** The users of listening sockets whose processes this user may not look into. */
  readonly hiddenUsers: readonly number[];
}

const LISTENING = '0A';
/** 0.0.0.0, 127.x.x.x, [::], [::1] and [::ffff:127.x.x.x], as proc_net_tcp(5) writes them: in the host's byte order. */
const LOCAL = /^(?:0{8}|[\dA-F]{6}7F|0{32}|0{24}01000000|0{16}FFFF0000[\dA-F]{6}7F)$/;

/**
 * The processes that hold a listening TCP socket on one of the ports. `local`: only on a loopback address or on all
 * addresses; else on any address.
 */
export function listenersOn(ports: ReadonlySet<number>, of: 'local' | 'any'): Listeners {
  const users = new Map<string, number>();
  for (const line of ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(linesOf)) {
    const [, local = '', , state, , , , user, , inode] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    if (state !== LISTENING || !ports.has(Number.parseInt(port, 16))) continue;
    if (of === 'any' || LOCAL.test(address)) users.set(`socket:[${inode}]`, Number(user));
  }
  if (users.size === 0) return { pids: [], hiddenUsers: [] };
  const held = new Set<string>();
  const pids = pidsNow().filter((pid) => {
    const own = descriptorsOf(pid)
      .map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
      .filter((link) => users.has(link));
    for (const link of own) held.add(link);
    return own.length > 0;
  });
  const hidden = [...users].flatMap(([link, user]) => (held.has(link) ? [] : [user]));
  return { pids, hiddenUsers: [...new Set(hidden)] };
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

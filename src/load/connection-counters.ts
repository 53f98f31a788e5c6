import { execFile } from 'node:child_process';
import os from 'node:os';
import { promisify } from 'node:util';
import { messageOf } from '../errors.ts';
import { connectionName, type SocketBytes } from './player/player-sockets.ts';

const LONGEST_MS = 5_000;
/** Of ss: up to 600 bytes for a connection. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * What the kernel has counted of each established TCP connection from this host to one of the ports, since it was opened: payload,
 * without headers and what was sent again. By the connection's name. ss asks the kernel for it (sock_diag(7)), which Node cannot:
 * 5 ms for 50 connections, 70 ms of CPU for 9,000, in a process of its own.
 * @throws Error that says why it is not known here
 */
export async function connectionCounters(
  ports: ReadonlySet<number>,
  program = 'ss',
): Promise<ReadonlyMap<string, SocketBytes>> {
  if (os.platform() !== 'linux') throw new Error('not reported on this platform');
  const filter = [...ports].flatMap((port, i) => [...(i === 0 ? [] : ['or']), 'dport', '=', `:${port}`]);
  try {
    const { stdout } = await promisify(execFile)(
      program,
      ['-tinH', 'state', 'established', '(', ...filter, ')'],
      {
        env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
        timeout: LONGEST_MS,
        maxBuffer: MOST_BYTES,
      },
    );
    return countersIn(stdout);
  } catch (thrown) {
    const isMissing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    throw new Error(
      isMissing
        ? `${program} is not installed here, which asks the kernel for it: it is part of iproute2`
        : `${program} did not tell: ${messageOf(thrown).split('\n').slice(0, 2).join(' ')}`,
    );
  }
}

/** From the output of `ss -tinH`: a connection, and in the same line or in the next what the kernel knows of it. */
export function countersIn(text: string): ReadonlyMap<string, SocketBytes> {
  const counters = new Map<string, SocketBytes>();
  for (const [, local = '', remote = '', rest = ''] of text.matchAll(CONNECTION)) {
    const sent = countIn(rest, ' bytes_sent:') - countIn(rest, ' bytes_retrans:');
    const received = countIn(rest, ' bytes_received:');
    counters.set(connectionName(endIn(local), endIn(remote)), { in: received, out: sent });
  }
  return counters;
}

/** Both queues, both ends, and what follows until the next line that is not indented. */
const CONNECTION = /^\d+ +\d+ +(\S+) +(\S+)(.*(?:\n[ \t].*)*)/gm;

/** It leaves out what is 0. */
function countIn(text: string, name: string): number {
  const at = text.indexOf(name);
  return at < 0 ? 0 : Number.parseInt(text.slice(at + name.length, at + name.length + 20), 10);
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`, `127.0.0.1%lo:80`. */
function endIn(text: string): { readonly address: string; readonly port: string } {
  const colon = text.lastIndexOf(':');
  const address = text.slice(0, colon);
  return {
    address: address.startsWith('[') ? address.replace(/[[\]]/g, '') : address,
    port: text.slice(colon + 1),
  };
}

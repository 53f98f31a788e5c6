import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Client, type Dispatcher } from 'undici';
import { connectorOptions, dialOptions, type Reachable } from '../address/access.ts';
import type { EdgeSettings } from '../scenario/edge.ts';
import { pause } from '../supervision/time-limit.ts';
import { toMillis } from '../units.ts';
import { HOST } from './server.ts';

/** What was seen of a proxy that runs. Null: it could not be seen, so that nothing is said about it. */
export interface EdgeReading {
  /** Connections of clients at once, as the proxy reports it. */
  readonly connections: number | null;
  /** How many good checks bring a server back, and how many bad ones leave it out, as the proxy reports it. */
  readonly rise: number | null;
  readonly fall: number | null;
  /** The time from one check to the next, as a server that it checks sees them (ms). */
  readonly checkMs: number | null;
  /** How many connections of one address it let in, at once and one after the other within the documented time. */
  readonly open: number | null;
  readonly opened: number | null;
  /** Length of the key of the certificate that it sends. */
  readonly keyBits: number | null;
}

export const NOT_READ: EdgeReading = {
  ...{ connections: null, rise: null, fall: null, checkMs: null },
  ...{ open: null, opened: null, keyBits: null },
};

/** The socket at which haproxy answers questions about itself, in its own folder. */
export const statsSocket = (folder: string): string => join(folder, 'stats');

/** A server that is only checked, and the name that haproxy knows it by. */
export const YARDSTICK = 'yardstick';

const ANSWER_MS = 2_000;
/** A start is not held up for longer by waiting for two checks. */
const MOST_CHECK_MS = 5_000;
/** An address that may have more connections than this is not tried. */
const MOST_TRIED = 200;
/** Addresses that no player has (load/limits.ts); only Linux has them. */
const TRIED = ['127.255.0.1', '127.255.0.2'] as const;

/** Whether it is worth a yardstick to see how often the proxy checks its servers. */
export const isTimed = ({ checks }: EdgeSettings): boolean =>
  checks !== undefined && toMillis(checks.every) <= MOST_CHECK_MS;

/** Reads what a haproxy that answers at `reached` does. A part that cannot be read is null. */
export async function readHaproxy(
  edge: EdgeSettings,
  reached: Reachable,
  folder: string,
  yardstick: Yardstick | null,
): Promise<EdgeReading> {
  const seen = <T>(reading: Promise<T>): Promise<T | null> => reading.catch(() => null);
  const [info, rows, checkMs, keyBits] = await Promise.all([
    seen(ask(folder, 'show info')),
    seen(ask(folder, 'show stat')),
    yardstick?.intervalMs() ?? null,
    edge.tls === undefined ? null : seen(keyBitsOf(reached)),
  ]);
  const connections = Number(/^Maxconn: (\d+)$/m.exec(info ?? '')?.[1] ?? Number.NaN);
  const checked = edge.checks === undefined ? null : columnsOf(rows ?? '', 'servers');
  // It stays in the configuration: without this it would be a server that is down.
  if (yardstick !== null) await seen(ask(folder, `disable health checked/${YARDSTICK}`));
  return {
    connections: Number.isInteger(connections) ? connections : null,
    rise: wholeOf(checked?.get('check_rise')),
    fall: wholeOf(checked?.get('check_fall')),
    ...{ checkMs, keyBits },
    ...(await triedLimits(edge, reached)),
  };
}

const wholeOf = (text: string | undefined): number | null => (/^\d+$/.test(text ?? '') ? Number(text) : null);

/** The first server's row of a backend in the answer to `show stat` (CSV), by column. */
function columnsOf(csv: string, backend: string): ReadonlyMap<string, string> {
  const [head = '', ...rows] = csv.replace(/^# /, '').split('\n');
  const names = head.split(',');
  const row = rows.map((line) => line.split(',')).find(([of, name]) => of === backend && name !== 'BACKEND');
  return new Map((row ?? []).map((value, i) => [names[i] ?? '', value]));
}

/** One question at its socket. */
async function ask(folder: string, question: string): Promise<string> {
  const socket = connect(statsSocket(folder));
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer')));
  socket.end(`${question}\n`);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

async function keyBitsOf(reached: Reachable): Promise<number | null> {
  const { hostname, port } = new URL(reached.url);
  const socket: TLSSocket = connectTls({ host: hostname, port: Number(port), ...dialOptions(reached) });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(ANSWER_MS) });
    return socket.getPeerCertificate().bits ?? null;
  } finally {
    socket.destroy();
  }
}

/** A server of capbench's own that the proxy checks as it checks the others. */
export interface Yardstick {
  readonly address: string;
  /** The time between two checks in ms; null where they do not come. */
  intervalMs(): Promise<number | null>;
  close(): void;
}

export async function openYardstick({ checks }: EdgeSettings): Promise<Yardstick> {
  const times: number[] = [];
  const server = createServer((_, response) => {
    times.push(performance.now());
    response.end('ok');
  }).listen({ host: HOST, port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const everyMs = checks === undefined ? 0 : toMillis(checks.every);
  return {
    address: `${HOST}:${port}`,
    async intervalMs() {
      const until = performance.now() + 3 * everyMs + ANSWER_MS;
      while (times.length < 3 && performance.now() < until) await pause(10);
      // The first check of a proxy that starts may come at another time than the rest.
      const [, first, second] = times;
      return first === undefined || second === undefined ? null : Math.round(second - first);
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** How many connections of one address the proxy lets in. The limits count what is closed as well, so each has its own address. */
async function triedLimits(
  { perAddress }: EdgeSettings,
  reached: Reachable,
): Promise<Pick<EdgeReading, 'open' | 'opened'>> {
  if (perAddress === undefined || process.platform !== 'linux') return { open: null, opened: null };
  const { open, opened, within } = perAddress;
  const withinMs = toMillis(within);
  const tried = async (localAddress: string, most: number, isKept: boolean): Promise<number | null> => {
    if (most > MOST_TRIED) return null;
    const began = performance.now();
    const count = await letIn(reached, localAddress, most, isKept);
    // Of those that were closed, the first would no longer be counted.
    return isKept || performance.now() - began < withinMs ? count : null;
  };
  return {
    // An address that may not open so many cannot have them, either.
    open: open + 1 > opened ? null : await tried(TRIED[0], open + 1, true),
    opened: await tried(TRIED[1], opened + 1, false),
  };
}

/** How many of so many connections are answered before the first that is not. */
async function letIn(
  reached: Reachable,
  localAddress: string,
  most: number,
  isKept: boolean,
): Promise<number> {
  const clients: Client[] = [];
  const connectOptions = connectorOptions(reached);
  try {
    for (let count = 0; count < most; count++) {
      const client = new Client(reached.url, {
        localAddress,
        ...(connectOptions === null ? {} : { connect: connectOptions }),
      });
      clients.push(client);
      if (!(await isAnswered(client))) return count;
      if (!isKept) await client.destroy();
    }
    return most;
  } finally {
    await Promise.all(clients.map((client) => client.destroy()));
  }
}

async function isAnswered(client: Dispatcher): Promise<boolean> {
  try {
    const { body } = await client.request({
      ...{ method: 'GET', path: '/health', signal: AbortSignal.timeout(ANSWER_MS) },
    });
    await body.dump();
    return true;
  } catch {
    return false;
  }
}

import type { Server } from 'node:net';
import { EXIT, messageOf } from '../errors.ts';

/** What a process that listens says over its channel, once, when it answers. */
export interface Ready {
  readonly type: 'ready';
  readonly port: number;
  /** Base address, without a slash at the end, where it is not `http://<host>:<port>`. */
  readonly url?: string;
  /** Of a null server: what is calibrated against it, and what is not, in a phrase. */
  readonly calibrates?: string;
}

/** Players connect by the thousand when a run begins. */
const BACKLOG = 4_096;

/** Resolves with the port at which it listens now; PORT says which, and 0 or nothing is a free one. */
export const listen = (server: Server, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port: Number(process.env.PORT ?? 0), backlog: BACKLOG }, () => {
      server.off('error', reject).on('error', fail);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

/**
 * The life of a process that only listens: `start` makes it answer at HOST, then it says so, and it ends with its
 * parent. What `start` throws is its last line on stderr.
 */
export async function serve(start: (host: string) => Promise<Omit<Ready, 'type'>>): Promise<void> {
  for (const end of ['disconnect', 'SIGTERM'] as const) process.on(end, () => process.exit(EXIT.pass));
  // Ctrl-C reaches every process of the terminal: a parent that is there says itself when to stop.
  process.on('SIGINT', () => {
    if (process.channel === undefined) process.exit(EXIT.pass);
  });
  const { HOST: host = '127.0.0.1' } = process.env;
  try {
    const ready: Ready = { type: 'ready', ...(await start(host)) };
    process.stderr.write(`It listens at ${ready.url ?? `http://${host}:${ready.port}`}.\n`);
    // The parent may be gone by now: its 'disconnect' follows.
    process.send?.(ready, undefined, undefined, () => undefined);
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): never {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(EXIT.stackFailed);
}

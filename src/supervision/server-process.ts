import type { Server } from 'node:net';
import { EXIT, messageOf } from '../errors.ts';

/** The message that a server process sends over its IPC channel, once it answers. */
export interface Ready {
  readonly type: 'ready';
  readonly port: number;
  /** Base address, without a slash at the end, where it differs from `http://<host>:<port>`. */
  readonly url?: string;
  /** Of a null server: a phrase that states which part is calibrated against it, and which is not. */
  readonly calibrates?: string;
}

/** Thousands of players connect when a run begins. */
const BACKLOG = 4_096;

/** Listens at PORT, or at a free port where that is 0 or not set. Resolves to the port. */
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
 * Runs a server process: `start` makes it listen at HOST, a Ready message follows, and the process ends with its
 * parent. An error of `start` is the last line on stderr.
 */
export async function serve(start: (host: string) => Promise<Omit<Ready, 'type'>>): Promise<void> {
  for (const end of ['disconnect', 'SIGTERM'] as const) process.on(end, () => process.exit(EXIT.pass));
  // Ctrl-C reaches every process of the terminal; with a parent, the parent decides when to stop.
  process.on('SIGINT', () => {
    if (process.channel === undefined) process.exit(EXIT.pass);
  });
  const { HOST: host = '127.0.0.1' } = process.env;
  try {
    const ready: Ready = { type: 'ready', ...(await start(host)) };
    process.stderr.write(`listening at ${ready.url ?? `http://${host}:${ready.port}`}\n`);
    // If the parent has already ended, 'disconnect' follows.
    process.send?.(ready, undefined, undefined, () => undefined);
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): never {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(EXIT.stackFailed);
}

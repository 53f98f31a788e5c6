import { stackFailed } from '../errors.ts';
import { describeExit, type NodeProcess } from './process.ts';
import type { Ready } from './server-process.ts';
import { settlesWithin, within } from './time-limit.ts';

/**
 * Waits for the Ready message of a server process.
 * @throws CapbenchError (93) with the last lines of its log when there is none within `limit` milliseconds
 */
export async function readyOf(server: NodeProcess, limit: number): Promise<Ready> {
  let received: Ready | null = null;
  const ready = new Promise<Ready>((resolve) => {
    server.onMessage((message) => {
      received ??= isReady(message) ? message : null;
      if (received !== null) resolve(received);
    });
  });
  const inTime = await settlesWithin(Promise.race([ready, server.exited]), limit);
  if (received !== null) return received;
  if (!inTime) throw notReady(server, `was not ready ${within(limit)}`);
  throw notReady(server, `ended while starting: ${describeExit(await server.exited)}`);
}

const isReady = (message: unknown): message is Ready =>
  typeof message === 'object' &&
  message !== null &&
  'type' in message &&
  message.type === 'ready' &&
  'port' in message &&
  typeof message.port === 'number';

function notReady(server: NodeProcess, happened: string) {
  const log = server.tail();
  const hint = /EADDRINUSE/.test(log)
    ? 'choose another --port, or omit it to use a free one'
    : 'see the last lines of its log above';
  const lines = log === '' ? '' : `\n${log.replace(/^/gm, '  | ')}`;
  return stackFailed(`${server.name} ${happened}${lines}`, hint);
}

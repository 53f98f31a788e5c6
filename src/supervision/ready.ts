import { stackFailed } from '../errors.ts';
import { describeExit, type NodeProcess } from './process.ts';
import type { Ready } from './server-process.ts';
import { settlesWithin, within } from './time-limit.ts';

/**
 * What a process that listens says when it answers.
 * @throws CapbenchError (93) with the last lines of its log, when it does not within `limit` milliseconds
 */
export async function readyOf(server: NodeProcess, limit: number): Promise<Ready> {
  let said: Ready | null = null;
  const ready = new Promise<Ready>((resolve) => {
    server.onMessage((message) => {
      said ??= isReady(message) ? message : null;
      if (said !== null) resolve(said);
    });
  });
  const inTime = await settlesWithin(Promise.race([ready, server.exited]), limit);
  if (said !== null) return said;
  if (!inTime) throw notReady(server, `was not ready ${within(limit)}`);
  throw notReady(server, `ended while it started: ${describeExit(await server.exited)}`);
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
    ? 'choose another --port, or none: a free one is taken then'
    : 'see the last lines of its log above';
  const lines = log === '' ? '' : `\n${log.replace(/^/gm, '  | ')}`;
  return stackFailed(`${server.name} ${happened}${lines}`, hint);
}

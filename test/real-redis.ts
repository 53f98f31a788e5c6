import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lookForRedis } from '../src/stack/redis-program.ts';
import { stablePort } from '../src/supervision/stable-port.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A real Redis server of a test's own, on loopback, without persistence. */
export interface RealRedis {
  readonly url: string;
  readonly port: number;
  /** Sends it a signal: SIGSTOP, SIGCONT. */
  signal(name: NodeJS.Signals): void;
  /** Kills it; resolves once it has ended. */
  kill(): Promise<void>;
  /** Starts it again, empty, at the same port; resolves once it listens. */
  start(): Promise<void>;
}

/** The program's path, or null where this host has none. */
export const REDIS = (await lookForRedis(process.env))?.path ?? null;

const PASSWORD = 'of-these-tests-alone';

/** @param atTheEnd as for a temporary folder */
export async function startRealRedis(
  atTheEnd: (end: () => void | Promise<void>) => void,
): Promise<RealRedis> {
  const folder = temporaryFolder(atTheEnd);
  const port = await stablePort('127.0.0.1');
  let server: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const options = {
      port,
      bind: '127.0.0.1',
      dir: folder,
      save: '',
      appendonly: 'no',
      requirepass: PASSWORD,
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const started = spawn(REDIS ?? '', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    server = started;
    let log = '';
    for await (const chunk of started.stdout.setEncoding('utf8')) {
      log += chunk;
      if (log.includes('Ready to accept connections')) break;
    }
    if (started.exitCode !== null || !log.includes('Ready')) throw new Error(`Redis did not start:\n${log}`);
  };
  const kill = async (): Promise<void> => {
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  atTheEnd(kill);
  await start();
  return {
    port,
    url: `redis://:${PASSWORD}@127.0.0.1:${port}/0`,
    signal: (name) => server?.kill(name),
    kill,
    start,
  };
}

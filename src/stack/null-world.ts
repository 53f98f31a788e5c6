import { tmpdir } from 'node:os';
import { withToken } from '../address/access.ts';
import { bundleFile } from '../supervision/bundle-file.ts';
import { describeExit, startProcess } from '../supervision/process.ts';
import { openRunFolder } from '../supervision/run-folder.ts';
import { START_LIMITS } from '../supervision/start-limits.ts';
import { unlessAborted } from '../supervision/time-limit.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import type { Endpoints, StackFailure } from './stack.ts';
import { readyPort } from './world-server.ts';

export interface NullWorldOptions {
  readonly players: number;
  readonly monsters: number;
  readonly servers: number;
  /** Of the run; without one everybody may speak to it. */
  readonly token?: string;
  readonly watchdog: Watchdog;
  /** Aborts a start in progress. */
  readonly signal: AbortSignal;
}

/** The servers of a null world, which answer everything at once and do nothing. */
export interface OpenNullWorld {
  readonly endpoints: Endpoints;
  /** Settles (never rejects) when one of them ended that was not told to, or the watchdog; pending for ever otherwise. */
  readonly failure: Promise<StackFailure>;
  /** Resolves when their processes and their folder are gone. Idempotent. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const NEVER = new Promise<never>(() => {});

/**
 * Starts a null world of as many servers as the real one has, a process each: a fleet then opens the same
 * connections to the same number of destinations, and finds as many descriptors. Rejects with exit code 93,
 * or with the signal's reason; all that was started is gone then.
 */
export async function openNullWorld(options: NullWorldOptions): Promise<OpenNullWorld> {
  const { players, monsters, servers, token = '', watchdog, signal } = options;
  signal.throwIfAborted();
  const folder = await openRunFolder(watchdog, [tmpdir()], null, 'files');
  const stops: (() => Promise<unknown>)[] = [];
  const ends: Promise<StackFailure>[] = [watchdog.lost];
  const close = async (): Promise<void> => {
    await Promise.all(stops.map((stop) => stop()));
    await folder.remove();
  };
  const start = async (instance: number) => {
    const name = `null-world-${instance}`;
    const server = await startProcess({
      name,
      module: bundleFile('world-null'),
      env: {
        ...{ HOST, PORT: '0', INSTANCE_ID: String(instance), INSTANCES: String(servers) },
        ...{ PLAYERS: String(players), MONSTERS: String(monsters), TOKEN: token },
      },
      log: folder.file(`${name}.log`),
      watchdog,
    });
    stops.push(() => server.stop());
    ends.push(
      server.exited.then((exit) =>
        server.stopping
          ? NEVER
          : {
              component: name,
              message: `what the generator is calibrated on ended by itself: ${describeExit(exit)}`,
              hint:
                exit.signal === 'SIGKILL'
                  ? 'see whether the host ran out of memory'
                  : `it said: ${server.tail(3)}`,
            },
      ),
    );
    const port = await unlessAborted(readyPort(server, START_LIMITS.world), signal);
    return { url: `http://${HOST}:${port}`, ...withToken(token), pid: server.pid };
  };
  const starts = Array.from({ length: servers }, (_, i) => start(i + 1));
  try {
    const worlds = await Promise.all(starts);
    return { endpoints: { worlds, database: null }, failure: Promise.race(ends), close };
  } catch (error) {
    // One that is still starting would be missed by close.
    await Promise.allSettled(starts);
    await close();
    throw error;
  }
}

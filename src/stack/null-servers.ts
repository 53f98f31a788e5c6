import { tmpdir } from 'node:os';
import { withToken } from '../address/access.ts';
import { describeExit, startProcess } from '../supervision/process.ts';
import { readyOf } from '../supervision/ready.ts';
import { openRunFolder } from '../supervision/run-folder.ts';
import { START_LIMITS, unlessAborted } from '../supervision/time-limit.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import type { ServerProcess, StartContext } from './component-spec.ts';
import { HOST } from './server.ts';
import type { Endpoints } from './stack.ts';

/** Servers that answer everything at once and do nothing. */
export interface NullServers {
  readonly endpoints: Endpoints;
  /** What is calibrated against them, and what is not, in a phrase; null where there is nothing to say. */
  readonly calibrates: string | null;
  /** Settles (never rejects) when one of them ended that was not told to, or the watchdog; pending for ever otherwise. */
  readonly failure: Promise<StackFailure>;
  /** Resolves when their processes and their folder are gone. Idempotent. */
  close(): Promise<void>;
}

const NEVER = new Promise<never>(() => {});

/**
 * Starts them all: as many as the real ones, so that a fleet opens the same connections to the same number of
 * destinations, and finds as many descriptors. Rejects with exit code 93, or with the signal's reason; all that was
 * started is gone then.
 */
export async function openNullServers(
  processes: readonly ServerProcess[],
  { token, watchdog, signal }: Pick<StartContext, 'token' | 'watchdog' | 'signal'>,
): Promise<NullServers> {
  signal.throwIfAborted();
  const folder = await openRunFolder(watchdog, [tmpdir()], null, 'files');
  const stops: (() => Promise<unknown>)[] = [];
  const ends: Promise<StackFailure>[] = [watchdog.lost];
  const close = async (): Promise<void> => {
    await Promise.all(stops.map((stop) => stop()));
    await folder.remove();
  };
  const start = async ({ name, module, execArgv = [], env }: ServerProcess) => {
    const server = await startProcess({
      ...{ name, module, execArgv, watchdog },
      env: { HOST, PORT: '0', ...env },
      log: folder.file(`${name}.log`),
    });
    stops.push(() => server.stop());
    ends.push(
      server.exited.then((exit) =>
        server.stopping
          ? NEVER
          : {
              component: name,
              message: `what the generator is calibrated on ended unexpectedly: ${describeExit(exit)}`,
              hint:
                exit.signal === 'SIGKILL'
                  ? 'see whether the host ran out of memory'
                  : `it said: ${server.tail(3)}`,
            },
      ),
    );
    const { port, url, calibrates } = await unlessAborted(readyOf(server, START_LIMITS.world), signal);
    const world = { url: url ?? `http://${HOST}:${port}`, ...withToken(token), pid: server.pid };
    return { world, calibrates };
  };
  const starts = processes.map(start);
  try {
    const started = await Promise.all(starts);
    const worlds = started.map(({ world }) => world);
    const calibrates = started[0]?.calibrates ?? null;
    return { endpoints: { worlds, database: null }, calibrates, failure: Promise.race(ends), close };
  } catch (error) {
    // One that is still starting would be missed by close.
    await Promise.allSettled(starts);
    await close();
    throw error;
  }
}

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

/** Servers that answer every request at once and do nothing else. */
export interface NullServers {
  readonly endpoints: Endpoints;
  /** A phrase that states which part is calibrated against them; null where everything is. */
  readonly calibrates: string | null;
  /** Settles (never rejects) when one of them or the watchdog ended unexpectedly; stays pending otherwise. */
  readonly failure: Promise<StackFailure>;
  /** Resolves when their processes have ended and their folder is removed. Idempotent. */
  close(): Promise<void>;
}

const NEVER = new Promise<never>(() => {});

/**
 * Starts as many null servers as there are real ones, so that a fleet opens the same connections to the same number of
 * destinations. Rejects with exit code 93, or with the signal's reason; everything that was started has ended by then.
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
              message: `the null server of the calibration ended unexpectedly: ${describeExit(exit)}`,
              hint:
                exit.signal === 'SIGKILL'
                  ? 'check whether the host ran out of memory'
                  : `its last output: ${server.tail(3)}`,
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
    // close() ends only those that have started.
    await Promise.allSettled(starts);
    await close();
    throw error;
  }
}

import type { Server } from 'node:http';
import { CapbenchError, EXIT, messageOf, stackFailed } from '../errors.ts';
import { listen } from '../supervision/server-process.ts';

/** A server of a world, which the frame listens for, reports ready and ends. */
export interface World {
  /** For its log: "Flux world server 1 of 2". */
  readonly name: string;
  readonly host: string;
  readonly server: Server;
  /** After it listens, and before it is reported ready. */
  start?(): Promise<void>;
  /** Takes nothing more, keeps what was acknowledged, and closes its connections. */
  close(): Promise<void>;
}

/** What a world may do with its process. */
export interface WorldProcess {
  log(sentence: string): void;
  /** Ends the process at once with exit code 1; what was not acknowledged may not be kept. */
  fatal(why: string): never;
}

/** Time limit of a clean shutdown. */
const STOP_MS = 4_500;

const log = (sentence: string): void => {
  process.stderr.write(`${sentence}\n`);
};

/**
 * Runs the process of a world server: it listens at HOST and PORT, a Ready message follows, and it closes on SIGTERM or
 * with its parent. An error is on stderr, and decides the exit code.
 */
export async function serveWorld(
  open: (env: NodeJS.ProcessEnv, own: WorldProcess) => Promise<World> | World,
): Promise<void> {
  let name = 'The world server';
  const fatal = (why: string): never => {
    log(`${name} ends: ${why}. Unacknowledged operations may not have been written.`);
    process.exit(EXIT.bug);
  };
  try {
    const world = await open(process.env, { log, fatal });
    name = world.name;
    stopOnRequest(world);
    const port = await listen(world.server, world.host).catch((error: unknown) => {
      throw stackFailed(
        `The world server cannot listen at ${world.host}:${process.env.PORT ?? 0}: ${messageOf(error)}`,
        'Choose another PORT, or PORT=0 for a free one.',
      );
    });
    await world.start?.();
    log(`${name} listens at http://${world.host}:${port}.`);
    // If the parent has ended, this fails and 'disconnect' follows.
    process.send?.({ type: 'ready', port }, undefined, undefined, () => undefined);
  } catch (error) {
    fail(error);
  }
}

function stopOnRequest(world: World): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      log(
        `${world.name} could not write all queued operations within ${STOP_MS} ms: the rest stays unacknowledged.`,
      );
      process.exit(EXIT.bug);
    }, STOP_MS);
    world.server.close();
    world.close().then(() => process.exit(EXIT.pass), fail);
  };
  process.on('SIGTERM', stop);
  process.on('disconnect', stop);
  // Ctrl-C reaches every process of the terminal; with a parent, the parent decides when to stop.
  process.on('SIGINT', () => {
    if (process.channel === undefined) stop();
  });
}

function fail(error: unknown): never {
  log(messageOf(error));
  if (error instanceof CapbenchError && error.hint !== undefined) log(error.hint);
  if (!(error instanceof CapbenchError) && error instanceof Error) log(error.stack ?? '');
  process.exit(error instanceof CapbenchError ? error.exitCode : EXIT.bug);
}

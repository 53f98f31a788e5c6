import { CapbenchError, EXIT, messageOf, stackFailed } from '../../../errors.ts';
import { listen } from '../../../supervision/server-process.ts';
import { readConfig } from './config.ts';
import { createHttpServer } from './http.ts';
import { World } from './world.ts';

/** The process of one flux world server. */

/** Time limit of a clean shutdown. */
const STOP_MS = 4_500;

const log = (sentence: string): void => {
  process.stderr.write(`${sentence}\n`);
};

function fail(error: unknown): never {
  log(messageOf(error));
  if (error instanceof CapbenchError && error.hint !== undefined) log(error.hint);
  if (!(error instanceof CapbenchError) && error instanceof Error) log(error.stack ?? '');
  process.exit(error instanceof CapbenchError ? error.exitCode : EXIT.bug);
}

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const name = `Flux world server ${config.instance} of ${config.instances}`;
  const fatal = (why: string): never => {
    log(`${name} ends: ${why}. Unacknowledged operations may not have been written.`);
    process.exit(EXIT.bug);
  };
  const world = new World(config, fatal, log);
  const server = createHttpServer(world);

  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      log(
        `${name} could not write all queued operations within ${STOP_MS} ms: the rest stays unacknowledged.`,
      );
      process.exit(EXIT.bug);
    }, STOP_MS);
    server.close();
    world.close().then(() => process.exit(EXIT.pass), fail);
  };
  process.on('SIGTERM', stop);
  process.on('disconnect', stop);
  // Ctrl-C reaches every process of the terminal; with a parent, the parent decides when to stop.
  process.on('SIGINT', () => {
    if (process.channel === undefined) stop();
  });

  const port = await listen(server, config.host).catch((error: unknown) => {
    throw stackFailed(
      `The world server cannot listen at ${config.host}:${config.port}: ${messageOf(error)}`,
      'Choose another PORT, or PORT=0 for a free one.',
    );
  });
  await world.open();
  log(`${name} listens at http://${config.host}:${port}.`);
  // If the parent has ended, this fails and 'disconnect' follows.
  process.send?.({ type: 'ready', port }, undefined, undefined, () => undefined);
}

main().catch(fail);

import { serveWorld } from '../../../server/frame.ts';
import { readConfig } from './config.ts';
import { createHttpServer } from './http.ts';
import { World } from './world.ts';

/** The process of one flux world server. */
await serveWorld((env, { log, fatal }) => {
  const config = readConfig(env);
  const world = new World(config, fatal, log);
  return {
    name: `Flux world server ${config.instance} of ${config.instances}`,
    host: config.host,
    server: createHttpServer(world),
    start: () => world.open(),
    close: () => world.close(),
  };
});

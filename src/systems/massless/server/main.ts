import { messageOf } from '../../../errors.ts';
import { serveWorld } from '../../../server/frame.ts';
import { loadColyseus } from './colyseus.ts';
import { readConfig } from './config.ts';
import { openMasslessServer } from './massless-server.ts';

// Colyseus checks more, and prints more, elsewhere.
process.env.NODE_ENV ??= 'production';

/** How promises fail that Colyseus leaves to themselves while Redis is away. */
const OF_REDIS =
  /^(Connection is closed|Reached the max retries|LOADING|ipc_timeout|.*(ECONNREFUSED|ECONNRESET|EPIPE))/;

process.on('unhandledRejection', (error) => {
  if (!OF_REDIS.test(messageOf(error))) throw error;
});

/** The process of one server of zones. */
await serveWorld(async (env, own) => {
  const config = readConfig(env);
  return openMasslessServer(config, await loadColyseus(), own);
});

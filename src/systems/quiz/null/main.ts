import { openHttpFrame } from '../../../server/http-frame.ts';
import { listen, serve } from '../../../supervision/server-process.ts';
import { LONGEST_FRAME, PLAY_PATH } from '../wire.ts';
import { nullWorld } from './server.ts';

/** The process of one null server, which answers players at once and keeps nothing. */
const { TOKEN: token = '', QUESTIONS = '10' } = process.env;
const { play } = nullWorld(Number(QUESTIONS));
const server = openHttpFrame({
  ...{ token, state: () => 'open', health: () => ({ status: 'ok' }), metrics: () => '' },
  sockets: { [PLAY_PATH]: () => play },
  maxPayload: LONGEST_FRAME,
});

await serve(async (host) => ({ port: await listen(server, host) }));

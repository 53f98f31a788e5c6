import { openHttpFrame, type Route, refuse } from '../../../server/http-frame.ts';
import { listen, serve } from '../../../supervision/server-process.ts';
import { openColyseus } from '../colyseus.ts';
import { SEAT_PATH } from '../wire.ts';
import { openNullZone, ROOM_PATH, type StateEncoding } from './server.ts';

/** The process of one null server: a room whose inputs, trades and transfers are acknowledged and kept nowhere. */
const env = process.env;
const whole = (name: string, fallback: number): number => Number(env[name] ?? fallback);
const LONGEST_BODY = 4_096;
const TICK_MS = 50;

await serve(async (host) => {
  const schema: unknown = await import('@colyseus/schema');
  const zone = openNullZone(schema as StateEncoding, await openColyseus(), {
    zoneSize: whole('ZONE_SIZE', 256),
    itemsPerCharacter: whole('ITEMS_PER_CHARACTER', 10),
    decodesOneOf: whole('DECODES_ONE_OF', 20),
    servers: whole('SERVERS', 1),
  });
  const seat: Route = ({ request, response, checkToken }) => {
    const refusal = checkToken(request);
    if (refusal !== null) return refuse(response, refusal);
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body = (body + chunk).slice(0, LONGEST_BODY);
    });
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(zone.reserve(JSON.parse(body))));
    });
  };
  const server = openHttpFrame({
    ...{ token: env.TOKEN ?? '', state: () => 'open', health: () => ({ status: 'ok' }), metrics: () => '' },
    routes: { [`POST ${SEAT_PATH}`]: seat },
    sockets: { [ROOM_PATH]: (url) => (socket) => zone.play(socket, url.searchParams.get('sessionId') ?? '') },
  });
  setInterval(() => zone.tick(), TICK_MS);
  return { port: await listen(server, host) };
});

import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { isRefusal, type Refusal, type TokenCheck } from './token-check.ts';
import type { World } from './world.ts';

const MAX_FRAME_BYTES = 1_024;

/** Handles an upgraded connection. */
type Admit = (client: WebSocket) => void;

/** Accepts players at `/play` and generators at `/commits`; refusals are answered before the upgrade. */
export function answerUpgrades(
  server: Server,
  world: World,
  checkToken: TokenCheck,
  urlOf: (request: IncomingMessage) => URL | undefined,
): void {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    clientTracking: false,
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const admit = checkToken(request) ?? admissionOf(world, urlOf(request));
    if (isRefusal(admit)) {
      refuseUpgrade(socket, admit);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => undefined); // its 'close' follows
      admit(client);
    });
  });
}

function admissionOf(world: World, url: URL | undefined): Admit | Refusal {
  if (world.state !== 'open') return { status: 503, why: `the server is ${world.state}` };
  if (url?.pathname === '/play') return playerAdmission(world, url.searchParams.get('player') ?? '');
  if (url?.pathname === '/commits') return generatorAdmission(world, url.searchParams.get('generator'));
  return { status: 404, why: 'there is no such WebSocket here' };
}

function playerAdmission(world: World, id: string): Admit | Refusal {
  if (!/^\d{1,9}$/.test(id)) return { status: 400, why: 'player=<id> is missing or malformed' };
  const player = world.entities.indexOf(Number(id));
  if (player === -1 || player >= world.entities.players) {
    return { status: 404, why: `${id} is not a player of this server` };
  }
  if (world.players.isConnected(player)) return { status: 409, why: `${id} is already connected` };
  return (client) => world.players.admit(player, client);
}

function generatorAdmission(world: World, id: string | null): Admit | Refusal {
  const generator = world.generators.find(id);
  if (generator === undefined) return { status: 400, why: 'generator=<id> is missing or malformed' };
  if (generator.connected) return { status: 409, why: `${generator.id} is already connected` };
  return (client) => world.attachGenerator(generator, client);
}

function refuseUpgrade(socket: Duplex, { status, why }: Refusal): void {
  const body = JSON.stringify({ error: why });
  // Nothing reads from the socket any more, so the end of the client would not be noticed.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Door, isRefusal, type Refusal } from './door.ts';
import type { World } from './world.ts';

const MAX_FRAME_BYTES = 1_024;

/** Takes over an upgraded connection. */
type Admit = (client: WebSocket) => void;

/** Players at `/play`, generators at `/commits`; a refusal is answered before the upgrade. */
export function answerUpgrades(
  server: Server,
  world: World,
  door: Door,
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
    const admit = door(request) ?? admissionOf(world, urlOf(request));
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
  if (!/^\d{1,9}$/.test(id)) return { status: 400, why: 'player=<id> is missing or no id' };
  const player = world.entities.indexOf(Number(id));
  if (player === -1 || player >= world.entities.players) {
    return { status: 404, why: `${id} is no player of this server` };
  }
  if (world.players.isConnected(player)) return { status: 409, why: `${id} is connected already` };
  return (client) => world.players.admit(player, client);
}

function generatorAdmission(world: World, id: string | null): Admit | Refusal {
  const generator = world.generators.named(id);
  if (generator === undefined) return { status: 400, why: 'generator=<id> is missing or no id' };
  if (generator.connected) return { status: 409, why: `${generator.id} is connected already` };
  return (client) => world.attachGenerator(generator, client);
}

function refuseUpgrade(socket: Duplex, { status, why }: Refusal): void {
  const body = JSON.stringify({ error: why });
  // Nobody reads from it any more: the other side's end would never be seen.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

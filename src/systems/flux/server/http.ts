import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { type Admit, openHttpFrame, refuse } from '../../../server/http-frame.ts';
import { isRefusal, type Refusal, type TokenCheck } from '../../../server/token-check.ts';
import { type Commands, readCommands } from './commands.ts';
import type { Generator } from './generators.ts';
import type { World } from './world.ts';

const PROTOCOL = 1;
const MAX_BODY_BYTES = 2 ** 20;

/** The HTTP server of a world, with the paths of the flux world protocol. */
export function createHttpServer(world: World): Server {
  const server = openHttpFrame({
    token: world.config.token,
    health: () => healthOf(world),
    state: () => world.state,
    metrics: () => world.renderMetrics(),
    routes: {
      'POST /commands': ({ url, request, response, checkToken }) =>
        receivePost(world, checkToken, url.searchParams, request, response),
    },
    sockets: {
      '/play': ({ searchParams }) => playerAdmission(world, searchParams.get('player') ?? ''),
      '/commits': ({ searchParams }) => generatorAdmission(world, searchParams.get('generator')),
    },
  });
  server.on('connection', (socket) => CONNECTED_AT.set(socket, performance.now()));
  return server;
}

/** When each connection was accepted, in ms of performance.now(). */
const CONNECTED_AT = new WeakMap<Socket, number>();
const connectedAt = ({ socket }: IncomingMessage): number => CONNECTED_AT.get(socket) ?? 0;

function healthOf({ config, entities, state, isDatabaseDown }: World) {
  return {
    status: state === 'open' ? 'ok' : 'starting',
    world: 'flux',
    protocol: PROTOCOL,
    instance: config.instance,
    instances: config.instances,
    playersTotal: config.players,
    monstersTotal: config.monsters,
    players: entities.partition.players,
    monsters: entities.partition.monsters,
    rowShape: config.rowShape,
    database: isDatabaseDown ? 'reconnecting' : 'connected',
  };
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

/** The query of a `POST /commands`. */
interface Post {
  readonly generator: Generator;
  readonly number: number;
}

function postOf(
  world: World,
  checkToken: TokenCheck,
  query: URLSearchParams,
  request: IncomingMessage,
): Post | Refusal {
  const refusal = checkToken(request);
  if (refusal !== null) return refusal;
  if (world.state !== 'open') return { status: 503, why: `the server is ${world.state}` };
  const generator = world.generators.find(query.get('generator'));
  if (generator === undefined) return { status: 400, why: 'generator=<id> is missing or malformed' };
  if (!generator.acceptsPostsOver(connectedAt(request))) {
    return {
      status: 409,
      why: `the commit socket of ${generator.id} has closed: open another one, and post over new connections`,
    };
  }
  const number = Number(query.get('post') || Number.NaN);
  if (!Number.isSafeInteger(number) || number < 0)
    return { status: 400, why: 'post=<number> is missing or malformed' };
  if (request.headers['content-type']?.split(';')[0]?.trim() !== 'application/json') {
    return { status: 400, why: 'the content type is not application/json' };
  }
  return { generator, number };
}

/** Reads the body of a post and submits its commands; the rest of a refused body is read and dropped. */
function receivePost(
  world: World,
  checkToken: TokenCheck,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const post = postOf(world, checkToken, query, request);
  if (isRefusal(post)) {
    refuse(response, post);
    return;
  }
  let size = 0;
  let chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) {
      chunks.push(chunk);
    } else if (!response.headersSent) {
      chunks = [];
      refuse(response, { status: 413, why: `the body is larger than ${MAX_BODY_BYTES} bytes` });
    }
  });
  request.on('end', () => {
    if (size > MAX_BODY_BYTES) return;
    world.metrics.bytesIn += size;
    const body = (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString();
    const commands = readCommands(body, world.entities);
    if (isRefusal(commands)) refuse(response, commands);
    else submit(world, post, commands, response);
  });
}

/** Answers 202 once the commands are queued, however long that takes: this is the backpressure on generators. */
function submit(world: World, post: Post, commands: Commands, response: ServerResponse): void {
  world.admission.submit(post.generator, post.number, commands, (refusal) => {
    if (refusal !== null) {
      refuse(response, refusal);
      return;
    }
    const accepted = `{"accepted":${commands.count}}`;
    world.metrics.bytesOut += accepted.length;
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': accepted.length });
    response.end(accepted);
  });
}

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { isRefusal, openTokenCheck, type Refusal, type TokenCheck } from './token-check.ts';

/** Handles an upgraded connection. */
export type Admit = (socket: WebSocket) => void;

export interface HttpPlan {
  /** The bearer token that every upgrade needs; empty: none. */
  readonly token: string;
  /** What `GET /health` answers beside `status`: "ok" with 200, or anything else with 503. */
  health(): { readonly status: string } & object;
  /** Upgrades are refused in any other state than "open". */
  state(): string;
  /** The text of `GET /metrics`. */
  metrics(): string;
  /** By method and path: `POST /commands`. They check the token themselves, with `checkToken`. */
  readonly routes?: Readonly<Record<string, Route>>;
  /** WebSockets by path. A refusal is answered before the upgrade. Absent: somebody else answers upgrades. */
  readonly sockets?: Readonly<Record<string, (url: URL) => Admit | Refusal>>;
  /** Bytes of a frame that a client sends; 1,024 unless given. */
  readonly maxPayload?: number;
}

export interface Call {
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly checkToken: TokenCheck;
}
export type Route = (call: Call) => void;

const MAX_FRAME_BYTES = 1_024;
/** Longer than any pause of a generator, so that its keep-alive connections stay open. */
const KEEP_ALIVE_MS = 60_000;

/** The HTTP server of a world: `GET /health`, `GET /metrics`, WebSockets, and what the world adds. */
export function openHttpFrame(plan: HttpPlan): Server {
  const checkToken = openTokenCheck(plan.token);
  const routes = new Map(Object.entries(plan.routes ?? {}));
  const sockets = new Map(Object.entries(plan.sockets ?? {}));
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const url = urlOf(request);
    const route = `${request.method} ${url?.pathname}`;
    const own = routes.get(route);
    if (url === undefined) refuse(response, { status: 400, why: 'the request has no valid path' });
    else if (route === 'GET /health') health(plan, response);
    else if (route === 'GET /metrics') metrics(plan, response);
    else if (own !== undefined) own({ url, request, response, checkToken });
    else if (sockets.has(url.pathname)) {
      refuse(response, { status: 400, why: `${url.pathname} is a WebSocket: request an upgrade` });
    } else refuse(response, { status: 404, why: `unknown route: ${route}` });
  });
  if (plan.sockets !== undefined) answerUpgrades(server, plan, sockets, checkToken);
  return server;
}

function answerUpgrades(
  server: Server,
  plan: HttpPlan,
  paths: ReadonlyMap<string, (url: URL) => Admit | Refusal>,
  checkToken: TokenCheck,
): void {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: plan.maxPayload ?? MAX_FRAME_BYTES,
    clientTracking: false,
  });
  const admissionOf = (url: URL | undefined): Admit | Refusal => {
    const state = plan.state();
    if (state !== 'open') return { status: 503, why: `the server is ${state}` };
    const open = url === undefined ? undefined : paths.get(url.pathname);
    return url === undefined || open === undefined
      ? { status: 404, why: 'there is no such WebSocket here' }
      : open(url);
  };
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const admit = checkToken(request) ?? admissionOf(urlOf(request));
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

function urlOf(request: IncomingMessage): URL | undefined {
  try {
    return new URL(`http://world${request.url ?? ''}`);
  } catch {
    return undefined;
  }
}

function health(plan: HttpPlan, response: ServerResponse): void {
  const body = plan.health();
  answer(response, body.status === 'ok' ? 200 : 503, body);
}

function metrics(plan: HttpPlan, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  response.end(plan.metrics());
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Answers `{"error": why}`. */
export const refuse = (response: ServerResponse, { status, why }: Refusal): void =>
  answer(response, status, { error: why });

function refuseUpgrade(socket: Duplex, { status, why }: Refusal): void {
  const body = JSON.stringify({ error: why });
  // Nothing reads from the socket any more, so the end of the client would not be noticed.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

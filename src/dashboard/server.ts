import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { codeOf, messageOf, stackFailed } from '../errors.ts';

const HOST = '127.0.0.1';
/** Names by which a browser on this host may ask. Another one is that of a foreign page which was made to lead here. */
const NAMES = [HOST, 'localhost'];
/** More connections than a few people with a few tabs have are refused. */
const MOST_CONNECTIONS = 64;
const MOST_VIEWERS = 24;

/** The page and what it loads, by path. */
export type Files = Readonly<Record<string, { readonly type: string; readonly content: string }>>;

/** Nothing but this server's own script, style and events; style attributes, which the charts have. */
const POLICY = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "style-src-attr 'unsafe-inline'"],
  ...[
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ],
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
} as const;

export interface PageServer {
  readonly url: string;
  close(): void;
}

/** What the server asks for viewers of its events. */
export interface Audience {
  readonly count: number;
  add(response: ServerResponse, lastEventId: string | undefined): void;
}

/**
 * Serves a page and its events to this host only. It keeps no process alive.
 * @param port 0: any free one
 * @throws CapbenchError (93) where the port cannot be had
 */
export async function servePage(port: number, files: Files, audience: Audience): Promise<PageServer> {
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    answer(request, response, files, audience, (server.address() as AddressInfo | null)?.port ?? port);
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('connection', (socket) => socket.unref());
  await listening(server, port);
  server.on('error', () => undefined);
  server.unref();
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const listening = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        stackFailed(
          codeOf(error) === 'EADDRINUSE'
            ? `--dashboard: port ${port} of ${HOST} is in use`
            : `--dashboard: cannot listen at ${HOST}:${port}: ${messageOf(error)}`,
          'name another port, or none: any free one is taken then',
          error,
        ),
      ),
    );
    server.listen({ host: HOST, port, exclusive: true }, () => resolve());
  });

function answer(
  { method = '', url = '', headers }: IncomingMessage,
  response: ServerResponse,
  files: Files,
  audience: Audience,
  port: number,
): void {
  const path = url.split('?')[0] ?? '';
  const file = Object.hasOwn(files, path) ? files[path] : undefined;
  const refusal = refusalOf(method, path, headers, audience, port);
  if (refusal !== null) {
    const [status, text] = refusal;
    response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
  } else if (file !== undefined) {
    response.writeHead(200, { ...HEADERS, 'content-type': `${file.type}; charset=utf-8` });
    response.end(method === 'HEAD' ? undefined : file.content);
  } else if (path !== EVENTS) {
    response.writeHead(404, HEADERS).end();
  } else {
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream; charset=utf-8' });
    response.flushHeaders();
    const last = headers['last-event-id'];
    audience.add(response, typeof last === 'string' ? last : undefined);
  }
}

const EVENTS = '/events';

function refusalOf(
  method: string,
  path: string,
  headers: IncomingMessage['headers'],
  { count }: Audience,
  port: number,
): readonly [status: number, text: string] | null {
  if (!isOwnHost(headers.host, port)) return [403, `the live view is at http://${HOST}:${port}/ only`];
  if (method !== 'GET' && (method !== 'HEAD' || path === EVENTS)) return [405, 'the live view is only read'];
  if (path !== EVENTS) return null;
  // The page of another site could not read them, but would be a viewer.
  const site = headers['sec-fetch-site'] ?? 'none';
  if (site !== 'same-origin' && site !== 'none') return [403, 'the events are for the live view only'];
  return count < MOST_VIEWERS ? null : [503, `there are ${count} viewers already`];
}

function isOwnHost(host: string | undefined, port: number): boolean {
  const names = NAMES.flatMap((name) => [`${name}:${port}`, ...(port === 80 ? [name] : [])]);
  return host !== undefined && names.includes(host.toLowerCase());
}

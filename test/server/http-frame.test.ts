import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { type HttpPlan, openHttpFrame, refuse } from '../../src/server/http-frame.ts';
import { portOf } from '../loopback.ts';

const TOKEN = 'a-token-of-this-test';

async function openFrame(plan: Partial<HttpPlan> = {}) {
  const frame = openHttpFrame({
    token: TOKEN,
    health: () => ({ status: 'ok', world: 'test' }),
    state: () => 'open',
    metrics: () => 'a_total 1\n',
    sockets: {
      '/echo': ({ searchParams }) =>
        searchParams.has('player')
          ? (socket) => socket.on('message', (data) => socket.send(`${searchParams.get('player')}: ${data}`))
          : { status: 400, why: 'player=<id> is missing' },
    },
    ...plan,
  });
  const port = await portOf(frame);
  onTestFinished(() => {
    frame.closeAllConnections();
  });
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return [response.status, await response.text()] as const;
  };
  const dial = (path: string, token = TOKEN): WebSocket =>
    new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}` } });
  /** The status and the body with which an upgrade is refused. */
  const refusal = async (socket: WebSocket) => {
    const [, response] = await once(socket, 'unexpected-response');
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body += chunk;
    return [response.statusCode, JSON.parse(body).error];
  };
  return { ask, dial, refusal };
}

test('answers its health, its metrics, the routes of its world, and nothing else', async () => {
  const { ask } = await openFrame({
    routes: {
      'POST /work': ({ request, response, url, checkToken }) => {
        const refused = checkToken(request);
        if (refused !== null) return refuse(response, refused);
        response.end(`work ${url.searchParams.get('n')}`);
      },
    },
  });
  expect(await ask('/health')).toEqual([200, '{"status":"ok","world":"test"}']);
  expect(await ask('/metrics')).toEqual([200, 'a_total 1\n']);
  const authorization = `Bearer ${TOKEN}`;
  expect(await ask('/work?n=2', { method: 'POST', headers: { authorization } })).toEqual([200, 'work 2']);
  expect((await ask('/work?n=2', { method: 'POST' }))[0]).toBe(401);
  expect(await ask('/work')).toEqual([404, '{"error":"unknown route: GET /work"}']);
  expect(await ask('/echo')).toEqual([400, '{"error":"/echo is a WebSocket: request an upgrade"}']);
});

test('is not healthy until its world is', async () => {
  const { ask } = await openFrame({ health: () => ({ status: 'starting' }) });
  expect(await ask('/health')).toEqual([503, '{"status":"starting"}']);
});

test('admits WebSockets with the token, and refuses the others before the upgrade', async () => {
  const { dial, refusal } = await openFrame();
  const socket = dial('/echo?player=7');
  await once(socket, 'open');
  socket.send('hello');
  expect(String((await once(socket, 'message'))[0])).toBe('7: hello');
  expect(socket.extensions).toBe('');
  expect(await refusal(dial('/echo?player=7', 'another'))).toEqual([
    401,
    'the token of the run is missing or wrong',
  ]);
  expect(await refusal(dial('/echo'))).toEqual([400, 'player=<id> is missing']);
  expect(await refusal(dial('/elsewhere'))).toEqual([404, 'there is no such WebSocket here']);
});

test('refuses WebSockets unless the world is open, and frames above the limit', async () => {
  const closing = await openFrame({ state: () => 'closing' });
  expect(await closing.refusal(closing.dial('/echo?player=7'))).toEqual([503, 'the server is closing']);
  const small = await openFrame({ maxPayload: 10 });
  const socket = small.dial('/echo?player=7');
  await once(socket, 'open');
  socket.send('more than ten bytes');
  expect((await once(socket, 'close'))[0]).toBe(1009);
});

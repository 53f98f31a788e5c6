import { once } from 'node:events';
import type { Server } from 'node:http';
import { describe, expect, it, test } from 'vitest';
import { WebSocket } from 'ws';
import { openTokenCheck } from '../../../../src/server/token-check.ts';
import { NullWorld } from '../../../../src/systems/flux/null/server.ts';
import { readConfig } from '../../../../src/systems/flux/server/config.ts';
import { createHttpServer } from '../../../../src/systems/flux/server/http.ts';
import { World } from '../../../../src/systems/flux/server/world.ts';
import { portOf } from '../../../loopback.ts';

const TOKEN = 'a-token-of-this-run-alone';
const GOOD = { authorization: `Bearer ${TOKEN}` };

test.each([
  ['the token', `Bearer ${TOKEN}`, true],
  ['nothing', undefined, false],
  ['an empty header', '', false],
  ['another token of its length', `Bearer ${'x'.repeat(TOKEN.length)}`, false],
  ['a beginning of it', `Bearer ${TOKEN.slice(0, -1)}`, false],
  ['more than it', `Bearer ${TOKEN}x`, false],
  ['the bare token', TOKEN, false],
  ['another scheme', `Basic ${TOKEN}`, false],
  ['bytes beyond ASCII', `Bearer ${'é'.repeat(TOKEN.length)}`, false],
])('a token check, with %s', (_what, authorization, isLetIn) => {
  const request = { headers: authorization === undefined ? {} : { authorization } } as never;
  expect(openTokenCheck(TOKEN)(request)?.status ?? null).toBe(isLetIn ? null : 401);
  expect(openTokenCheck('')(request)).toBeNull();
});

const listen = async (server: Server): Promise<string> => `http://127.0.0.1:${await portOf(server)}`;

/** A flux world server that was never opened: it answers 503 after the token check. */
const fluxServer = (token: string): Server => {
  const env = {
    ...{ INSTANCE_ID: '1', INSTANCES: '1', PLAYERS: '2', MONSTERS: '2', PLAYERS_PER_PLACE: '2' },
    ...{ DB_SOCKET_PATH: '/nowhere', DB_USER: 'nobody', DB_NAME: 'none', TOKEN: token },
  };
  const fatal = (why: string): never => {
    throw new Error(why);
  };
  return createHttpServer(new World(readConfig(env), fatal, () => undefined));
};
const nullServer = (token: string): Server =>
  new NullWorld({ instance: 1, instances: 1, players: 2, monsters: 2, token }).http;

/** How an upgrade was answered. */
async function upgrade(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers });
  socket.on('error', () => undefined);
  const status = await Promise.race([
    once(socket, 'open').then(() => 101),
    once(socket, 'unexpected-response').then(([, response]) => response.statusCode as number),
  ]);
  socket.terminate();
  return status;
}

async function post(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: '[[2,1,"look"]]',
  });
  await answer.body?.cancel();
  return answer.status;
}

describe.each([
  ['flux', fluxServer, { upgraded: 503, posted: 503 }],
  ['null', nullServer, { upgraded: 101, posted: 202 }],
])('a %s world server with a token', (_name, serverOf, { upgraded, posted }) => {
  it.each(['/play?player=0', '/commits?generator=g0'])('opens %s to who has it', async (path) => {
    const url = (await listen(serverOf(TOKEN))) + path;
    expect(await upgrade(url, {})).toBe(401);
    expect(await upgrade(url, { authorization: 'Bearer another' })).toBe(401);
    expect(await upgrade(url, GOOD)).toBe(upgraded);
  });

  it('takes commands of who has it', async () => {
    const url = `${await listen(serverOf(TOKEN))}/commands?generator=g0&post=1`;
    expect(await post(url, {})).toBe(401);
    expect(await post(url, GOOD)).toBe(posted);
  });

  it('is watched by anybody', async () => {
    const url = await listen(serverOf(TOKEN));
    for (const path of ['/health', '/metrics']) {
      expect((await fetch(url + path)).status).not.toBe(401);
    }
  });

  it('without one is open', async () => {
    const url = await listen(serverOf(''));
    expect(await upgrade(`${url}/play?player=0`, {})).toBe(upgraded);
    expect(await post(`${url}/commands?generator=g0&post=1`, {})).toBe(posted);
  });
});

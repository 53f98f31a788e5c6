import { createServer, type RequestListener } from 'node:http';
import { Client } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { type Cause, causeOfRefusals } from '../../../src/address/connection-cause.ts';
import { JsonCodec } from '../../../src/systems/own/json.ts';
import { Login } from '../../../src/systems/own/login.ts';
import { PlayerValues } from '../../../src/systems/own/player-values.ts';
import type { JsonPlayers, LoginRequest } from '../../../src/systems/own/players-schema.ts';
import { portOf } from '../../loopback.ts';

/** Log-ins that fail: what is said about them. */
const ids = Int32Array.of(0);
const values = await PlayerValues.open({ inputs: { data: null, environment: {} } }, ids);

async function logIn(answer: RequestListener, login: Partial<LoginRequest> = {}, limitMs?: number) {
  const server = createServer(answer);
  const url = `http://127.0.0.1:${await portOf(server)}`;
  const client = new Client(url);
  onTestFinished(async () => {
    await client.destroy();
    server.closeAllConnections();
  });
  const result = await new Login({ path: '/in', ...login }, values, limitMs).perform(
    0,
    { url, source: '' },
    client,
  );
  if (!('what' in result)) throw new Error('the player is logged in');
  return result;
}

test('one that is refused is about the log-in, whatever number of players is connected', async () => {
  const cause = await logIn((_request, response) => response.writeHead(401).end());
  expect(cause.what).toBe('log-in: status 401');
  expect(cause.hint).toMatch(/players\.login.*players\.data/);
  expect(causeOfRefusals(cause, 15)).toEqual(cause);
  const limited = await logIn((_request, response) => response.writeHead(429).end());
  expect(limited.hint).toContain("the server's policy");
});

test('an answer that never ends has an end, and one without its token says what to compare', async () => {
  const dribble: RequestListener = (_request, response) => {
    response.writeHead(200).write('{');
    const more = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(more));
  };
  const cause = await logIn(dribble, {}, 300);
  expect(cause.what).toBe('log-in: no whole answer within 0.3 s');
  expect(cause.hint).toContain('players.login.path');
  const noToken: Cause = await logIn((_request, response) => response.end('{}'), { tokenAt: 'token' });
  expect(noToken).toMatchObject({
    what: expect.stringContaining('token'),
    hint: expect.stringContaining('players.login'),
  });
});

test('a first frame that is refused or not answered is called a log-in, with what to compare', () => {
  const players: JsonPlayers = {
    ...{ protocol: 'json', path: '/', idAt: 'id', errorAt: 'error' },
    login: { frame: { type: 'auth' }, okAt: 'ready' },
    commands: [{ type: 'command', command: 'look', weight: 1 }],
  };
  const codec = new JsonCodec(players, { seed: 1, operations: [] }, ids, values);
  expect(codec.welcome?.(0, '{"error":"who?"}')).toMatchObject({
    refused: 'the server refused the log-in: who?',
    hint: expect.stringContaining('players.login.frame'),
  });
  expect(codec.unwelcomed?.what).toBe('log-in: no answer with a value at ready (login.okAt) to the frame');
  const { login: _, ...plain } = players;
  expect(new JsonCodec(plain, { seed: 1, operations: [] }, ids, values).unwelcomed).toBeUndefined();
});

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { nullRealm } from '../../../../src/systems/realm/null/server.ts';
import { connectAgent, TOKEN } from './worlds.ts';

test('the null server acknowledges every command at once, and needs the token', async () => {
  const server = nullRealm({ token: TOKEN });
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const agent = await connectAgent(url, 0);
  expect(await agent.move(500, 0)).toBe('ok');
  expect(await agent.chat('hello')).toBe('ok');
  expect(await agent.emote('wave')).toBe('ok');
  const stranger = new WebSocket(`${url.replace('http', 'ws')}/play?agent=0`);
  const [error] = await once(stranger, 'error');
  expect(String(error)).toContain('401');
});

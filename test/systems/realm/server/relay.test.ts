import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { EventRefused, RelayAway, RelayConnection } from '../../../../src/systems/realm/relay-connection.ts';
import {
  type EventDraft,
  type SignedEvent,
  signEvent,
  worldKey,
} from '../../../../src/systems/realm/signed-event.ts';
import { metricsOf, startRelay, TOKEN } from './worlds.ts';

const [one, another] = [worldKey(TOKEN, 1), worldKey(TOKEN, 2)];
const draft = (own: Partial<EventDraft> = {}, d = '7'): EventDraft => ({
  ...{ created_at: 1_000, kind: 30_078, tags: [['d', d]], content: 'text' },
  ...own,
});

async function connect(url: string): Promise<RelayConnection> {
  const connection = await RelayConnection.open({ url, token: TOKEN, limit: 5_000 });
  onTestFinished(() => connection.terminate());
  return connection;
}
const idsOf = (events: readonly SignedEvent[]): readonly string[] => events.map(({ id }) => id).toSorted();

test('of each author, kind and name the newest event is kept', async () => {
  const { url } = await startRelay();
  const relay = await connect(url);
  const [first, later, other, foreign, kind] = [
    signEvent(one, draft()),
    signEvent(one, draft({ created_at: 1_001 })),
    signEvent(one, draft({}, '8')),
    signEvent(another, draft()),
    signEvent(one, draft({ kind: 30_079 })),
  ];
  for (const event of [first, later, other, foreign, kind]) await relay.publish(event);
  expect(idsOf(await relay.request({}))).toEqual(idsOf([later, other, foreign, kind]));
  expect(idsOf(await relay.request({ authors: [one.pubkey] }))).toEqual(idsOf([later, other, kind]));
  expect(idsOf(await relay.request({ authors: [one.pubkey], kinds: [30_078], '#d': ['7'] }))).toEqual([
    later.id,
  ]);
  expect(await relay.request({ '#d': ['9'] })).toEqual([]);
  // The same again is fine, an older one is not.
  await relay.publish(later);
  await expect(relay.publish(first)).rejects.toThrow('replaced: a newer event is stored');
  const metric = await metricsOf(url);
  expect(metric('capbench_realm_relay_events_total')).toBe(7);
  expect(metric('capbench_realm_relay_refused_total')).toBe(1);
  expect(metric('capbench_realm_relay_stored_events')).toBe(4);
});

test('of one second, the event with the lower id counts', async () => {
  const { url } = await startRelay();
  const relay = await connect(url);
  const [low, high] = ['a', 'b']
    .map((content) => signEvent(one, draft({ content })))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  await relay.publish(high!);
  await relay.publish(low!);
  await expect(relay.publish(high!)).rejects.toThrow(EventRefused);
  expect(idsOf(await relay.request({}))).toEqual([low!.id]);
});

test('what nobody has signed, and what is not replaceable, is refused', async () => {
  const { url } = await startRelay();
  const relay = await connect(url);
  const event = signEvent(one, draft());
  const { sig } = signEvent(another, draft());
  await expect(relay.publish({ ...event, content: 'changed' })).rejects.toThrow(
    'invalid: the id is not the hash',
  );
  await expect(relay.publish({ ...event, sig })).rejects.toThrow(
    'invalid: the signature is not of the author',
  );
  await expect(relay.publish({ ...event, kind: 'x' } as never)).rejects.toThrow('invalid: this is no event');
  await expect(relay.publish(signEvent(one, draft({ kind: 42 })))).rejects.toThrow(
    'blocked: only replaceable',
  );
  expect(await relay.request({})).toEqual([]);
});

test('a message of no known type is told so, and a wrong token does not come in', async () => {
  const { url } = await startRelay();
  await expect(RelayConnection.open({ url, token: 'wrong', limit: 5_000 })).rejects.toThrow(RelayAway);
  const socket = new WebSocket(url.replace('http', 'ws'), { headers: { authorization: `Bearer ${TOKEN}` } });
  onTestFinished(() => socket.terminate());
  const notices: string[] = [];
  socket.on('message', (data) => notices.push(String(data)));
  socket.on('open', () => {
    for (const text of [
      'no JSON',
      '{}',
      '["REQ"]',
      '["REQ","1",{"kinds":"all"}]',
      '["REQ","1",{"authors":[7]}]',
      '["COUNT"]',
    ])
      socket.send(text);
  });
  await expect.poll(() => notices).toEqual(Array(6).fill('["NOTICE","expected EVENT, REQ or CLOSE"]'));
});

test('another process finds what is in the file, but for a line that was not finished, and leaves the rest out of it', async () => {
  const before = await startRelay();
  const relay = await connect(before.url);
  const [first, later] = [signEvent(one, draft()), signEvent(one, draft({ created_at: 1_001 }))];
  await relay.publish(first);
  await relay.publish(later);
  const file = join(before.folder, 'events.jsonl');
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(2);
  await before.close();
  appendFileSync(file, JSON.stringify(signEvent(one, draft({ created_at: 1_002 }))).slice(0, -9));
  const again = await connect((await startRelay(before.folder)).url);
  expect(await again.request({})).toEqual([later]);
  expect(readFileSync(file, 'utf8')).toBe(`${JSON.stringify(later)}\n`);
  const newest = signEvent(one, draft({ created_at: 1_003 }));
  await again.publish(newest);
  const { url } = await startRelay(before.folder);
  expect(await (await connect(url)).request({})).toEqual([newest]);
});

test('a relay that does not answer in time is away, and its connection is given up', async () => {
  const silent = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const open = () => RelayConnection.open({ url: `http://127.0.0.1:${port}`, token: '', limit: 100 });
  const [asking, publishing] = [await open(), await open()];
  const asked = asking.request({});
  await expect(asked).rejects.toThrow('the relay does not answer within 0.1 s');
  expect(asking.isOpen).toBe(false);
  await expect(publishing.publish(signEvent(one, draft()))).rejects.toThrow(RelayAway);
  await expect.poll(() => silent.clients.size).toBe(0);
});

test('a relay that is gone is away', async () => {
  const { url, close } = await startRelay();
  const relay = await connect(url);
  await close();
  await expect.poll(() => relay.isOpen).toBe(false);
  await expect(relay.publish(signEvent(one, draft()))).rejects.toThrow(RelayAway);
  await expect(relay.request({})).rejects.toThrow(RelayAway);
  await expect(RelayConnection.open({ url, token: TOKEN, limit: 5_000 })).rejects.toThrow(RelayAway);
});

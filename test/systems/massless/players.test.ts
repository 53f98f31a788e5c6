import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { WorkerSetup } from '../../../src/load/fleet/messages.ts';
import { SequenceLedger } from '../../../src/load/ledger.ts';
import type { WorldContext } from '../../../src/load/module/player-code.ts';
import type { Session } from '../../../src/player.d.ts';
import { decodeMessage, encodeMessage, FRAME } from '../../../src/systems/massless/colyseus-frames.ts';
import { masslessPlayers } from '../../../src/systems/massless/players.ts';
import type { Colyseus } from '../../../src/systems/massless/rooms.ts';
import { placeStated } from '../../../src/systems/massless/stated-place.ts';
import { moved } from '../../../src/systems/massless/wire.ts';

/** Messages as JSON, since nothing here looks at their bytes. */
const JSON_CODEC = {
  pack: (value: unknown) => Buffer.from(JSON.stringify(value)),
  unpack: (data: Uint8Array): unknown => JSON.parse(Buffer.from(data).toString()),
};

/** A room's socket: `say` is a message down, `heard` are those up. */
class FakeSocket extends EventEmitter {
  readyState = 1;
  readonly heard: { readonly type: string; readonly body: unknown }[] = [];
  readonly url: string;

  constructor(url: string) {
    super();
    this.url = url;
  }
  send(data: Buffer): void {
    const message = decodeMessage(data, JSON_CODEC);
    if (message !== null) this.heard.push(message);
  }
  say(type: string, body: object): void {
    this.emit('message', encodeMessage(type, body, JSON_CODEC));
  }
  close(): void {}
}

const WELCOME = {
  ...{ player: 0, character: 0, last: 0, transferred: 0, zone: 0, x: 5, z: 5 },
  ...{ items: [1, 2], got: [], token: 't' },
};

/** Two zones on two servers, which are one address that grants every seat but where `refused` says otherwise. */
async function world({ decodesOneOf = 20, state = {} } = {}) {
  const asked: unknown[] = [];
  const refused: string[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    asked.push({ at: request.url, ...JSON.parse(text) });
    const error = refused.shift();
    response.setHeader('connection', 'close');
    response.end(
      JSON.stringify(
        error === undefined
          ? { room: { processId: 'p', roomId: 'r' }, sessionId: 's' }
          : { code: 4503, error },
      ),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const urls = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];

  const sockets: FakeSocket[] = [];
  const opened = new EventEmitter();
  const settled: [number, string][] = [];
  const [lost, logged]: [string[], string[]] = [[], []];
  /** The load performs the next operation once one is settled: one of these. */
  const afterSettle: (() => void)[] = [];
  const counts: Record<string, number> = {};
  const deliveries: (readonly [string, ...unknown[]])[] = [];
  /** In microseconds. */
  let clock = 0;
  const ended = new AbortController();
  const ledger = new SequenceLedger(2, { timed: true, rejected: 'unrecorded' }, () => 1e6);
  ledger.welcome(0, 0);
  const context = {
    ...{ player: 0, players: 2, urls, headers: {}, signal: ended.signal },
    random: () => 0.75,
    openSocketAt(url: string) {
      const socket = new FakeSocket(url);
      sockets.push(socket);
      queueMicrotask(() => opened.emit('socket', socket));
      return socket;
    },
    settle({ number }: { number: number }, result: string) {
      settled.push([number, result]);
      if (result === 'ok') ledger.acked(0, number);
      afterSettle.shift()?.();
    },
    measure(name: string, value: number) {
      counts[name] = (counts[name] ?? 0) + value;
    },
    now: () => clock,
    expectDelivery: (key: string, players: readonly number[]) =>
      deliveries.push(['expected', key, ...players]),
    delivered: (key: string) => deliveries.push(['delivered', key]),
    log: (line: string) => logged.push(line),
    lost: (reason: string) => lost.push(reason),
  } as unknown as WorldContext;
  const decoder: Colyseus = {
    ...JSON_CODEC,
    openState: () => ({ take: () => undefined, state }),
  };
  const setup = {
    workload: {
      own: {
        zones: 2,
        servers: 2,
        zoneSize: 100,
        itemsPerCharacter: 2,
        decodesOneOf,
        tickRate: 20,
        saveSeconds: 1,
      },
    },
  } as unknown as WorkerSetup;
  const players = masslessPlayers(setup, { ledger }, decoder);
  const socketOpened = async (): Promise<FakeSocket> => (await once(opened, 'socket'))[0] as FakeSocket;
  let number = 0;
  let session: Session & Awaited<ReturnType<typeof players.connect>>;
  return {
    ...{ asked, refused, sockets, settled, lost, logged, counts, ledger, urls, socketOpened, afterSettle },
    /** `early`: messages before the welcome. */
    async join(welcome: object = {}, early: readonly (readonly [type: string, body: object])[] = []) {
      const connecting = players.connect(context);
      const socket = await socketOpened();
      socket.emit('message', Buffer.from([FRAME.joined, 0, 0, 1]));
      for (const [type, body] of early) socket.say(type, body);
      socket.say('welcome', { ...WELCOME, ...welcome });
      session = await connecting;
      return socket;
    },
    deliveries,
    pass: (millis: number) => {
      clock += 1e3 * millis;
    },
    connect: () => players.connect(context),
    do(kind: string) {
      number += 1;
      ledger.sent(0, number);
      return players.perform(session, { kind, number, due: 0 }, context);
    },
    leave: () => players.close?.(session),
  };
}

test('inputs are settled by the acknowledgement of the last one, at the place to which they lead', async () => {
  const { join, do: act, settled, counts, ledger, asked, urls } = await world();
  const socket = await join();
  expect(asked).toEqual([{ at: '/matchmake/joinOrCreate/zone', zone: 0, player: 0, token: '' }]);
  expect(socket.url).toBe(urls[0]);
  act('input');
  act('input');
  act('input');
  expect(socket.heard.map(({ body }) => body)).toEqual([1, 2, 3].map((seq) => ({ seq, x: 0.5, z: 0.5 })));
  const step = { x: 0.5, z: 0.5 };
  const place = moved(moved({ x: 5, z: 5 }, step, 100), step, 100);
  socket.say('ack', { seq: 2, tick: 9, ...place });
  expect(settled).toEqual([
    [1, 'ok'],
    [2, 'ok'],
  ]);
  expect(placeStated(ledger.lastStated[0]! - 1)).toEqual({ x: 5.3, z: 5.3 });
  expect(counts.wrongFrames).toBe(0);
  socket.say('ack', { seq: 3, tick: 10, x: 50, z: 50 });
  expect(counts.wrongFrames).toBe(1);
  socket.say('ack', { seq: 3, tick: 11, x: 50, z: 50 });
  expect(counts.wrongFrames).toBe(2);
});

test('frames of the state are counted, and not decoded by those who do not', async () => {
  const { join, do: act, counts } = await world({ decodesOneOf: 1 });
  const socket = await join();
  act('input');
  socket.emit('message', Buffer.from([FRAME.patch, 1, 2, 3]));
  socket.emit('message', Buffer.from([FRAME.state, 1]));
  socket.say('ack', { seq: 1, tick: 9, ...moved({ x: 5, z: 5 }, { x: 0.5, z: 0.5 }, 100) });
  expect(counts).toMatchObject({ patches: 2, patchBytes: 6 });
});

test('each tick has one patch; the rate of ticks is measured by what players get', async () => {
  const { join, do: act, counts, logged, pass } = await world();
  const socket = await join();
  let place = { x: 5, z: 5 };
  const ack = (seq: number, tick: number, patches: number): void => {
    act('input');
    place = moved(place, { x: 0.5, z: 0.5 }, 100);
    for (let i = 0; i < patches; i++) socket.emit('message', Buffer.from([FRAME.patch, 1]));
    pass(100);
    socket.say('ack', { seq, tick, ...place });
  };
  ack(1, 100, 0);
  ack(2, 104, 4);
  expect(counts.missingPatches).toBe(0);
  ack(3, 110, 3);
  expect([counts.missingPatches, counts.wrongFrames]).toEqual([3, 0]);
  expect(logged).toEqual(['3 ticks without a patch: {"from":104,"to":110}']);
  expect(counts.ticksPerSecond).toBeUndefined();
  // 20 ticks in 300 ms.
  ack(4, 120, 10);
  ack(5, 121, 1);
  expect(counts.ticksPerSecond).toBeCloseTo(20 / 0.3, 6);
  expect(counts.missingPatches).toBe(3);
});

test('both sides hear of a trade: the taker when it is committed, or by its next welcome', async () => {
  const { join, do: act, deliveries, leave, counts } = await world();
  const socket = await join();
  act('trade');
  socket.say('traded', { seq: 1, from: 0, to: 1, item: 2 });
  socket.say('traded', { seq: 7, from: 1, to: 0, item: 3 });
  expect(deliveries.splice(0)).toEqual([
    ['expected', '0:1', 1],
    ['delivered', '1:7'],
  ]);
  leave();
  const got = [
    { item: 3, from: 1, seq: 7 },
    { item: 4, from: 1, seq: 8 },
  ];
  const next = await join({ items: [1, 3, 4], got });
  // The one that was on its way, too.
  next.say('traded', { seq: 8, from: 1, to: 0, item: 4 });
  expect(deliveries).toEqual([['delivered', '1:8']]);
  expect(counts.wrongFrames ?? 0).toBe(0);
});

test('answers to trades that come before the welcome count, as those do that come after it', async () => {
  const { join, do: act, deliveries, leave, counts, ledger } = await world();
  await join();
  act('trade');
  act('trade');
  leave();
  // The items were read before these trades were committed.
  const next = await join({ items: [1, 2] }, [
    ['traded', { seq: 1, from: 0, to: 1, item: 2 }],
    ['refused', { seq: 2, reason: 'unavailable' }],
    ['traded', { seq: 7, from: 1, to: 0, item: 3 }],
  ]);
  expect(deliveries).toEqual([['delivered', '1:7']]);
  expect(ledger.toData().levels).toMatchObject({ savedCount: 1 });
  act('trade');
  act('trade');
  // Its own are 1 and 3.
  expect(next.heard.map(({ body }) => (body as { item: number }).item).toSorted()).toEqual([1, 3]);
  expect(counts.wrongFrames ?? 0).toBe(0);
});

test('who sees others beyond their bands says so, and who does not see itself where it is', async () => {
  const far = new Map([
    ['0', { x: 5, z: 5 }],
    ['1', { x: 90, z: 5 }],
  ]);
  const {
    join,
    do: act,
    counts,
  } = await world({
    decodesOneOf: 1,
    state: { near: far, mid: new Map(), far: new Map() },
  });
  const socket = await join();
  const step = { x: 0.5, z: 0.5 };
  let place = { x: 5, z: 5 };
  for (let seq = 1; seq <= 10; seq++) {
    act('input');
    place = moved(place, step, 100);
    socket.emit('message', Buffer.from([FRAME.patch, 1]));
    socket.say('ack', { seq, tick: seq, ...place });
  }
  // At every fifth.
  expect(counts).toMatchObject({ inSight: 4, outOfBand: 2, wrongFrames: 0 });
  far.set('0', { x: 70, z: 70 });
  for (let seq = 11; seq <= 20; seq++) {
    act('input');
    place = moved(place, step, 100);
    socket.emit('message', Buffer.from([FRAME.patch, 1]));
    socket.say('ack', { seq, tick: seq, ...place });
  }
  expect(counts.wrongFrames).toBe(2);
});

test('a trade is saved with its answer, and gives the item away; a refused one keeps it', async () => {
  const { join, do: act, settled, ledger, counts } = await world();
  const socket = await join();
  act('trade');
  act('trade');
  // Both items are offered.
  expect(act('trade')).toBe('idle');
  expect(socket.heard.map(({ body }) => body)).toEqual([
    { seq: 1, to: 1, item: 2 },
    { seq: 2, to: 1, item: 1 },
  ]);
  socket.say('refused', { seq: 2, reason: 'busy' });
  socket.say('traded', { seq: 1, from: 0, to: 1, item: 2 });
  socket.say('traded', { seq: 7, from: 1, to: 0, item: 3 });
  expect(settled).toEqual([
    [2, 'rejected'],
    [1, 'ok'],
  ]);
  expect(ledger.toData().levels).toMatchObject({ savedCount: 1, unsaved: new Float64Array() });
  act('trade');
  expect(socket.heard.at(-1)?.body).toMatchObject({ item: 3 });
  expect(counts.wrongFrames ?? 0).toBe(0);
  socket.say('traded', { seq: 1, from: 0, to: 1, item: 2 });
  expect(counts.wrongFrames).toBe(1);
});

test('a transfer is settled by the welcome of the new zone, at its server, and what was due meanwhile goes there', async () => {
  const { join, do: act, settled, socketOpened, asked, urls, lost, counts } = await world();
  const old = await join();
  act('input');
  act('zone');
  act('input');
  expect(old.heard.map(({ type }) => type)).toEqual(['input', 'zone']);
  old.say('transfer', { seq: 2, zone: 1, server: 1, token: 'next' });
  old.emit('close', 4000, Buffer.from(''));
  const next = await socketOpened();
  expect([next.url, asked.at(-1)]).toEqual([
    urls[1],
    { at: '/matchmake/joinOrCreate/zone', zone: 1, player: 0, token: 'next' },
  ]);
  expect(settled).toEqual([]);
  next.say('welcome', { ...WELCOME, last: 2, transferred: 2, zone: 1 });
  await expect
    .poll(() => settled)
    .toEqual([
      [1, 'ok'],
      [2, 'ok'],
    ]);
  expect(next.heard).toEqual([{ type: 'input', body: { seq: 3, x: 0.5, z: 0.5 } }]);
  expect([lost, counts.wrongFrames ?? 0]).toEqual([[], 0]);
});

test('what becomes due as a transfer ends comes after what was due before it', async () => {
  const { join, do: act, socketOpened, afterSettle } = await world();
  const old = await join();
  act('zone');
  act('input');
  act('input');
  old.say('transfer', { seq: 1, zone: 1, server: 1, token: 'next' });
  const next = await socketOpened();
  // Otherwise the new zone would get the transfer 4 first, and take the inputs 2 and 3 for old ones.
  afterSettle.push(() => act('zone'));
  next.say('welcome', { ...WELCOME, last: 1, transferred: 1, zone: 1 });
  await expect.poll(() => next.heard.map(({ type }) => type)).toEqual(['input', 'input', 'zone']);
  act('input');
  next.say('refused', { seq: 4, reason: 'busy' });
  expect(next.heard.map(({ body }) => (body as { seq: number }).seq)).toEqual([2, 3, 4, 5]);
});

test('a welcome says what of the inputs is lost, and what was applied without an answer; trades are above it', async () => {
  const { join, do: act, ledger, leave, counts } = await world();
  const socket = await join();
  for (let i = 0; i < 4; i++) act('input');
  act('trade');
  let place = { x: 5, z: 5 };
  for (let i = 0; i < 3; i++) place = moved(place, { x: 0.5, z: 0.5 }, 100);
  socket.say('ack', { seq: 3, tick: 9, ...place });
  socket.say('traded', { seq: 5, from: 0, to: 1, item: 2 });
  leave();
  await join({ last: 4, items: [1] });
  expect([...ledger.toData().levels!.forgotten]).toEqual([]);
  expect(ledger.ackedNumbers.has(0, 4)).toBe(true);
  leave();
  await join({ last: 2, items: [1] });
  const { levels, breaches } = ledger.toData();
  expect([...levels!.forgotten]).toEqual([0, 3, 1e6, 0, 4, 1e6]);
  expect([breaches.forgotten, counts.wrongFrames ?? 0]).toEqual([0, 0]);
});

test('a seat that is refused, a room elsewhere, and a room that ends at once', async () => {
  const { connect, refused, counts, socketOpened, asked } = await world();
  refused.push('the server is about to end');
  await expect(connect()).rejects.toThrow('no seat: the server is about to end');
  expect(counts.refusedSeats).toBe(1);
  const connecting = connect();
  const first = await socketOpened();
  first.say('transfer', { seq: 0, zone: 1, server: 1, token: 'x' });
  const second = await socketOpened();
  expect(asked.at(-1)).toMatchObject({ zone: 1, token: 'x' });
  second.emit('close', 4503, Buffer.from('later'));
  await expect(connecting).rejects.toThrow('the server closed the connection (4503, later)');
});

test('a server that has said that it ends takes nobody in', async () => {
  const { join, leave, counts, lost } = await world();
  const first = await join();
  first.emit('close', 4001, Buffer.from(''));
  leave();
  const second = await join();
  expect(counts.wrongFrames ?? 0).toBe(0);
  second.emit('close', 1001, Buffer.from(''));
  expect(lost.at(-1)).toContain('1001');
  leave();
  await join();
  expect(counts.wrongFrames).toBe(1);
});

import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { random } from '../../src/rng.ts';
import { startDatabase, startWorld, type WorldProcess } from '../systems/flux/server/server.ts';
import { connectGenerator, connectPlayer, metric, type TestPlayer } from '../systems/flux/server/wire.ts';
import { below, chance } from './draw.ts';
import { dribble, frame, handshake, junkFrames, junkRequest, OPCODE, open } from './raw-wire.ts';

/** A world server with clients that violate the protocol, and one that follows it. */

const PLAYERS = 40;
/** On a machine that is busy with something else. */
const PATIENCE = 15_000;

const database = await startDatabase();
afterAll(() => database.close());
let sql: pg.Client;
let world: WorldProcess;
let good: TestPlayer;
let port = 0;
let databases = 0;
let asked = 0;

beforeEach(async () => {
  sql = await database.create(`wire${databases++}`);
  world = await startWorld({
    ...database.environment,
    ...{ PLAYERS: String(PLAYERS), MONSTERS: '200', PLAYERS_PER_PLACE: '10' },
  });
  port = Number(new URL(world.url).port);
  good = await connectPlayer(world.url, 0);
  asked = 0;
}, 60_000);

const rowOf = async (id: number) =>
  (await sql.query(`select applied_n::int as n, last_seq::int as last from entity where id = ${id}`)).rows;

/** A client that follows the protocol is still served, and everything that was acknowledged is in the rows. */
afterEach(async () => {
  await servesWell();
  expect(await rowOf(0)).toEqual([{ n: asked, last: asked }]);
  await good.close();
  expect(await world.stop()).toBe(0);
  expect(world.log()).not.toMatch(/^\s+at |Error:/m);
}, 60_000);

async function servesWell(): Promise<void> {
  asked += 1;
  expect(await good.ask('guard')).toEqual({ seq: asked, ok: true });
  expect((await fetch(`${world.url}/health`)).status).toBe(200);
  const newcomer = await connectPlayer(world.url, 1);
  expect(await newcomer.ask('guard')).toMatchObject({ ok: true });
  await newcomer.close();
}

const descriptors = (): number => readdirSync(`/proc/${world.process.pid}/fd`).length;
const linux = process.platform === 'linux';

test('bytes that are no request are answered, or the connection is closed', {
  timeout: 120_000,
}, async () => {
  const next = random(1, 7);
  for (let i = 0; i < 120; i++) {
    const raw = await open(port);
    const request = junkRequest(next);
    await dribble(raw, request, next);
    expect(await raw.answered(PATIENCE), request.toString('latin1', 0, 200)).toBe(true);
    raw.close();
    if (i % 20 === 0) await servesWell();
  }
});

test('incomplete requests are forgotten', { timeout: 120_000 }, async () => {
  const next = random(2, 7);
  const before = linux ? descriptors() : 0;
  for (let i = 0; i < 150; i++) {
    const raw = await open(port);
    const request = junkRequest(next);
    await dribble(raw, request.subarray(0, below(next, request.length)), next);
    if (chance(next, 0.5)) raw.close();
    else raw.socket.end();
  }
  await servesWell();
  if (linux) await expect.poll(descriptors, { timeout: PATIENCE }).toBeLessThanOrEqual(before + 3);
});

test('refused upgrades leave no descriptor behind', { timeout: 120_000 }, async () => {
  const before = linux ? descriptors() : 0;
  const sockets = await Promise.all(Array.from({ length: 200 }, () => open(port)));
  for (const raw of sockets) raw.socket.write(handshake('/play?player=999999'));
  for (const raw of sockets) expect(await raw.ended(PATIENCE)).toBe(true);
  // The client sends nothing more, and does not close the connection either.
  if (linux) await expect.poll(descriptors, { timeout: PATIENCE }).toBeLessThanOrEqual(before + 3);
  for (const raw of sockets) raw.close();
});

test('hundreds of incomplete requests do not keep other clients out', { timeout: 120_000 }, async () => {
  const held = await Promise.all(Array.from({ length: 300 }, () => open(port)));
  for (const [i, raw] of held.entries()) {
    raw.socket.write(
      [
        'POST /commands?generator=slow&post=1 HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\ncontent-type: application/json\r\n\r\n[',
        'GET /play?player=5 HTTP/1.1\r\nhost: x\r\nconnec',
        handshake(`/play?player=${2 + (Math.floor(i / 3) % 30)}`),
      ][i % 3] ?? '',
    );
  }
  await servesWell();
  const generator = await connectGenerator(world.url, 'good');
  expect((await generator.post(1, [[40, 1, 'guard']])).status).toBe(202);
  expect(await generator.committed(1)).toEqual([1, 0]);
  await generator.close();
  for (const raw of held) raw.close();
});

test('players that send invalid frames are disconnected', { timeout: 240_000 }, async () => {
  const next = random(3, 7);
  let sentAway = 0;
  for (let i = 0; i < 150; i++) {
    const raw = await open(port);
    const player = 2 + (i % (PLAYERS - 2));
    raw.socket.write(handshake(`/play?player=${player}`));
    expect(await raw.answered(PATIENCE)).toBe(true);
    for (let n = 1 + below(next, 3); n > 0; n--) await dribble(raw, junkFrames(next), next);
    // A frame that is not whole yet is waited for; all others are judged.
    if (await raw.ended(chance(next, 0.3) ? 300 : 30)) sentAway += 1;
    raw.close();
    if (i % 30 === 0) await servesWell();
  }
  expect(sentAway).toBeGreaterThan(40);
});

test('numbers that are out of order, repeated or far ahead are each answered, and applied once', {
  timeout: 120_000,
}, async () => {
  const next = random(4, 7);
  const player = await connectPlayer(world.url, 7);
  const sent: number[] = [];
  for (let i = 0; i < 400; i++) {
    const seq = chance(next, 0.02) ? 2 ** 31 - 1 - below(next, 3) : 1 + below(next, 300);
    sent.push(seq);
    player.send(seq, 'guard');
  }
  await expect.poll(() => player.acks.length, { timeout: PATIENCE }).toBe(400);
  expect(player.acks.map(({ seq }) => seq)).toEqual(sent);
  let highest = 0;
  let applied = 0;
  for (const [i, seq] of sent.entries()) {
    expect(player.acks[i]?.ok).toBe(seq > highest);
    if (seq > highest) applied += 1;
    highest = Math.max(highest, seq);
  }
  expect(await rowOf(7)).toEqual([{ n: applied, last: highest }]);
  await player.close();
});

test('a client that sends pings and never reads does not fill the memory', {
  timeout: 120_000,
}, async () => {
  const memory = await metric(world.url, 'process_resident_memory_bytes');
  const raw = await open(port);
  raw.socket.write(handshake('/play?player=9'));
  expect(await raw.answered(PATIENCE)).toBe(true);
  raw.socket.pause();
  const pings = Buffer.concat(
    Array.from({ length: 8_000 }, () => frame('x'.repeat(125), { opcode: OPCODE.ping })),
  );
  for (let i = 0; i < 120 && !raw.socket.destroyed; i++) {
    if (!raw.socket.write(pings))
      await Promise.race([new Promise((go) => raw.socket.once('drain', go)), sleep(500)]);
  }
  expect(await raw.ended(PATIENCE)).toBe(true);
  await servesWell();
  expect((await metric(world.url, 'process_resident_memory_bytes')) - memory).toBeLessThan(60 * 2 ** 20);
  raw.close();
});

test('invented names of generators do not keep others out', { timeout: 120_000 }, async () => {
  const early = await connectGenerator(world.url, 'early');
  for (let n = 0; n < 1_100; n += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        fetch(`${world.url}/commands?generator=junk${n + i}&post=1`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '[]',
        }).then((response) => response.text()),
      ),
    );
  }
  const late = await connectGenerator(world.url, 'late');
  for (const [generator, monster] of [
    [early, 40],
    [late, 41],
  ] as const) {
    expect((await generator.post(1, [[monster, 1, 'guard']])).status).toBe(202);
    expect(await generator.committed(1)).toEqual([1, 0]);
    await generator.close();
  }
});

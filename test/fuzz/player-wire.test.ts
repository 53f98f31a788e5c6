import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { CapbenchError } from '../../src/errors.ts';
import { random } from '../../src/rng.ts';
import { askHealth } from '../../src/systems/flux/health.ts';
import { openWorldProbe } from '../../src/systems/flux/probe.ts';
import { micros } from '../../src/units.ts';
import { settled } from '../counts.ts';
import { OPERATIONS, workloadWith } from '../load/a-workload.ts';
import { failureOf, prepare, run } from '../load/engine-room.ts';
import { figuresOf } from '../load/ledger-figures.ts';
import { below, pick } from './draw.ts';
import { frame, junkFrames, OPCODE } from './raw-wire.ts';
import { type RogueOptions, RogueServer, text } from './rogue-server.ts';

/** The players among servers that do not keep to the protocol: the engine ends, and says what it met. */

const PLAYERS = 40;
const MONSTERS = 16;
const workload = (more = {}) =>
  workloadWith({
    ...{ players: PLAYERS, monsters: MONSTERS, intentRate: 8, postRate: 0, duration: 2 },
    ...{ timeout: micros(800_000), drain: micros(1_000_000) },
    ...more,
  });

const ack = (seq: unknown, more = ''): Buffer => text(`{"acks":[{"seq":${seq},"ok":true${more}}]}`);

async function rogue(options: Partial<RogueOptions>) {
  const honest = { players: PLAYERS, monsters: MONSTERS, intent: (_player: number, seq: number) => ack(seq) };
  const { url } = await new RogueServer({ ...honest, ...options }).listen();
  return { worlds: [{ url, pid: null }], database: null };
}

/** What a server of ill will answers; the honest ones come before the others are noticed. */
const ANSWERS: readonly ((seq: number, socket: Socket, next: () => number) => Buffer)[] = [
  (seq) => ack(seq),
  (seq) => ack(seq + 1_000),
  (seq) => text({ acks: new Array(2).fill({ seq, ok: true }) }),
  () => ack(0),
  () => ack(-1),
  () => ack(1.5),
  () => ack('1e999'),
  () => ack('"1"'),
  () => ack('9007199254740993'),
  (seq) => ack(seq, ',"place":1e999'),
  (seq) => ack(seq, ',"place":-1'),
  (seq) => ack(seq, ',"place":"x","exits":5,"present":{}'),
  (seq) => ack(seq, ',"place":1,"exits":[null,{}],"present":[1e999]'),
  (seq) => text(`{"acks":[${new Array(10_000).fill(`{"seq":${seq},"ok":true}`).join(',')}]}`),
  () => text('{"acks":{"length":5}}'),
  () => text('{"events":[{"actor":1e999,"did":"arrived"}]}'),
  () => text('{"events":[{"actor":-5,"did":"left"},{}]}'),
  () => text('{"__proto__":{"acks":[]}}'),
  () => text('['.repeat(50_000)),
  () => text(''),
  () => text('null'),
  () => frame('x', { mask: false, length: 300_000 }),
  () => frame('x', { mask: false, length: 2 ** 40 }),
  () => frame('{"acks":[', { mask: false, fin: false }),
  () => frame(Buffer.from([0xff, 0xfe, 0x80]), { mask: false }),
  (seq) => frame(`{"acks":[{"seq":${seq},"ok":true}]}`, { mask: false, opcode: OPCODE.binary }),
  (_seq, socket) => {
    socket.end(frame('half of it', { mask: false, length: 100 }));
    return Buffer.alloc(0);
  },
  (_seq, socket) => {
    socket.destroy();
    return Buffer.alloc(0);
  },
  () => Buffer.concat(new Array(500).fill(frame('x'.repeat(100), { mask: false, opcode: OPCODE.ping }))),
  (_seq, _socket, next) => junkFrames(next),
  (_seq, _socket, next) => Buffer.from(Array.from({ length: 1 + below(next, 200) }, () => below(next, 256))),
];

test('invalid answers of every kind end in a tally that adds up, and are named', {
  timeout: 60_000,
}, async () => {
  const next = random(11, 3);
  const endpoints = await rogue({
    intent: (player, seq, socket) => {
      // A few are served well, so that somebody is left to tell the difference.
      if (player < 5) return ack(seq);
      const answer = ANSWERS[player - 5] ?? pick(next, ANSWERS);
      return answer(seq, socket, next);
    },
  });
  const fleet = await prepare(workload(), endpoints);
  const { tally, seconds } = await run(fleet);
  for (const name of OPERATIONS) {
    const { whole } = tally.operations[name];
    expect(settled(whole)).toBe(whole.scheduled);
  }
  const { intent } = tally.operations;
  expect(intent.whole.failed).toBeGreaterThan(0);
  expect(intent.whole.timedOut).toBeGreaterThan(0);
  // Those who were served well got every answer.
  const figures = figuresOf(tally.ledger);
  const { ackedN, sentN } = figures;
  for (let player = 0; player < 5; player++) expect(ackedN[player]).toBe(sentN[player]);
  expect(ackedN.reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(intent.whole.ok);
  for (const column of Object.values(figures)) expect(column.every(Number.isFinite)).toBe(true);
  for (const [entity, acked] of ackedN.entries()) {
    expect(acked, `player ${entity}`).toBeLessThanOrEqual(sentN[entity] ?? 0);
  }
  // Counted one by one: a rule can read it.
  expect(tally.strayAnswers).toBeGreaterThan(0);
  expect(tally.disconnects).toBeGreaterThan(10);
  expect(tally.errors.join()).toContain('violates the protocol');
  expect(seconds.length).toBeGreaterThan(0);
});

const COMMITS: readonly ((post: number, commands: number, socket: Socket) => Buffer)[] = [
  (post, commands) => text({ commits: new Array(2).fill([post, commands, 0]) }),
  (post, commands) => text({ commits: [[post + 1_000, commands, 0]] }),
  (post) => text({ commits: [[post, 1e6, 0]] }),
  (post) => text(`{"commits":[[${post},1e999,0]]}`),
  () => text('{"commits":"all"}'),
  (_post, _commands, socket) => {
    socket.end(frame('half', { mask: false, length: 100 }));
    return Buffer.alloc(0);
  },
];

test.each(COMMITS.map((commit, i) => [i, commit] as const))(
  'invalid commits of kind %i end in a tally that adds up',
  { timeout: 60_000 },
  async (_i, commit) => {
    const endpoints = await rogue({
      commit: (post, commands, socket) =>
        post === 3 ? commit(post, commands, socket) : text({ commits: [[post, commands, 0]] }),
    });
    const load = workload({ players: PLAYERS, intentRate: 1, postRate: 20, duration: 1 });
    const { tally } = await run(await prepare(load, endpoints, { workers: 1 }));
    const { whole } = tally.operations.monsterCommand;
    expect(settled(whole)).toBe(whole.scheduled);
    expect(whole.ok).toBeGreaterThanOrEqual(20);
    expect(tally.errors.length + tally.strayAnswers).toBeGreaterThan(0);
    const { ackedN, sentN } = figuresOf(tally.ledger);
    for (const [entity, acked] of ackedN.entries()) expect(acked).toBeLessThanOrEqual(sentN[entity] ?? 0);
  },
);

const WELCOMES: readonly (readonly [what: string, welcome: Buffer])[] = [
  ['no number', text('{"welcome":{"player":1,"place":3}}')],
  ['a number that is none', text('{"welcome":{"lastSeq":1e999}}')],
  ['a number after which none is left', text('{"welcome":{"lastSeq":9007199254740991}}')],
  ['a place that is none', text('{"welcome":{"lastSeq":0,"place":1e999}}')],
  ['garbage', text('welcome!')],
  ['a frame beyond every limit', frame('x', { mask: false, length: 2 ** 30 })],
];

test.each(WELCOMES)('a welcome with %s ends with 93', { timeout: 60_000 }, async (_what, welcome) => {
  const endpoints = await rogue({ welcome: () => welcome });
  const error = await failureOf(prepare(workload(), endpoints));
  expect(error.exitCode).toBe(93);
  expect(error.message).toMatch(/players could not connect.*: /);
});

test.each([
  ['numbers that are none', text('{"welcome":{"lastSeq":[1e999]}}')],
  [
    'a number after which none is left',
    text(`{"welcome":{"lastSeq":[${new Array(MONSTERS).fill(2 ** 32).join(',')}]}}`),
  ],
  ['a flood', frame('x', { mask: false, length: 2 ** 30 })],
])('a welcome of the monsters with %s ends with 93', { timeout: 60_000 }, async (_what, commitsWelcome) => {
  const endpoints = await rogue({ commitsWelcome });
  const error = await failureOf(prepare(workload({ postRate: 5 }), endpoints));
  expect(error.exitCode).toBe(93);
  expect(error.message).toContain('/commits');
});

const answer = (body: string | Buffer) => (socket: Socket) =>
  void socket.end(
    Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'), Buffer.from(body)]),
  );

const dribble = (first: string, again: string) => (socket: Socket) => {
  socket.write(first);
  const timer = setInterval(() => socket.write(again), 100);
  socket.on('close', () => clearInterval(timer));
};

const honest =
  '"status":"ok","world":"flux","protocol":1,"rowShape":"columns","players":{"from":0,"to":9},"monsters":{"from":9,"to":9},"monstersTotal":0';

test.each<[what: string, health: (socket: Socket) => void]>([
  [
    'millions of world servers',
    answer(`{${honest},"instance":1,"instances":9007199254740991,"playersTotal":9}`),
  ],
  ['more players than numbers', answer(`{${honest},"instance":1,"instances":1,"playersTotal":1e999}`)],
  ['brackets', answer('['.repeat(60_000))],
  ['bytes', answer(Buffer.from([0, 0xff, 0xfe, 0]))],
  ['headers without end', dribble('HTTP/1.1 200 OK\r\n', `x: ${'y'.repeat(100)}\r\n`)],
  ['a body without end', dribble('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\n{\r\n')],
  [
    'half of what it promised',
    (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"status"'),
  ],
])('a health of %s is refused with 93', { timeout: 30_000 }, async (_what, health) => {
  const { worlds } = await rogue({ health });
  const begin = performance.now();
  const thrown = await askHealth({ url: worlds[0]!.url }, new AbortController().signal).catch(
    (error) => error,
  );
  expect(thrown).toBeInstanceOf(CapbenchError);
  expect(thrown).toMatchObject({ exitCode: 93, message: expect.stringContaining(worlds[0]!.url) });
  expect(performance.now() - begin).toBeLessThan(15_000);
});

test.each<[what: string, metrics: (socket: Socket) => void]>([
  ['without end', dribble('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\n#\r\n')],
  ['of 40 MB', answer('x'.repeat(40 * 2 ** 20))],
  ['of garbage', answer(Buffer.from([0, 0xff, 0xfe, 0]))],
])('metrics %s give no data, and nothing waits for them', { timeout: 30_000 }, async (_what, metrics) => {
  const { worlds } = await rogue({ metrics });
  const probe = openWorldProbe(worlds[0]!, 1);
  const begin = performance.now();
  await expect(probe.sample()).rejects.toThrow();
  expect(performance.now() - begin).toBeLessThan(15_000);
  await probe.close();
});

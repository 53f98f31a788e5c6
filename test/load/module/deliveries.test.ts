import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { meanOf } from '../../../src/histogram.ts';
import { seconds } from '../../../src/units.ts';
import { portOf } from '../../loopback.ts';
import { workloadWith } from '../a-workload.ts';
import { prepare, run } from '../engine-room.ts';

const folder = mkdtempSync(join(tmpdir(), 'deliveries-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = './talker.mjs';
const PLAYERS = 12;

/** Two servers with one room: what one player says goes to all others, but for every hundredth where it `drops` some. */
async function room(drops: boolean) {
  const all = new Set<WebSocket>();
  const seen = { said: 0, dropped: 0 };
  let n = 0;
  const urls = await Promise.all(
    [1, 2].map(async () => {
      const http = createServer();
      new WebSocketServer({ server: http }).on('connection', (socket) => {
        all.add(socket);
        socket.on('message', (data) => {
          seen.said += 1;
          for (const other of all) {
            if (other === socket) continue;
            n += 1;
            if (drops && n % 100 === 0) seen.dropped += 1;
            else other.send(data.toString());
          }
        });
      });
      const url = `http://127.0.0.1:${await portOf(http)}`;
      onTestFinished(() => {
        http.closeAllConnections();
        http.close();
      });
      return url;
    }),
  );
  onTestFinished(() => {
    for (const socket of all) socket.terminate();
  });
  return { seen, endpoints: { worlds: urls.map((url) => ({ url, pid: null })), database: null } };
}

const TALKER = `
  export async function connect(context) {
    const socket = context.openSocket('/');
    socket.on('message', (data) => {
      context.delivered(data.toString());
      context.measure('heard', 1);
    });
    await new Promise((open, fail) => socket.once('open', open).once('error', fail));
    return { socket };
  }
  export function perform({ socket }, operation, context) {
    const key = context.player + '-' + operation.number;
    socket.send(key);
    context.expectDelivery(key, 'others');
    context.measure('weight', context.player, 'kg');
    return 'ok';
  }
  export const close = ({ socket }) => socket.close();
`;

async function talk(text: string, { drops = false, workers = 2, timeout = 60 } = {}) {
  const { seen, endpoints } = await room(drops);
  const path = join(folder, `talker-${workers}-${timeout}-${text.length}.mjs`);
  writeFileSync(path, text);
  const workload = workloadWith({
    ...{ players: PLAYERS, intentRate: 10, monsters: 0, postRate: 0, duration: 1 },
    ...{ timeout: seconds(timeout), drain: seconds(60), skipAfter: seconds(60) },
    playing: { protocol: 'module', module: NAME },
  });
  const fleet = await prepare(workload, endpoints, { workers, module: { path, name: NAME } });
  const { tally } = await run(fleet);
  await fleet.close();
  return { tally, seen };
}

test.for([1, 2, 4])(
  'what everybody hears is delivered, in whichever of %d load workers',
  {
    timeout: 180_000,
  },
  async (workers) => {
    const { tally, seen } = await talk(TALKER, { workers });
    const expected = (PLAYERS - 1) * seen.said;
    expect(tally.errors).toEqual([]);
    expect(seen.said).toBe(tally.operations.intent.whole.scheduled);
    expect(tally.deliveries).toMatchObject({
      ...{ expected, delivered: expected, lost: 0, excused: 0 },
      ...{ duplicated: 0, late: 0, unexpected: 0, untracked: 0 },
    });
    // Only what was measured before the measure phase ended; a busy machine performs some afterwards.
    const { unit, count } = tally.figures!.weight!;
    expect(unit).toBe('kg');
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(seen.said);
    expect(meanOf(tally.figures!.weight!.values!)).toBeLessThan(PLAYERS);
    expect(tally.figures?.heard?.total).toBeLessThanOrEqual(expected);
  },
);

test('a server that drops one in a hundred is found out', { timeout: 180_000 }, async () => {
  const { tally, seen } = await talk(TALKER, { drops: true, timeout: 4 });
  const { expected, delivered, lost, excused, lostOnes } = tally.deliveries!;
  expect(seen.dropped).toBeGreaterThan(5);
  expect(expected).toBe((PLAYERS - 1) * seen.said);
  expect(delivered + lost).toBe(expected);
  // On a machine that stops for seconds, some of the others are late.
  expect(lost).toBeGreaterThanOrEqual(seen.dropped);
  expect(excused).toBe(0);
  expect(lostOnes[0]).toMatch(/^"\d+-\d+" by player \d+$/);
});

test('what a module passes wrongly is an error with its name', { timeout: 180_000 }, async () => {
  const { tally, seen } = await talk(`
    const CALLS = [
      (context) => context.expectDelivery('a', [0, 12]),
      (context) => context.expectDelivery('a', 'everybody'),
      (context) => context.delivered({}),
      // The same key by every player.
      (context) => void context.expectDelivery('the same', []),
    ];
    export const connect = () => ({});
    export function perform(session, operation, context) {
      for (const call of CALLS.slice(0, -1)) {
        try { call(context); } catch (error) { context.measure('wrong', 1); }
      }
      CALLS.at(-1)(context);
      CALLS[operation.number % 3](context);
    }
  `);
  expect(seen.said).toBe(0);
  const { scheduled, failed } = tally.operations.intent.whole;
  expect(failed).toBe(scheduled);
  expect(tally.figures?.wrong?.total).toBeGreaterThan(0);
  expect(tally.figures!.wrong!.total % 3).toBe(0);
  expect(tally.deliveries).toMatchObject({ expected: 0, untracked: scheduled - 1 });
  const errors = tally.errors.join('\n');
  expect(errors).toContain(`the player module ${NAME}: perform: context.`);
  expect(errors).toContain(
    `the player module ${NAME}: the key "the same" was expected by context.expectDelivery more than once`,
  );
  for (const part of ['got an object as the key', 'got 12 among the players', 'got "everybody", expected'])
    expect(errors).toContain(part);
});

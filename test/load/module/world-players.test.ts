import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { monotonic } from '../../../src/clock.ts';
import { countAbove, countOf } from '../../../src/histogram.ts';
import { createNativeEngine } from '../../../src/load/native.ts';
import type { Workload } from '../../../src/scenario/workload.ts';
import { micros } from '../../../src/units.ts';
import { bundled } from '../../bundled.ts';
import { workloadWith } from '../a-workload.ts';
import { theWatchdog } from '../engine-room.ts';
import { figuresOf } from '../ledger-figures.ts';

/** A world whose players are written like a module, and begin everything themselves. */

/** As in rounds-worker.ts, in microseconds. */
const [LATE, THINKS] = [50_000, 20_000];
const PLAYERS = 4;
let programs: Awaited<ReturnType<typeof bundled>>;
beforeAll(async () => {
  programs = await bundled({ 'rounds-worker': 'test/load/module/rounds-worker.ts' });
});
afterAll(() => programs.remove());

/** Everybody hears what anybody says. */
async function room(): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  server.on('connection', (socket: WebSocket) =>
    socket.on('message', (data) => {
      for (const other of server.clients) other.send(String(data));
    }),
  );
  await new Promise((listening) => server.once('listening', listening));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('it does not listen');
  return `http://127.0.0.1:${address.port}`;
}

const workload = (more: Partial<Workload> = {}): Workload => {
  const { operations: _, ...rest } = workloadWith({ players: PLAYERS, monsters: 0, duration: 1 });
  const round = { id: 'round', plural: 'rounds', label: 'rounds', unit: 'ops', actor: 'player' } as const;
  const operations = [{ ...round, due: 'answer', perSecond: 0, answer: 'its number' }] as const;
  return { ...rest, operations, ...more };
};

async function play(given: Workload) {
  const engine = createNativeEngine({
    ...{ system: { workerModule: programs.file('rounds-worker') }, workers: 2, watchdog: theWatchdog() },
  });
  const endpoints = { worlds: [{ url: await room(), pid: null }], database: null };
  const fleet = await engine.prepare(given, endpoints, new AbortController().signal);
  onTestFinished(() => fleet.close());
  return fleet.run(micros(monotonic() + 200_000), () => {});
}

test('what all players begin themselves is counted, timed from when it was planned, and heard by all', async () => {
  const { operations, deliveries, figures, errors, ledger } = await play(workload({ deliveries: true }));
  expect(errors).toEqual([]);
  const { whole, ownLag, due } = operations.round!;
  expect(whole.scheduled).toBeGreaterThan(PLAYERS);
  expect(whole).toMatchObject({ ok: whole.scheduled, failed: 0, skipped: 0, timedOut: 0 });
  const { sentN, ackedN } = figuresOf(ledger);
  expect(ackedN).toEqual(sentN);
  expect(ackedN.reduce((sum, one) => sum + one, 0)).toBe(whole.ok);
  // But for the first ones, which could not be planned before GO.
  const planned = whole.scheduled - PLAYERS * Math.ceil(LATE / THINKS);
  expect(countAbove(ownLag, 0.9 * LATE)).toBeGreaterThanOrEqual(planned);
  expect(countAbove(due, 0.9 * LATE)).toBeGreaterThanOrEqual(planned);
  expect(countOf(due)).toBe(whole.ok);
  expect(figures?.began).toMatchObject({ count: PLAYERS });
  expect(deliveries).toMatchObject({ lost: 0, unexpected: 0, expected: PLAYERS * whole.scheduled });
  expect(deliveries?.delivered).toBe(deliveries?.expected);
});

test('without deliveries nothing is followed, and in the calibration players begin faster', async () => {
  const slow = await play(workload());
  expect(slow.deliveries).toBeUndefined();
  const fast = await play(workload({ isCalibration: true, pace: 10 }));
  expect(fast.errors).toEqual([]);
  expect(fast.operations.round!.whole.scheduled).toBeGreaterThan(slow.operations.round!.whole.scheduled);
});

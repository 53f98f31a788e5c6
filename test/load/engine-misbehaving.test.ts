import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { countAbove, countOf } from '../../src/histogram.ts';
import { micros } from '../../src/units.ts';
import { OPERATIONS, workloadWith } from './a-workload.ts';
import { begin, load } from './engine-room.ts';
import { figuresOf } from './ledger-figures.ts';
import type { ServerOptions } from './protocol-server.ts';

test('latency during a stall of one second counts from the due times', async () => {
  const workload = workloadWith({ players: 100, intentRate: 2, duration: 4, postRate: 20 });
  const { server, running } = await begin(workload);
  await sleep(1500);
  server.stall(1000);
  const { tally } = await running;
  const { due, measured } = tally.operations.intent;
  expect(measured.ok).toBe(measured.scheduled);
  expect(due.max).toBeGreaterThanOrEqual(900_000);
  // 200 were due in that second; those of its last 300 ms waited for less than 300 ms.
  expect(countAbove(due, 300_000)).toBeGreaterThan(0.7 * 200 - 30);
  // Each is counted once, however slow the machine was beside that.
  expect(countOf(due)).toBe(measured.ok);
  expect(tally.operations.monsterCommand.due.max).toBeGreaterThanOrEqual(800_000);
});

test('a player with `outstanding` unanswered operations waits, then skips', async () => {
  const workload = workloadWith({
    ...{
      players: 10,
      intentRate: 10,
      duration: 3,
      postRate: 0,
      timeout: micros(60e6),
      drain: micros(500_000),
    },
  });
  const { tally, servers } = await load(workload, { intent: () => 'silence' });
  const { whole } = tally.operations.intent;
  for (const numbers of servers[0]?.received.values() ?? []) expect(numbers).toEqual([1, 2, 3, 4]);
  expect(whole.unfinished).toBe(40);
  expect(whole.skipped).toBe(whole.scheduled - 40);
  expect(Math.abs(whole.scheduled - 300)).toBeLessThanOrEqual(10);
  expect(countOf(tally.operations.intent.due)).toBe(0);
});

test('an operation that is unanswered for too long times out and frees its slot', async () => {
  const timeout = micros(500_000);
  const workload = workloadWith({ players: 5, intentRate: 2, duration: 3, postRate: 10, timeout });
  const { tally } = await load(workload, { intent: () => 'silence', post: () => 'silence' });
  for (const name of OPERATIONS) {
    const { whole } = tally.operations[name];
    expect(whole.timedOut).toBe(whole.scheduled);
    expect(whole.scheduled).toBeGreaterThan(20);
  }
  expect(figuresOf(tally.ledger).ackedN.reduce((sum, n) => sum + n, 0)).toBe(0);
});

test('after a lost connection, unanswered and later operations fail', async () => {
  const workload = workloadWith({ players: 10, intentRate: 5, duration: 2, postRate: 0 });
  const { tally, seconds } = await load(workload, {
    intent: (player, seq) => (player === 3 && seq === 4 ? 'drop' : 'ok'),
  });
  const { whole } = tally.operations.intent;
  expect(tally.disconnects).toBe(1);
  expect(figuresOf(tally.ledger).ackedN[3]).toBe(3);
  expect(whole.failed).toBeGreaterThanOrEqual(5);
  expect(whole.ok + whole.failed).toBe(whole.scheduled);
  // The unanswered one was sent, and those that came due later were not.
  const sent = whole.ok + whole.failed - whole.failedUnsent;
  expect(figuresOf(tally.ledger).sentN.reduce((sum, n) => sum + n, 0)).toBe(sent);
  expect(whole.failedUnsent).toBeGreaterThanOrEqual(4);
  expect(tally.errors.join()).toContain("a player's connection ended before an operation was answered");
  expect(seconds.at(-1)?.connected).toBe(9);
});

test.each([
  ['garbage', 'garbage', 'violates the protocol'],
  ['a frame without an end', 'flood', 'the server sent a frame that is larger than capbench accepts'],
] as const)('%s costs the player its connection, and nothing else', async (_what, answer, message) => {
  const workload = workloadWith({ players: 10, intentRate: 5, duration: 2, postRate: 0 });
  const intent = (player: number, seq: number) => (player === 4 && seq === 2 ? answer : 'ok');
  const { tally } = await load(workload, { intent });
  expect(tally.disconnects).toBe(1);
  expect(tally.errors.join()).toContain(message);
  expect(tally.operations.intent.whole.failed).toBeGreaterThan(0);
  expect(figuresOf(tally.ledger).ackedN[4]).toBe(1);
  expect(figuresOf(tally.ledger).ackedN[5]).toBeGreaterThanOrEqual(9);
});

test("invalid commits end the connection of the server's monsters", async () => {
  const workload = workloadWith({ players: 4, duration: 1 });
  const post = (number: number) => (number === 5 ? 'garbage' : 'commit');
  const { tally } = await load(workload, { post }, { workers: 1 });
  const { intent, monsterCommand } = tally.operations;
  expect(monsterCommand.whole.ok).toBe(40);
  expect(monsterCommand.whole.failed).toBe(monsterCommand.whole.scheduled - 40);
  expect(intent.whole.ok).toBe(intent.whole.scheduled);
  expect(tally.errors.join()).toContain('the connection for commits');
});

test('an unexpected answer is a protocol violation', async () => {
  const timeout = micros(200_000);
  const workload = workloadWith({ players: 2, intentRate: 2, duration: 1, postRate: 0, timeout });
  const { tally } = await load(workload, { intent: () => 'wrongNumber' });
  expect(tally.errors.join()).toContain('was not waiting for an answer');
  expect(tally.operations.intent.whole.timedOut).toBe(tally.operations.intent.whole.scheduled);
  expect(Math.max(...figuresOf(tally.ledger).ackedN)).toBe(0);
});

test('rejections are answers', async () => {
  const rejecting: Partial<ServerOptions> = { intent: () => 'reject', post: () => 'reject' };
  const { tally } = await load(workloadWith({ duration: 1 }), rejecting);
  for (const name of OPERATIONS) {
    const { whole, measured, due } = tally.operations[name];
    expect(whole.rejected).toBe(whole.scheduled);
    expect(countOf(due)).toBe(measured.rejected);
  }
  expect(figuresOf(tally.ledger).ackedN).toEqual(figuresOf(tally.ledger).sentN);
});

test('a refused post fails, and the next one does not', async () => {
  const workload = workloadWith({ players: 0, duration: 2 });
  const { tally } = await load(workload, { post: (post) => (post % 5 === 0 ? 'refuse' : 'commit') });
  const { whole } = tally.operations.monsterCommand;
  expect(whole.failed).toBeGreaterThan(0);
  expect(whole.failed % 10).toBe(0);
  expect(whole.failedUnsent).toBe(0);
  expect(whole.ok + whole.failed).toBe(whole.scheduled);
  expect(tally.errors.join()).toContain('answered 400: {"error":"no such monster"}');
  expect(tally.disconnects).toBe(0);
});

test('a 202 does not count as a commit', async () => {
  const workload = workloadWith({ players: 0, duration: 1, timeout: micros(60e6), drain: micros(300_000) });
  const { tally } = await load(workload, { post: () => 'silence' });
  const { whole } = tally.operations.monsterCommand;
  expect(whole.unfinished).toBe(whole.scheduled);
  expect(Math.max(...figuresOf(tally.ledger).sentN)).toBeGreaterThan(0);
  expect(Math.max(...figuresOf(tally.ledger).ackedN)).toBe(0);
});

test('posts wait for withheld answers until they are skipped', async () => {
  const patient = { timeout: micros(60e6), drain: micros(1.5e6) };
  const workload = workloadWith({ players: 0, postRate: 100, duration: 3, ...patient });
  const { tally, servers } = await load(workload, { post: () => 'withhold' }, { workers: 1 });
  const { whole } = tally.operations.monsterCommand;
  // HTTP answers are in order, so the server reads the 32 sent posts one after the other.
  expect(whole.unfinished).toBe(320);
  expect(whole.skipped).toBe(whole.scheduled - 320);
  expect(servers[0]?.posts[0]).toBe(1);
});

test('posts of a lost connection are not sent again', async () => {
  const workload = workloadWith({ players: 0, duration: 2, postRate: 50 });
  const post = (number: number) => (number === 10 ? 'drop' : 'commit');
  const { tally, servers } = await load(workload, { post }, { workers: 1 });
  const { whole } = tally.operations.monsterCommand;
  const posts = servers[0]?.posts ?? [];
  expect(new Set(posts).size).toBe(posts.length);
  expect(posts.at(-1)).toBe(10);
  expect(whole.ok).toBe(90);
  expect(whole.failed).toBe(whole.scheduled - 90);
  const sent = figuresOf(tally.ledger).sentN.reduce((sum, n) => sum + n, 0);
  expect(sent).toBe(whole.scheduled - whole.failedUnsent);
  expect(whole.failedUnsent).toBeGreaterThan(0);
  expect(tally.disconnects).toBe(1);
});

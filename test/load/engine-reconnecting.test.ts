import { join } from 'node:path';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { countOf } from '../../src/histogram.ts';
import { micros } from '../../src/units.ts';
import { LOST_NOTHING } from '../counts.ts';
import { type BothSecond, type BothTally, OPERATIONS, workloadWith } from './a-workload.ts';
import { begin, failureOf, load, prepare, run, serve } from './engine-room.ts';
import { figuresOf, findings } from './ledger-figures.ts';
import type { PostAnswer, ServerOptions } from './protocol-server.ts';

/** Seconds and slices add up to the tally. */
function expectSums(tally: BothTally, seconds: readonly BothSecond[]): void {
  const sum = (figure: (second: BothSecond) => number): number =>
    seconds.reduce((total, second) => total + figure(second), 0);
  expect(sum(({ disconnects }) => disconnects)).toBe(tally.disconnects);
  expect(sum(({ reconnects }) => reconnects)).toBe(tally.reconnects);
  for (const name of OPERATIONS) {
    const { ok, rejected, failed, skipped } = tally.operations[name].whole;
    expect(sum(({ operations }) => operations[name].failed)).toBe(failed);
    expect(sum(({ operations }) => operations[name].skipped)).toBe(skipped);
    const answered = seconds.flatMap(({ slices }) =>
      slices.map(({ operations }) => operations[name].answered),
    );
    expect(answered.reduce((total, n) => total + n, 0)).toBe(ok + rejected);
  }
}

const sumOf = (column: Float64Array): number => column.reduce((sum, n) => sum + n, 0);

test('a server is killed and restarted: every due operation is counted, and the ledger agrees with the rows', async () => {
  const workload = workloadWith({
    ...{ reconnect: true, players: 40, intentRate: 10, postRate: 40, duration: 5 },
    connectsPerSecond: 500,
  });
  const { servers, fleet, running } = await begin(
    workload,
    { commitAfter: 150 },
    { instances: 2, workers: 2 },
  );
  await sleep(1500);
  await servers[0]?.kill();
  await sleep(600);
  await servers[0]?.restart();
  const { tally, seconds } = await running;
  await fleet.close();

  const { intent, monsterCommand } = tally.operations;
  // 20 players and the monsters' connections of two workers.
  expect(tally).toMatchObject({ disconnects: 22, reconnects: 22, strayAnswers: 0 });
  expect(countOf(tally.reconnect)).toBe(22);
  expect(tally.reconnect.min).toBeGreaterThan(600_000 - 100_000);
  for (const { whole } of [intent, monsterCommand]) {
    expect(whole.failed).toBeGreaterThan(0);
    expect(whole.ok).toBeGreaterThan(0.7 * whole.scheduled);
    expect(whole.ok + whole.failed + whole.skipped).toBe(whole.scheduled);
  }
  expectSums(tally, seconds);
  expect(Math.min(...seconds.map(({ connected }) => connected))).toBeLessThan(40);
  expect(seconds.at(-1)?.connected).toBe(40);

  const { sentN, ackedN } = figuresOf(tally.ledger);
  expect(findings(tally.ledger, servers)).toMatchObject({ ...LOST_NOTHING, acked: sumOf(ackedN) });
  // Numbers that were lost before their commit were used again, so that the rows are dense.
  for (const server of servers) {
    for (const numbers of server.rows.values()) expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  }
  // These numbers were sent twice and counted once; one that was lost and then not needed again was sent and not acknowledged.
  const arrived = servers.flatMap(({ received }) => [...received.values()]).flat().length;
  expect(arrived).toBeGreaterThan(sumOf(ackedN));
  const failed = intent.whole.failed + monsterCommand.whole.failed;
  expect(sumOf(sentN) - sumOf(ackedN)).toBeGreaterThanOrEqual(0);
  expect(sumOf(sentN) - sumOf(ackedN)).toBeLessThan(failed);
});

test('operations of a player that is away for longer than skipAfter are skipped', async () => {
  const workload = workloadWith({
    ...{ reconnect: true, players: 10, intentRate: 10, postRate: 20, duration: 4 },
    skipAfter: micros(300_000),
  });
  const { servers, running } = await begin(workload);
  await sleep(1000);
  await servers[0]?.kill();
  await sleep(1200);
  await servers[0]?.restart();
  const { tally } = await running;
  for (const name of OPERATIONS) {
    const { scheduled, ok, failed, skipped } = tally.operations[name].whole;
    expect(ok + failed + skipped).toBe(scheduled);
    // At least 0.9 of 4 s.
    expect(skipped).toBeGreaterThan(0.15 * scheduled);
    expect(skipped).toBeLessThan(0.6 * scheduled);
    // Hardly any of the lag is the generator's own.
    expect(countOf(tally.operations[name].ownLag)).toBeLessThan(ok + failed + skipped / 2);
  }
  expect(findings(tally.ledger, servers)).toMatchObject(LOST_NOTHING);
});

test('a server that is not restarted', async () => {
  const workload = workloadWith({ reconnect: true, duration: 2, drain: micros(1.5e6) });
  const { servers, fleet, running } = await begin(workload);
  await sleep(1000);
  await servers[0]?.kill();
  const { tally, seconds } = await running;
  // 20 players and the monsters' connections of a worker.
  expect(tally).toMatchObject({ disconnects: 21, reconnects: 0 });
  expect(tally.errors.join()).toContain('ECONNREFUSED');
  expect(seconds.at(-1)?.connected).toBe(0);
  for (const name of OPERATIONS) {
    const { scheduled, ok, failed, skipped } = tally.operations[name].whole;
    expect(ok + failed + skipped).toBe(scheduled);
    expect(skipped).toBeGreaterThan(0);
  }
  await fleet.close();
});

test('a share of the connections is cut and reconnects, also to a server that has not noticed the loss', async () => {
  const workload = workloadWith({ reconnect: true, players: 40, intentRate: 10, duration: 4, postRate: 0 });
  // Long enough that every player is refused once, however late a busy machine lets it try.
  const { servers, endpoints } = await serve(workload, { commitAfter: 20, lingers: 1500 });
  const fleet = await prepare(workload, endpoints, { workers: 2 });
  expect(await fleet.drop(50, 1)).toBe(0);
  const running = run(fleet);
  await sleep(800);
  expect(await fleet.drop(25, 1)).toBe(10);
  const { tally, seconds } = await running;
  expect(tally).toMatchObject({ disconnects: 10, reconnects: 10, errors: [] });
  expect(servers[0]?.conflicts).toBeGreaterThanOrEqual(10);
  expectSums(tally, seconds);
  expect(findings(tally.ledger, servers)).toMatchObject(LOST_NOTHING);
  await fleet.close();
  expect(await fleet.drop(100, 1)).toBe(0);
});

test("the player module that init writes reconnects, too, and continues after the server's number", async () => {
  const name = './my-player.mjs';
  const workload = workloadWith({
    ...{ reconnect: true, players: 40, intentRate: 10, duration: 3, postRate: 0 },
    playing: { protocol: 'module', module: name },
  });
  const { servers, endpoints } = await serve(workload, { commitAfter: 20, lingers: 200 }, 2);
  const path = join(import.meta.dirname, '..', '..', 'fixtures', 'init', 'my-player.mjs');
  const fleet = await prepare(workload, endpoints, { module: { path, name } });
  const running = run(fleet);
  await sleep(800);
  expect(await fleet.drop(25, 1)).toBe(10);
  const { tally, seconds } = await running;
  expect(tally).toMatchObject({ disconnects: 10, reconnects: 10, strayAnswers: 0 });
  expectSums(tally, seconds);
  expect(findings(tally.ledger, servers)).toMatchObject(LOST_NOTHING);
});

test('without reconnects, a player that is cut off stays disconnected', async () => {
  const workload = workloadWith({ players: 20, intentRate: 10, duration: 2, postRate: 0 });
  const { fleet, running } = await begin(workload);
  await sleep(800);
  expect(await fleet.drop(50, 3)).toBe(10);
  const { tally, seconds } = await running;
  expect(tally).toMatchObject({ disconnects: 10, reconnects: 0 });
  expect(seconds.at(-1)?.connected).toBe(10);
  const { ok, failed, scheduled } = tally.operations.intent.whole;
  expect(ok + failed).toBe(scheduled);
});

test('the next welcome acknowledges committed operations without an answer, and voids the others', async () => {
  for (const answer of ['drop', 'forget'] as const) {
    const once = new Set<number>();
    const workload = workloadWith({ reconnect: true, players: 6, intentRate: 5, duration: 2, postRate: 0 });
    const { tally, servers } = await load(workload, {
      intent: (player, seq) => {
        if (seq !== 4 || once.has(player)) return 'ok';
        once.add(player);
        return answer;
      },
    });
    expect(tally).toMatchObject({ disconnects: 6, reconnects: 6 });
    expect(tally.operations.intent.whole.failed).toBeGreaterThanOrEqual(6);
    expect(figuresOf(tally.ledger).ackedN).toEqual(figuresOf(tally.ledger).sentN);
    for (const numbers of servers[0]?.rows.values() ?? []) {
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    }
    expect(findings(tally.ledger, servers)).toMatchObject(LOST_NOTHING);
  }
});

test('acknowledged numbers that a server forgot are lost, and the rows show it', async () => {
  const workload = workloadWith({ reconnect: true, players: 4, intentRate: 5, duration: 3, monsters: 20 });
  const { servers, running } = await begin(workload);
  await sleep(1200);
  await servers[0]?.kill();
  for (const numbers of servers[0]?.rows.values() ?? []) numbers.pop();
  await servers[0]?.restart();
  const { tally } = await running;
  expect(tally.errors.join()).toContain('a lost write');
  expect(tally.ledger.breaches.forgotten).toBeGreaterThanOrEqual(4);
  expect(tally.ledger.breaches.invented).toBe(0);
  const { lost, phantom, duplicated } = findings(tally.ledger, servers);
  expect(lost).toBeGreaterThanOrEqual(4);
  expect({ phantom, duplicated }).toEqual({ phantom: 0, duplicated: 0 });
  for (const numbers of servers[0]?.rows.values() ?? []) expect(new Set(numbers).size).toBe(numbers.length);
});

test('a server that states numbers that were never sent', async () => {
  let welcomes = 0;
  const workload = workloadWith({ reconnect: true, players: 1, intentRate: 5, duration: 2, postRate: 0 });
  const options: Partial<ServerOptions> = {
    lastSeqOf: (_player, committed) => (++welcomes === 1 ? committed : committed + 100),
    intent: (_player, seq) => (seq === 3 ? 'drop' : 'ok'),
  };
  const { tally } = await load(workload, options, { workers: 1 });
  expect(tally.errors.join()).toContain('than was ever sent');
  expect(tally.ledger.breaches.invented).toBe(100);
  const { sentMax, sentN } = figuresOf(tally.ledger);
  expect(sentMax[0]).toBeGreaterThan(103);
  expect(sentN[0]).toBe((sentMax[0] ?? 0) - 100);
});

test('the monsters of a server reconnect when one of their two connections is lost', async () => {
  const dropped = new Set<number>();
  const workload = workloadWith({ reconnect: true, players: 0, duration: 3, postRate: 40 });
  const post = (number: number): PostAnswer => {
    if (dropped.has(number) || number % 20 !== 10) return 'commit';
    dropped.add(number);
    return number % 40 === 10 ? 'drop' : 'garbage';
  };
  const { tally, servers } = await load(workload, { post }, { workers: 1 });
  const { whole } = tally.operations.monsterCommand;
  expect(tally.disconnects).toBe(dropped.size);
  expect(tally.disconnects).toBeGreaterThanOrEqual(4);
  expect(tally.reconnects).toBe(tally.disconnects);
  expect(whole.failed).toBeGreaterThan(0);
  expect(whole.ok + whole.failed + whole.skipped).toBe(whole.scheduled);
  const posts = servers[0]?.posts ?? [];
  expect(new Set(posts).size).toBe(posts.length);
  expect(findings(tally.ledger, servers)).toMatchObject({ lost: 0, phantom: 0 });
});

test('the ledger can be read during a run', async () => {
  const workload = workloadWith({ duration: 3 });
  const { servers, endpoints } = await serve(workload);
  const fleet = await prepare(workload, endpoints, { workers: 2 });
  expect(sumOf(figuresOf(await fleet.ledger()).sentN)).toBe(0);
  const running = run(fleet);
  await sleep(1500);
  const ledger = await fleet.ledger();
  expect(sumOf(figuresOf(ledger).ackedN)).toBeGreaterThan(100);
  const { tally } = await running;
  for (const column of ['sentN', 'ackedN', 'sentMax', 'ackedMax'] as const) {
    for (const [entity, n] of figuresOf(ledger)[column].entries()) {
      expect(n).toBeLessThanOrEqual(figuresOf(tally.ledger)[column][entity] ?? Number.NaN);
    }
  }
  expect(sumOf(figuresOf(ledger).ackedN)).toBeLessThan(sumOf(figuresOf(tally.ledger).ackedN));
  expect(await fleet.ledger()).toEqual(tally.ledger);
  expect(findings(tally.ledger, servers)).toMatchObject(LOST_NOTHING);
  await fleet.close();
  expect((await failureOf(fleet.ledger())).message).toContain('closed');
});

test('the error names a stopped worker that does not send its ledger', async () => {
  const workload = workloadWith({ duration: 1 });
  const fleet = await prepare(workload, (await serve(workload)).endpoints, { workers: 2 });
  const pid = fleet.workerPids[1] ?? 0;
  kill(pid, 'SIGSTOP');
  try {
    const error = await failureOf(fleet.ledger());
    expect(error.exitCode).toBe(93);
    // The missing ledger is noticed at about the same time.
    expect(error.message).toMatch(
      /^load worker 1 (was asked for its ledger and did not answer|.* has not responded for 10 s)/,
    );
  } finally {
    kill(pid, 'SIGCONT');
  }
});

test('a run ends when the fleet is closed', async () => {
  const workload = workloadWith({ duration: 10 });
  const fleet = await prepare(workload, (await serve(workload)).endpoints);
  const running = failureOf(run(fleet));
  await sleep(700);
  await fleet.close();
  const error = await running;
  expect(error.exitCode).toBe(105);
  expect(error.message).toContain('closed before the run ended');
});

test('unexpected answers are counted', async () => {
  const workload = workloadWith({ players: 2, intentRate: 20, duration: 1, postRate: 0 });
  // Not the last one of a player: after that nothing is waited for.
  const { tally } = await load(workload, { intent: (_player, seq) => (seq === 2 ? 'twice' : 'ok') });
  expect(Math.min(...figuresOf(tally.ledger).sentMax.slice(0, 2))).toBeGreaterThan(2);
  expect(tally.strayAnswers).toBe(2);
  expect(figuresOf(tally.ledger).ackedN).toEqual(figuresOf(tally.ledger).sentN);
});

test.each([true, false])(
  'a connection that ends with many posts unanswered (reconnect: %s)',
  async (reconnect) => {
    const workload = workloadWith({ reconnect, players: 0, postRate: 60, duration: 3 });
    const post = (number: number) => (number < 20 ? 'withhold' : number === 20 ? 'drop' : 'commit');
    const { tally, servers } = await load(workload, { post }, { workers: 1 });
    const { ok, failed, skipped, scheduled } = tally.operations.monsterCommand.whole;
    expect(ok + failed + skipped).toBe(scheduled);
    expect(failed).toBeGreaterThanOrEqual(200);
    expect(tally).toMatchObject({ disconnects: 1, reconnects: reconnect ? 1 : 0 });
    if (reconnect) expect(ok).toBeGreaterThan(0.5 * scheduled);
    else expect(failed).toBe(scheduled);
    // Nothing is sent twice.
    const posts = servers[0]?.posts ?? [];
    expect(new Set(posts).size).toBe(posts.length);
    expect(findings(tally.ledger, servers)).toMatchObject(LOST_NOTHING);
  },
);

test('players reconnect no faster than connectsPerSecond', async () => {
  const workload = workloadWith({
    ...{ reconnect: true, players: 60, connectsPerSecond: 30, intentRate: 2, postRate: 0, duration: 5 },
  });
  const { fleet, running } = await begin(workload, {}, { workers: 2 });
  await sleep(600);
  expect(await fleet.drop(100, 1)).toBe(60);
  const { tally } = await running;
  expect(tally).toMatchObject({ disconnects: 60, reconnects: 60 });
  // Each worker opens one at once and 15 a second.
  expect(tally.reconnect.max).toBeGreaterThan(1.8e6);
});

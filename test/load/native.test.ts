import { createServer } from 'node:net';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import { CapbenchError } from '../../src/errors.ts';
import { countAbove, countOf } from '../../src/histogram.ts';
import type { Counts, LoadSecond, ReadyFleet, Tally } from '../../src/load/engine.ts';
import { createNativeEngine } from '../../src/load/native.ts';
import { OPERATIONS, type Workload } from '../../src/scenario/workload.ts';
import type { Endpoints } from '../../src/stack/stack.ts';
import { openWatchdog, type Watchdog } from '../../src/stack/watchdog.ts';
import { micros } from '../../src/units.ts';
import { workloadWith } from './a-workload.ts';
import { ProtocolServer, type ServerOptions } from './protocol-server.ts';

let watchdog: Watchdog;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  watchdog = await openWatchdog(process.env);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(async () => {
  await watchdog.close();
});

async function serve(
  workload: Workload,
  options: Partial<ServerOptions> = {},
  instances = 1,
): Promise<{ servers: ProtocolServer[]; endpoints: Endpoints }> {
  const servers: ProtocolServer[] = [];
  for (let instance = 1; instance <= instances; instance++) {
    const server = await new ProtocolServer({
      playersTotal: workload.players,
      monstersTotal: workload.monsters,
      instance,
      instances,
      ...options,
    }).listen();
    closers.push(() => server.close());
    servers.push(server);
  }
  return {
    servers,
    endpoints: { worlds: servers.map(({ url }) => ({ url, pid: null })), database: null },
  };
}

async function prepare(workload: Workload, endpoints: Endpoints, workers = 2): Promise<ReadyFleet> {
  const engine = createNativeEngine({ workers, watchdog });
  const fleet = await engine.prepare(workload, endpoints, new AbortController().signal);
  closers.push(() => fleet.close());
  return fleet;
}

async function run(fleet: ReadyFleet): Promise<{ tally: Tally; seconds: LoadSecond[] }> {
  const seconds: LoadSecond[] = [];
  const tally = await fleet.run(micros(monotonic() + 100_000), (second) => seconds.push(second));
  return { tally, seconds };
}

/** Prepares, runs, closes. */
async function load(
  workload: Workload,
  options: Partial<ServerOptions> = {},
  { workers = 2, instances = 1 } = {},
): Promise<{ tally: Tally; seconds: LoadSecond[]; servers: ProtocolServer[]; fleet: ReadyFleet }> {
  const { servers, endpoints } = await serve(workload, options, instances);
  const fleet = await prepare(workload, endpoints, workers);
  const { tally, seconds } = await run(fleet);
  await fleet.close();
  return { tally, seconds, servers, fleet };
}

const settled = ({ ok, rejected, failed, timedOut, skipped, unfinished }: Counts): number =>
  ok + rejected + failed + timedOut + skipped + unfinished;

const isAlive = (pid: number): boolean => {
  try {
    kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** What an error of prepare or run says. */
async function failureOf(promise: Promise<unknown>): Promise<CapbenchError> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof CapbenchError) return thrown;
  throw new Error(`expected a CapbenchError, got ${String(thrown)}`);
}

describe('against a server that behaves', () => {
  test('everything that is due is sent, answered and in the ledger', async () => {
    const workload = workloadWith({ ramp: 1, warmUp: 1, duration: 2 });
    const { tally, seconds, servers, fleet } = await load(workload, {}, { instances: 2 });
    expect(fleet.connect).toMatchObject({ connected: 20, failed: 0 });
    expect(countOf(fleet.connect.connect)).toBe(20);
    expect(fleet.workerPids).toHaveLength(2);

    const { intent, monsterCommand } = tally.operations;
    // 20 players x 5/s and 20 posts/s x 10, over 2 s at full rate, exact to one a stream.
    expect(Math.abs(intent.measured.scheduled - 200)).toBeLessThanOrEqual(20);
    expect(Math.abs(monsterCommand.measured.scheduled - 400)).toBeLessThanOrEqual(10);
    for (const { whole, measured, due, service, lag } of [intent, monsterCommand]) {
      expect(whole.ok).toBe(whole.scheduled);
      expect(measured.ok).toBe(measured.scheduled);
      for (const histogram of [due, service, lag]) expect(countOf(histogram)).toBe(measured.ok);
    }
    expect(tally).toMatchObject({ disconnects: 0, errors: [] });
    expect(tally.endedAt).toBe(workload.timeline.end);
    expect(tally.scheduleHash).toMatch(/^[0-9a-f]{16}$/);

    // The servers' own record agrees with the ledger, entity by entity, and numbers are dense from 1.
    let received = 0;
    for (const server of servers) {
      for (const [entity, numbers] of server.received) {
        received += numbers.length;
        expect(numbers).toEqual(numbers.map((_, index) => index + 1));
        expect(tally.ledger.sentN[entity]).toBe(numbers.length);
        expect(tally.ledger.sentMax[entity]).toBe(numbers.length);
        expect(tally.ledger.ackedMax[entity]).toBe(numbers.length);
        expect(tally.ledger.ackedSum[entity]).toBe((numbers.length * (numbers.length + 1)) / 2);
      }
    }
    expect(received).toBe(intent.whole.ok + monsterCommand.whole.ok);

    // Seconds are deltas: they add up to the tally.
    for (const name of OPERATIONS) {
      for (const kind of ['scheduled', 'ok', 'rejected'] as const) {
        const sum = seconds.reduce((total, second) => total + second.operations[name][kind], 0);
        expect(sum).toBe(tally.operations[name].whole[kind]);
      }
    }
    expect(seconds.reduce((sum, { bytesIn }) => sum + bytesIn, 0)).toBe(tally.bytesIn);
    expect(seconds.slice(0, 4).map(({ at }) => at)).toEqual([1e6, 2e6, 3e6, 4e6]);
    expect(seconds[0]).toMatchObject({ connected: 20 });
    expect(seconds[0]?.workers.map(({ pid }) => pid)).toEqual(fleet.workerPids);
    expect(fleet.workerPids.filter(isAlive)).toEqual([]);
  });

  test('players say what they are supposed to', async () => {
    const { servers } = await load(workloadWith({ players: 50, intentRate: 20, postRate: 0, duration: 2 }));
    const texts = servers[0]?.texts ?? [];
    const share = (matches: (text: string) => boolean): number => texts.filter(matches).length / texts.length;
    expect(texts.length).toBeGreaterThan(1900);
    expect(share((text) => text.startsWith('go '))).toBeCloseTo(0.5, 1);
    expect(share((text) => text === 'look')).toBeGreaterThan(0.2);
    expect(share((text) => text === 'say hello')).toBeCloseTo(0.1, 1);
    expect(share((text) => text.startsWith('attack '))).toBeGreaterThan(0);
    // North is known to be open, west is only tried in the dark.
    expect(share((text) => text === 'go west')).toBeGreaterThan(0);
    expect(share((text) => text === 'go west')).toBeLessThan(0.05);
    expect(
      texts.filter((text) => !/^(go (north|east|south|west)|look|say hello|attack \d+)$/.test(text)),
    ).toEqual([]);
  });

  test('numbers go on where the servers left them', async () => {
    const { tally, servers } = await load(workloadWith({ duration: 1 }), { lastSeq: 40 });
    for (const numbers of servers[0]?.received.values() ?? []) expect(numbers[0]).toBe(41);
    expect(Math.min(...tally.ledger.sentMax.filter((max) => max > 0))).toBeGreaterThan(40);
  });

  test('one schedule for 1, 2 and 4 workers, another for another seed', async () => {
    const workload = workloadWith({ duration: 1, ramp: 1 });
    const hashes: string[] = [];
    const scheduled: number[] = [];
    for (const workers of [1, 2, 4]) {
      const { tally } = await load(workload, {}, { workers });
      hashes.push(tally.scheduleHash);
      scheduled.push(
        tally.operations.intent.whole.scheduled,
        tally.operations.monsterCommand.whole.scheduled,
      );
    }
    expect(new Set(hashes).size).toBe(1);
    expect(new Set(scheduled).size).toBe(2);
    const { tally } = await load({ ...workload, seed: 8 });
    expect(tally.scheduleHash).not.toBe(hashes[0]);
  });

  test('an early stop ends the schedule, and not its hash', async () => {
    const workload = workloadWith({ duration: 4 });
    const { endpoints } = await serve(workload);
    const whole = await run(await prepare({ ...workload }, endpoints));
    const fleet = await prepare(workload, (await serve(workload)).endpoints);
    const running = run(fleet);
    await sleep(1600);
    fleet.stop();
    fleet.stop();
    const { tally } = await running;
    expect(tally.endedAt).toBeGreaterThan(1e6);
    expect(tally.endedAt).toBeLessThan(2.5e6);
    const { whole: counts } = tally.operations.intent;
    expect(counts.ok).toBe(counts.scheduled);
    expect(counts.scheduled).toBeLessThan(whole.tally.operations.intent.whole.scheduled * 0.7);
    expect(tally.scheduleHash).toBe(whole.tally.scheduleHash);
  });

  test('a stop before GO is a run of no length', async () => {
    const workload = workloadWith({ duration: 2 });
    const fleet = await prepare(workload, (await serve(workload)).endpoints);
    fleet.stop();
    const { tally } = await run(fleet);
    expect(tally.operations.intent.whole.scheduled).toBe(0);
    expect(tally.endedAt).toBe(0);
  });
});

describe('against a server that does not', () => {
  test('a stall of a second is counted from the due times', async () => {
    const workload = workloadWith({ players: 100, intentRate: 2, duration: 4, postRate: 20 });
    const { servers, endpoints } = await serve(workload);
    const fleet = await prepare(workload, endpoints);
    const running = run(fleet);
    await sleep(1500);
    servers[0]?.stall(1000);
    const { tally } = await running;
    const { due, measured } = tally.operations.intent;
    expect(measured.ok).toBe(measured.scheduled);
    expect(due.max).toBeGreaterThanOrEqual(900_000);
    // 200/s were due in the second; those of its last 100 ms waited for less than 100 ms.
    expect(countAbove(due, 100_000)).toBeGreaterThan(0.9 * 200 - 30);
    expect(countAbove(due, 100_000)).toBeLessThan(0.9 * 200 + 60);
    expect(tally.operations.monsterCommand.due.max).toBeGreaterThanOrEqual(800_000);
  });

  test('a player keeps `outstanding` unanswered, then waits, then skips', async () => {
    const workload = workloadWith({
      players: 10,
      intentRate: 10,
      duration: 3,
      postRate: 0,
      timeout: micros(60e6),
      drain: micros(500_000),
    });
    const { tally, servers } = await load(workload, { intent: () => 'silence' });
    const { whole } = tally.operations.intent;
    for (const numbers of servers[0]?.received.values() ?? []) expect(numbers).toEqual([1, 2, 3, 4]);
    expect(whole.unfinished).toBe(40);
    expect(whole.skipped).toBe(whole.scheduled - 40);
    expect(Math.abs(whole.scheduled - 300)).toBeLessThanOrEqual(10);
    expect(settled(whole)).toBe(whole.scheduled);
    expect(countOf(tally.operations.intent.due)).toBe(0);
  });

  test('what is unanswered for too long times out, and frees its slot', async () => {
    const workload = workloadWith({
      players: 5,
      intentRate: 2,
      duration: 3,
      postRate: 10,
      timeout: micros(500_000),
    });
    const { tally } = await load(workload, { intent: () => 'silence', post: () => 'silence' });
    for (const name of OPERATIONS) {
      const { whole } = tally.operations[name];
      expect(whole.timedOut).toBe(whole.scheduled);
      expect(whole.scheduled).toBeGreaterThan(20);
    }
    expect(tally.ledger.ackedN.reduce((sum, n) => sum + n, 0)).toBe(0);
  });

  test('a lost connection fails what was unanswered and all that comes later', async () => {
    const workload = workloadWith({ players: 10, intentRate: 5, duration: 2, postRate: 0 });
    const { tally, seconds } = await load(workload, {
      intent: (player, seq) => (player === 3 && seq === 4 ? 'drop' : 'ok'),
    });
    const { whole } = tally.operations.intent;
    expect(tally.disconnects).toBe(1);
    expect(tally.ledger.ackedN[3]).toBe(3);
    expect(whole.failed).toBeGreaterThanOrEqual(5);
    expect(whole.ok + whole.failed).toBe(whole.scheduled);
    expect(seconds.at(-1)?.connected).toBe(9);
  });

  test('garbage costs the player its connection, and nothing else', async () => {
    const workload = workloadWith({ players: 10, intentRate: 5, duration: 2, postRate: 0 });
    const { tally } = await load(workload, {
      intent: (player, seq) => (player === 4 && seq === 2 ? 'garbage' : 'ok'),
    });
    expect(tally.disconnects).toBe(1);
    expect(tally.errors.join()).toContain('not of the protocol');
    expect(tally.operations.intent.whole.failed).toBeGreaterThan(0);
    expect(tally.ledger.ackedN[5]).toBeGreaterThanOrEqual(9);
  });

  test('an answer to nothing is an error of the protocol', async () => {
    const workload = workloadWith({
      players: 2,
      intentRate: 2,
      duration: 1,
      postRate: 0,
      timeout: micros(200_000),
    });
    const { tally } = await load(workload, { intent: () => 'wrongNumber' });
    expect(tally.errors.join()).toContain('was not waiting for an answer');
    expect(tally.operations.intent.whole.timedOut).toBe(tally.operations.intent.whole.scheduled);
    expect(Math.max(...tally.ledger.ackedN)).toBe(0);
  });

  test('rejections are answers', async () => {
    const { tally } = await load(workloadWith({ duration: 1 }), {
      intent: () => 'reject',
      post: () => 'reject',
    });
    for (const name of OPERATIONS) {
      const { whole, measured, due } = tally.operations[name];
      expect(whole.rejected).toBe(whole.scheduled);
      expect(countOf(due)).toBe(measured.rejected);
    }
    expect(tally.ledger.ackedN).toEqual(tally.ledger.sentN);
  });

  test('a refused post has failed, the next one has not', async () => {
    const workload = workloadWith({ players: 0, duration: 2 });
    const { tally } = await load(workload, { post: (post) => (post % 5 === 0 ? 'refuse' : 'commit') });
    const { whole } = tally.operations.monsterCommand;
    expect(whole.failed).toBeGreaterThan(0);
    expect(whole.failed % 10).toBe(0);
    expect(whole.ok + whole.failed).toBe(whole.scheduled);
    expect(tally.errors.join()).toContain('answered 400: {"error":"no such monster"}');
    expect(tally.disconnects).toBe(0);
  });

  test('202 is not a commit', async () => {
    const workload = workloadWith({ players: 0, duration: 1, timeout: micros(60e6), drain: micros(300_000) });
    const { tally } = await load(workload, { post: () => 'silence' });
    const { whole } = tally.operations.monsterCommand;
    expect(whole.unfinished).toBe(whole.scheduled);
    expect(Math.max(...tally.ledger.sentN)).toBeGreaterThan(0);
    expect(Math.max(...tally.ledger.ackedN)).toBe(0);
  });

  test('withheld answers hold posts back until they are skipped', async () => {
    const workload = workloadWith({
      players: 0,
      postRate: 100,
      duration: 3,
      timeout: micros(60e6),
      drain: micros(1.5e6),
    });
    const { tally, servers } = await load(workload, { post: () => 'withhold' }, { workers: 1 });
    const { whole } = tally.operations.monsterCommand;
    // HTTP answers in order: of the 32 that were sent, the server reads one after the other.
    expect(whole.unfinished).toBe(320);
    expect(whole.skipped).toBe(whole.scheduled - 320);
    expect(servers[0]?.posts[0]).toBe(1);
  });

  test('a broken post connection is not tried again', async () => {
    const workload = workloadWith({ players: 0, duration: 2, postRate: 50 });
    const { tally, servers } = await load(
      workload,
      { post: (post) => (post === 10 ? 'drop' : 'commit') },
      { workers: 1 },
    );
    const { whole } = tally.operations.monsterCommand;
    const posts = servers[0]?.posts ?? [];
    expect(new Set(posts).size).toBe(posts.length);
    expect(posts.at(-1)).toBe(10);
    expect(whole.ok).toBe(90);
    expect(whole.failed).toBe(whole.scheduled - 90);
    expect(tally.disconnects).toBe(1);
  });
});

describe('getting ready', () => {
  test('nobody listens', async () => {
    const spare = createServer();
    await new Promise<void>((resolve) => spare.listen(0, '127.0.0.1', resolve));
    const address = spare.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    await new Promise((resolve) => spare.close(resolve));
    const endpoints = { worlds: [{ url: `http://127.0.0.1:${port}`, pid: null }], database: null };
    const error = await failureOf(prepare(workloadWith(), endpoints));
    expect(error.exitCode).toBe(93);
    expect(error.message).toContain(`127.0.0.1:${port}`);
  });

  test('more than one percent cannot connect', async () => {
    const workload = workloadWith({ players: 300, postRate: 0 });
    const { endpoints } = await serve(workload, { refuses: (player) => player % 50 === 0 });
    const error = await failureOf(prepare(workload, endpoints));
    expect(error.exitCode).toBe(93);
    expect(error.message).toContain('404');
  });

  test('less than that is counted, and fails when it is due', async () => {
    const workload = workloadWith({ players: 300, intentRate: 1, postRate: 0, duration: 2 });
    const { tally, fleet } = await load(workload, { refuses: (player) => player === 7 });
    expect(fleet.connect).toMatchObject({ connected: 299, failed: 1 });
    expect(fleet.connect.errors).toHaveLength(1);
    const { whole } = tally.operations.intent;
    expect(whole.failed).toBeGreaterThanOrEqual(1);
    expect(whole.ok).toBe(whole.scheduled - whole.failed);
    expect(tally.disconnects).toBe(0);
  });

  test('a first frame that is no welcome', async () => {
    const workload = workloadWith({ players: 4, postRate: 0 });
    const { endpoints } = await serve(workload, { welcome: () => '{"hello":1}' });
    const error = await failureOf(prepare(workload, endpoints));
    expect(error.exitCode).toBe(93);
    expect(error.message).toContain('no welcome');
  });

  test('another world than the scenario means', async () => {
    const { endpoints } = await serve(workloadWith({ players: 21 }));
    const error = await failureOf(prepare(workloadWith(), endpoints));
    expect(error.exitCode).toBe(93);
    expect(error.message).toContain('21 players');
  });

  test('an interruption while players connect leaves no process', async () => {
    const workload = workloadWith({ players: 500, connectsPerSecond: 100 });
    const { endpoints, servers } = await serve(workload);
    const abort = new AbortController();
    const preparing = createNativeEngine({ workers: 2, watchdog }).prepare(workload, endpoints, abort.signal);
    setTimeout(() => abort.abort(), 600);
    const error = await failureOf(preparing);
    expect(error.exitCode).toBe(105);
    expect(servers[0]?.peak).toBeLessThan(500);
  });

  test('a worker that dies is named', async () => {
    const workload = workloadWith({ duration: 10 });
    const { endpoints } = await serve(workload);
    const fleet = await prepare(workload, endpoints);
    const running = failureOf(run(fleet));
    await sleep(500);
    kill(fleet.workerPids[1] ?? 0, 'SIGKILL');
    const error = await running;
    expect(error.message).toContain(`load worker 1 (process ${fleet.workerPids[1]})`);
    expect(error.message).toContain('SIGKILL');
    await fleet.close();
    expect(fleet.workerPids.filter(isAlive)).toEqual([]);
  });
});

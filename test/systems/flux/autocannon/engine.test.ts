import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { countAbove } from '../../../../src/histogram.ts';
import { whyNotAutocannon } from '../../../../src/systems/flux/autocannon/refusal.ts';
import { micros } from '../../../../src/units.ts';
import { workloadWith } from '../../../load/a-workload.ts';
import { load, prepare, run, serve } from '../../../load/engine-room.ts';
import { figuresOf } from '../../../load/ledger-figures.ts';

const engine = 'autocannon';
const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

test('autocannon sends the same posts as the native engine, with the same counts and ledger', async () => {
  const workload = workloadWith({ players: 4, intentRate: 0, duration: 1, postRate: 50 });
  const [native, other] = [
    await load(workload, {}, { instances: 2 }),
    await load(workload, {}, { instances: 2, engine }),
  ];
  expect(other.fleet.connect.connected).toBe(4);
  const { whole } = other.tally.operations.monsterCommand;
  expect(whole.scheduled).toBe(native.tally.operations.monsterCommand.whole.scheduled);
  expect(whole.ok).toBe(whole.scheduled);
  expect(other.tally.scheduleHash).toBe(native.tally.scheduleHash);
  expect(other.tally).toMatchObject({ errors: [], strayAnswers: 0, disconnects: 0 });
  expect(other.tally.ledger).toEqual(native.tally.ledger);
  // Head, query and body go out, and a head and a word come back.
  expect(other.tally.commandBytes).toBeGreaterThan(50 * 200);
  for (const server of other.servers) {
    expect(server.received.size).toBeGreaterThan(0);
    for (const numbers of server.received.values()) expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  }
});

test('autocannon does not wait for a server that stalls: posts that come due meanwhile are sent late', async () => {
  const workload = workloadWith({ players: 1, intentRate: 0, duration: 3, postRate: 20 });
  const { servers, endpoints } = await serve(workload);
  const fleet = await prepare(workload, endpoints, { workers: 1, engine });
  const running = run(fleet);
  await sleep(1200);
  servers[0]?.stall(1000);
  const { tally, seconds } = await running;
  const { due, measured } = tally.operations.monsterCommand;
  expect(measured.ok).toBe(measured.scheduled);
  expect(due.max).toBeGreaterThanOrEqual(800_000);
  // 20 posts of 10 were due in that second; of its last 300 ms, each waited for less than 300 ms.
  expect(countAbove(due, 300_000)).toBeGreaterThan(0.7 * 200 - 50);
  expect(countAbove(due, 300_000)).toBeLessThan(200 + 60);
  // They were under way, and not held back by the answers before them.
  expect(Math.max(...seconds.map(({ operations }) => operations.monsterCommand.inFlight))).toBeGreaterThan(
    30,
  );
});

test('posts that autocannon could not send in time are skipped and counted', async () => {
  const workload = workloadWith({
    ...{ players: 1, intentRate: 0, duration: 2, postRate: 100 },
    ...{ skipAfter: micros(200_000), drain: micros(500_000) },
  });
  const { tally, servers } = await load(workload, { post: () => 'withhold' }, { workers: 1, engine });
  const { whole } = tally.operations.monsterCommand;
  expect(servers[0]?.posts.length).toBe(32);
  expect(whole.unfinished).toBe(320);
  expect(whole.skipped).toBe(whole.scheduled - 320);
});

test('a refused post fails and the next one does not; when a connection breaks, nothing is sent twice', async () => {
  const workload = workloadWith({ players: 1, intentRate: 0, duration: 1, postRate: 50 });
  const refusing = await load(
    workload,
    { post: (post) => (post % 5 === 0 ? 'refuse' : 'commit') },
    { workers: 1, engine },
  );
  const { scheduled, ok, failed } = refusing.tally.operations.monsterCommand.whole;
  expect(failed).toBe(10 * Math.floor(scheduled / 10 / 5));
  expect(ok).toBe(scheduled - failed);
  expect(refusing.tally.errors.join()).toContain('was answered 400');

  const dropping = await load(
    workload,
    { post: (post) => (post === 10 ? 'drop' : 'commit') },
    { workers: 1, engine },
  );
  expect(dropping.servers[0]?.posts).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
  expect(dropping.tally.disconnects).toBe(1);
  expect(dropping.tally.operations.monsterCommand.whole).toMatchObject({ ok: 90, skipped: 0 });
  expect(sum(figuresOf(dropping.tally.ledger).ackedN)).toBe(90);
});

test('a server that is killed and restarted has every operation that was acknowledged to autocannon', async () => {
  const workload = workloadWith({
    ...{ reconnect: true, players: 1, intentRate: 0, postRate: 40, duration: 4 },
  });
  const { servers, endpoints } = await serve(workload, { commitAfter: 20 });
  const fleet = await prepare(workload, endpoints, { workers: 1, engine });
  const running = run(fleet);
  await sleep(1500);
  await servers[0]?.kill();
  await sleep(500);
  await servers[0]?.restart();
  const { tally } = await running;
  const { scheduled, ok, failed, skipped } = tally.operations.monsterCommand.whole;
  expect(tally).toMatchObject({ disconnects: 2, reconnects: 2, strayAnswers: 0 });
  expect(ok + failed + skipped).toBe(scheduled);
  expect(ok).toBeGreaterThan(scheduled / 2);
  const { ackedN, sentN } = figuresOf(tally.ledger);
  expect(sum(ackedN)).toBe([...(servers[0]?.rows.values() ?? [])].flat().length);
  expect(sum(sentN)).toBe(sum(ackedN));
});

test('intents and https are refused, with what to do instead', () => {
  const monsters = workloadWith({ intentRate: 0 });
  expect(whyNotAutocannon(workloadWith({ intentRate: 1 }), [])).toContain('intent.perSecond=0');
  expect(whyNotAutocannon(monsters, [{ url: 'https://127.0.0.1:1' }])).toContain('certificate');
  expect(whyNotAutocannon(monsters, [{ url: 'http://127.0.0.1:1' }])).toBeNull();
});

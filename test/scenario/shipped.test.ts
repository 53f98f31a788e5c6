import { expect, test } from 'vitest';
import { claims, rates, read, shipped, workload } from './scenario-text.ts';

const m4pro = read(shipped('m4pro-20k'));
const fluxClaims = [...claims.values()].filter(({ id }) => id.startsWith('FLX-'));

test('m4pro-20k accounts for every flux claim, once', () => {
  expect(fluxClaims).toHaveLength(183);
  expect(m4pro.budgets.map(({ claim }) => claim).toSorted()).toEqual(
    fluxClaims.map(({ id }) => id).toSorted(),
  );
});

test('at least 60 of them are measured, and 60 can decide the verdict', () => {
  const measured = m4pro.budgets.filter(({ state }) => state === 'measured');
  expect(measured.length).toBeGreaterThanOrEqual(60);
  expect(
    measured.filter((budget) => budget.state === 'measured' && budget.contradicted === null).length,
  ).toBeGreaterThanOrEqual(60);
});

test('every setting that a measured claim names is in the scenario', () => {
  const own = ['worldHeap', 'worldBatchInterval', 'postgresVersion', 'node'];
  for (const budget of m4pro.budgets) {
    if (budget.state !== 'measured') continue;
    const { setting } = budget.metric;
    if (setting !== null)
      expect([...own, ...Object.keys(m4pro.postgres.settings)], budget.id).toContain(setting);
  }
});

test('operator and limit are those of the claim, unless the title says how it is interpreted', () => {
  for (const budget of m4pro.budgets) {
    const claim = claims.get(budget.claim ?? '');
    if (claim === undefined) throw new Error(`${budget.id} has no claim`);
    expect(budget.title.startsWith(claim.quantity), budget.id).toBe(true);
    expect(budget.source, budget.id).toEqual(claim.source);
    if (budget.title === claim.quantity) {
      expect([budget.id, budget.op, budget.limit]).toEqual([claim.id, claim.operator, claim.value]);
    }
  }
});

test('claims that depend on the load apply only at the documented load', () => {
  const own = /^(load|latency|throughput|world|database|network|host)\./;
  // A share, a count of processes, hit ratios, free memory and the shortest window of a batch are claimed for any load.
  const ofAnyLoad = ['FLX-100', 'FLX-002', 'FLX-183', 'FLX-144', 'FLX-147', 'FLX-159', 'FLX-067'];
  const open = m4pro.budgets.filter(
    (budget) =>
      budget.state === 'measured' &&
      budget.contradicted === null &&
      own.test(budget.metric.path) &&
      !budget.fullLoad,
  );
  expect(open.map(({ id }) => id).toSorted()).toEqual(ofAnyLoad.toSorted());
});

test('the window of a batch is judged by how often batches are written, which no setting repeats', () => {
  expect(m4pro.budgets.find(({ id }) => id === 'FLX-067')).toMatchObject({
    metric: { path: 'throughput.batchesPerSecond' },
    ...{ op: '<=', limit: 400, metricUnit: 'batches/s', fullLoad: false },
  });
});

test('missing and contradicted claims have a reason in words', () => {
  for (const budget of m4pro.budgets) {
    if (budget.state === 'untestable') expect(budget.missing.length, budget.id).toBeGreaterThan(10);
    if (budget.state === 'contradicted') expect(budget.contradicted, budget.id).toMatch(/\d|four/);
  }
});

test('flux has one server behind the edge proxy, which knows nothing of places', () => {
  const text = (servers: number): string =>
    `name: a\nsystem: flux\nload: { players: 10 }\nworld: { servers: ${servers} }\nedge: { program: haproxy }\n`;
  expect(read(text(1)).edge?.program).toBe('haproxy');
  expect(() => read(text(2))).toThrow(/got 2 world servers behind the edge proxy, expected one/);
});

test('m4pro-20k has the documented load', () => {
  expect(m4pro.load).toMatchObject({
    ...{ players: 20_000, monsters: 75_000, connectsPerSecond: 2000 },
    ...{ ramp: 5e6, warmUp: 5e6, duration: 60e6, drain: 15e6 },
  });
  expect(rates(m4pro)).toEqual([20_000, 400_000]);
  expect(m4pro.world).toEqual({
    ...{ servers: 4, playersPerPlace: 2, rowShape: 'columns', heap: 3072, node: 22 },
    batch: { operations: 1663, interval: 10e3 },
  });
  expect(workload(m4pro)).toMatchObject({
    own: { postRate: 2000 },
    timeline: { rampEnd: 5e6, measureStart: 10e6, end: 70e6 },
  });
});

test("m4pro-20k has PostgreSQL's settings as documented", () => {
  expect(m4pro.postgres).toEqual({
    version: 16,
    settings: {
      ...{ shared_buffers: '32GB', effective_cache_size: '40GB', work_mem: '512MB' },
      ...{ maintenance_work_mem: '4GB', max_connections: '400', listen_addresses: '' },
      ...{ max_worker_processes: '4', max_parallel_workers: '4', max_parallel_workers_per_gather: '2' },
      ...{ max_parallel_maintenance_workers: '2', checkpoint_completion_target: '0.9', wal_buffers: '256MB' },
      ...{ random_page_cost: '1.1', effective_io_concurrency: '200', synchronous_commit: 'on' },
      ...{ wal_compression: 'on', checkpoint_timeout: '10min', max_wal_size: '4GB' },
      ...{ shared_preload_libraries: 'pg_stat_statements', track_activity_query_size: '2048' },
      ...{ log_line_prefix: '%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ', log_statement: 'mod' },
      ...{ log_min_duration_statement: '1000', log_checkpoints: 'on', log_connections: 'off' },
    },
  });
});

test('quickstart ends within a minute and is judged by its own budgets', () => {
  const { load, budgets } = read(shipped('quickstart'));
  expect((load.ramp + load.warmUp + load.duration + load.drain) / 1e6).toBeLessThanOrEqual(40);
  expect(budgets.length).toBeGreaterThanOrEqual(12);
  expect(budgets.every(({ claim, state }) => claim === null && state === 'measured')).toBe(true);
});

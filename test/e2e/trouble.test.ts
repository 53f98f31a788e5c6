import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { processesIn } from '../stack/leftovers.ts';
import { capbench, eventually, root, type Started, small } from './capbench.ts';

const linux = process.platform === 'linux';

/** A world server of the run, from outside: its process and what it was told. */
function worldServers({ tmp }: Started): { pid: number; env: Record<string, string> }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        if (!readFileSync(`/proc/${name}/cmdline`, 'latin1').includes('world-flux')) return [];
        const env = Object.fromEntries(
          readFileSync(`/proc/${name}/environ`, 'latin1')
            .split('\0')
            .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
        );
        return env.TMPDIR === tmp ? [{ pid: Number(name), env }] : [];
      } catch {
        return [];
      }
    });
}

/** The run's own database, as somebody with the password would open it. */
async function openDatabase(run: Started): Promise<pg.Client> {
  const world = await eventually('a world server', () => worldServers(run)[0]);
  const client = new pg.Client({
    host: world.env.DB_SOCKET_PATH ?? '',
    port: Number(world.env.DB_PORT),
    user: world.env.DB_USER ?? '',
    password: world.env.DB_PASSWORD ?? '',
    database: world.env.DB_NAME ?? '',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const appliedOperations = async (client: pg.Client): Promise<number> =>
  client.query<{ n: string }>('select coalesce(sum(applied_n), 0) as n from entity').then(
    ({ rows }) => Number(rows[0]?.n),
    () => 0,
  );

/** Seconds after GO at which the load is on, told from the rows. */
const underLoad = (client: pg.Client): Promise<true> =>
  eventually('operations in the rows', async () => ((await appliedOperations(client)) > 0 ? true : null));

test.runIf(linux)('rows altered by hand are caught', { timeout: 120_000 }, async () => {
  const run = capbench(['run', small, '--duration', '3s']);
  const client = await openDatabase(run);
  await underLoad(client);
  // As if three committed operations of one player had never been.
  await client.query('update entity set applied_n = applied_n - 3 where id = 5');
  await client.end();
  const { code, stdout } = await run.finished;
  expect(code, stdout).toBe(92);
  expect(run.report().integrity.lost).toBe(3);
  expect(run.report().outcome).toBe('fail');
});

test.runIf(linux)('latency counts from due: a stop of one second shows', { timeout: 120_000 }, async () => {
  const run = capbench([
    'run',
    small,
    '--duration',
    '5s',
    '--set',
    'ceilings.secondsEach=0',
    '--set',
    'load.skipAfter=5s',
  ]);
  await loadIsOn(run);
  // Ramp and warm-up last one second together: two seconds on, the measure phase has begun.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const [first, second] = worldServers(run);
  for (const { pid } of [first!, second!]) process.kill(pid, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  for (const { pid } of [first!, second!]) process.kill(pid, 'SIGCONT');
  const { stdout, stderr } = await run.finished;
  const { due } = run.measurements().operations.intent;
  expect(due.max, stdout + stderr).toBeGreaterThanOrEqual(900_000);
  // 120 intents were due in that second: half of them waited more than half of it.
  const slow = due.counts.filter(([value]) => value > 500_000).reduce((sum, [, count]) => sum + count, 0);
  expect(slow).toBeGreaterThanOrEqual(45);
  expect(slow).toBeLessThanOrEqual(90);
});

test.runIf(linux)('the end of PostgreSQL ends the run with 93', { timeout: 120_000 }, async () => {
  const run = capbench(['run', small, '--duration', '20s', '--set', 'ceilings.secondsEach=0']);
  const client = await openDatabase(run);
  await underLoad(client);
  const { rows } = await client.query<{ folder: string }>(
    `select current_setting('data_directory') as folder`,
  );
  const postmaster = Number(
    readFileSync(join(rows[0]?.folder ?? '', 'postmaster.pid'), 'utf8').split('\n')[0],
  );
  process.kill(postmaster, 'SIGKILL');
  const { code, stdout, stderr } = await run.finished;
  expect(code, stdout + stderr).toBe(93);
  expect(stderr).toMatch(/error: .*postgres/i);
  expect(run.report().outcome).toBe('invalid');
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});

async function loadIsOn(run: Started): Promise<void> {
  const client = await openDatabase(run);
  await underLoad(client);
  await client.end();
}

const PHASES = [
  {
    phase: 'start',
    when: async ({ tmp }: Started): Promise<void> => {
      await eventually('a run folder', () => (readdirSync(tmp).length > 0 ? true : null));
    },
  },
  {
    phase: 'load',
    when: async (run: Started): Promise<void> => {
      await loadIsOn(run);
    },
  },
];

test.runIf(linux).each(PHASES)(
  'Ctrl-C during $phase: 105, and nothing left',
  { timeout: 120_000 },
  async ({ when }) => {
    const run = capbench(['run', small, '--duration', '30s', '--set', 'ceilings.secondsEach=0']);
    await when(run);
    run.child.kill('SIGINT');
    const { code, stdout, stderr } = await run.finished;
    expect(code, stdout + stderr).toBe(105);
    expect(run.report()).toMatchObject({ outcome: 'invalid', exitCode: 105 });
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  },
);

test.runIf(linux).each(PHASES)(
  'SIGKILL during $phase: nothing left',
  { timeout: 120_000 },
  async ({ when }) => {
    const run = capbench(['run', small, '--duration', '30s', '--set', 'ceilings.secondsEach=0']);
    await when(run);
    run.child.kill('SIGKILL');
    await run.finished;
    await eventually('an end of all that was started', () => {
      const { processes, files } = run.leftovers();
      return processes.length === 0 && files.length === 0 ? true : null;
    });
  },
);

test('serve holds a stack that run --target drives', { timeout: 120_000 }, async () => {
  const served = capbench(['serve', small, '--json']);
  await served.says('}\n');
  const { worlds } = JSON.parse(
    served
      .output()
      .split('\n')
      .find((line) => line.startsWith('{')) ?? '{}',
  ) as {
    worlds: string[];
  };
  expect(worlds).toHaveLength(2);
  const targets = worlds.flatMap((url) => ['--target', url]);
  const run = capbench(['run', small, '--duration', '1s', ...targets]);
  const { code, stdout } = await run.finished;
  expect([0, 99], stdout).toContain(code);
  expect(run.report().load.peakCcu).toBe(60);
  expect(run.report().rulings.find(({ id }) => id === 'lost')?.state).toBe('unmeasured');

  // The same players again: their numbers go on where the rows are.
  const again = capbench(['run', small, '--duration', '1s', ...targets]);
  await again.finished;
  const { intent } = again.report().load.wholeRun;
  expect(intent.ok + intent.rejected).toBe(intent.scheduled);

  served.child.kill('SIGINT');
  expect((await served.finished).code).toBe(0);
  expect(served.leftovers()).toEqual({ processes: [], files: [] });
});

test('a port in use', { timeout: 60_000 }, async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', () => resolve()));
  const address = holder.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { code, stderr } = await capbench(['serve', small, '--port', String(port)]).finished;
  holder.close();
  expect(code).toBe(93);
  expect(stderr).toContain('already in use');
  expect(stderr).toContain('--port');
});

test.each([
  { what: 'an unknown scenario', args: ['run', 'nosuch'], code: 104, says: 'quickstart' },
  {
    what: 'a target nobody listens on',
    args: ['run', small, '--target', 'http://127.0.0.1:9'],
    code: 93,
    says: 'nobody listens',
  },
  {
    what: 'a target that is not loopback',
    args: ['run', small, '--target', 'http://192.0.2.1:80'],
    code: 104,
    says: 'loopback',
  },
  { what: 'a bad scale', args: ['run', small, '--scale', '0'], code: 104, says: '--scale' },
  { what: 'no number', args: ['run', small, '--set', 'load.players=.nan'], code: 104, says: 'load.players' },
  { what: 'a bundle that is none', args: ['report', root], code: 104, says: 'measurements.json' },
])('$what', { timeout: 60_000 }, async ({ args, code, says }) => {
  const finished = await capbench(args).finished;
  expect(finished.code, finished.stdout + finished.stderr).toBe(code);
  expect(finished.stderr).toContain('error: ');
  expect(finished.stderr).toContain(says);
  expect(finished.stderr).not.toMatch(/^\s+at /m);
});

test.runIf(linux)(
  'a load worker that is stuck for ever does not hold the run for ever',
  { timeout: 120_000 },
  async () => {
    const run = capbench([
      'run',
      small,
      '--duration',
      '1s',
      '--set',
      'ceilings.secondsEach=0',
      '--set',
      'load.drain=1s',
    ]);
    await loadIsOn(run);
    const worker = processesIn(run.tmp).find(({ command }) => command.includes('fleet-worker'));
    process.kill(worker?.pid ?? 0, 'SIGSTOP');
    const { code, stdout, stderr } = await run.finished;
    expect(code, stdout + stderr).toBe(93);
    expect(stderr).toContain('load worker');
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  },
);

test.runIf(linux)(
  'a world server that stops for ever in the load ends with a bundle',
  { timeout: 120_000 },
  async () => {
    const run = capbench([
      'run',
      small,
      '--duration',
      '1s',
      '--set',
      'ceilings.secondsEach=0',
      '--set',
      'load.drain=1s',
      '--set',
      'load.timeout=1s',
    ]);
    await loadIsOn(run);
    process.kill(worldServers(run)[0]?.pid ?? 0, 'SIGSTOP');
    const { code, stdout, stderr } = await run.finished;
    expect([90, 93], stdout + stderr).toContain(code);
    expect(run.report().outcome).toBe('invalid');
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  },
);

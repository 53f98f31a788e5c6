import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { capbench, root, small } from './capbench.ts';
import { loadIsOn, openDatabase, underLoad, worldServers } from './faults/inside.ts';

const linux = process.platform === 'linux';

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
  // None is counted twice; a machine that other tests keep busy is slow for a moment of its own.
  expect(slow).toBeLessThanOrEqual(150);
});

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

import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { countOf } from '../../src/histogram.ts';
import { portOf } from '../loopback.ts';
import { capbench, small } from './capbench.ts';
import { loadIsOn, openDatabase, underLoad, worldServers } from './faults/inside.ts';

const linux = process.platform === 'linux';

test.runIf(linux)('rows that were altered by hand are detected', { timeout: 120_000 }, async () => {
  const run = capbench(['run', small, '--duration', '3s']);
  const client = await openDatabase(run);
  await underLoad(client);
  // Removes three committed operations of one player from its row.
  await client.query('update entity set applied_n = applied_n - 3 where id = 5');
  await client.end();
  await run.ends(92);
  expect(run.report().integrity.lost).toBe(3);
  expect(run.report().outcome).toBe('fail');
});

test.runIf(linux)(
  'latency counts from due: a pause of one second is visible',
  { timeout: 120_000 },
  async () => {
    const run = capbench([
      ...['run', small, '--duration', '5s', '--set', 'ceilings.secondsEach=0', '--set', 'load.skipAfter=5s'],
      ...['--set', 'load.monsterCommandsPerSecond=200'],
    ]);
    await loadIsOn(run);
    // Ramp and warm-up last one second together: two seconds on, the measure phase has begun.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const both = worldServers(run);
    expect(both).toHaveLength(2);
    for (const { pid } of both) process.kill(pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    for (const { pid } of both) process.kill(pid, 'SIGCONT');
    const { stdout, stderr } = await run.finished;
    const { due } = run.measurements().operations.intent;
    expect(due.max, stdout + stderr).toBeGreaterThanOrEqual(900_000);
    // 120 intents were due in that second: half of them waited more than half of it.
    const slow = due.counts.filter(([value]) => value > 500_000).reduce((sum, [, count]) => sum + count, 0);
    expect(slow).toBeGreaterThanOrEqual(45);
    // Each is counted once, however slow the machine was beside that.
    const { ok, rejected } = run.measurements().operations.intent.measured;
    expect(countOf(due)).toBe(ok + rejected);
  },
);

test('a port in use', { timeout: 60_000 }, async () => {
  const port = await portOf(createServer());
  const { stderr } = await capbench(['serve', small, '--port', String(port)]).ends(93);
  expect(stderr).toContain('already in use');
  expect(stderr).toContain('--port');
});

test.each([
  ['an unknown scenario', ['run', 'nosuch'], 104, 'quickstart'],
  ['a target nobody listens on', ['run', small, '--target', 'http://127.0.0.1:9'], 93, 'connection refused'],
] as const)('%s', { timeout: 60_000 }, async (_what, args, code, says) => {
  const { stderr } = await capbench(args).ends(code);
  expect(stderr).toContain('error: ');
  expect(stderr).toContain(says);
  expect(stderr).not.toMatch(/^\s+at /m);
});

import { platform } from 'node:os';
import { expect, test } from 'vitest';
import { capbench } from './capbench.ts';

test('this host is ready for the runs of this suite', { timeout: 60_000 }, async () => {
  const run = capbench(['doctor', '--json']);
  const { stdout } = await run.ends(0);
  const { ready, checks } = JSON.parse(stdout);
  expect(ready).toBe(true);
  expect(checks.filter(({ state }: { state: string }) => state === 'error')).toEqual([]);
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});

test.runIf(platform() === 'linux')(
  'too few open files for any run end it with 93',
  { timeout: 60_000 },
  async () => {
    const run = capbench(['doctor'], { before: ['prlimit', '--nofile=64'] });
    const { stdout } = await run.ends(93);
    expect(stdout).toMatch(/✗ Open files +64 a process: not enough for 1,000 players/);
    expect(stdout).toMatch(/→ .*ulimit -n/);
    expect(stdout).toMatch(/NOT READY \(93\) {2}to be fixed first: Open files\n$/);
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  },
);

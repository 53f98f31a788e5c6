import { expect, test } from 'vitest';
import { processesIn } from '../stack/leftovers.ts';
import { capbench } from './capbench.ts';

test('Ctrl-C while a benchmark runs ends it with 105, and leaves nothing', async () => {
  const run = capbench(['score']);
  await expect
    .poll(() => processesIn(run.tmp).filter(({ command }) => command.includes('score-benchmark')).length)
    .toBeGreaterThan(0);
  run.child.kill('SIGINT');
  const { stdout, stderr } = await run.ends(105);
  expect(stdout).toBe('');
  expect(stderr).toContain('stopped before this machine was measured');
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});

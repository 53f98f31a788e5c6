import { expect, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { memoryHost } from '../memory-host.ts';

async function list(env: Readonly<Record<string, string>>, ...flags: string[]): Promise<string> {
  const host = memoryHost(['list', ...flags], { env });
  expect(await runCli(host)).toBe(0);
  return host.out();
}

test('each scenario names the programs that its stack needs, and whether they are here', async () => {
  const programs = (text: string) =>
    new Map<string, { program: string; here: boolean; bring: string }[]>(
      JSON.parse(text).map(({ name, needs }: { name: string; needs: never[] }) => [name, needs]),
    );
  const bare = programs(await list({ PATH: '/nowhere' }, '--json'));
  expect(bare.get('quickstart')).toEqual([
    { program: 'PostgreSQL', here: true, bring: expect.stringContaining('CAPBENCH_POSTGRES_BIN') },
  ]);
  const small = [...bare].flatMap(([name, needs]) =>
    needs.some(({ program }) => program === 'Redis') ? [name] : [],
  );
  expect(small.length).toBeGreaterThan(0);
  expect(bare.get(small[0]!)).toContainEqual({
    ...{ program: 'Redis', here: false, bring: 'capbench setup redis' },
  });
  expect(await list({ PATH: '/nowhere' })).toMatch(
    /PostgreSQL.*Redis \(not here:\s+capbench\s+setup redis\)/s,
  );
  const withRedis = programs(await list({ CAPBENCH_REDIS_BIN: process.execPath }, '--json'));
  expect(withRedis.get(small[0]!)).toContainEqual(expect.objectContaining({ program: 'Redis', here: true }));
});

import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { refuseWithoutPackages } from '../../src/commands/stack-opener.ts';
import { programFinder } from '../../src/doctor/needed-program.ts';
import { memoryHost } from '../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

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
    /PostgreSQL.*Redis \(not here:\s+capbench\s+setup\s+redis\)/s,
  );
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'redis-server'), '#!/bin/sh\necho "Redis server v=7.4.2 sha=0"\n', {
    mode: 0o755,
  });
  // A folder may be named from where capbench is called.
  const withRedis = programs(await list({ CAPBENCH_REDIS_BIN: relative(process.cwd(), folder) }, '--json'));
  expect(withRedis.get(small[0]!)).toContainEqual(expect.objectContaining({ program: 'Redis', here: true }));
  expect(bare.get('m4pro-edge')?.map(({ program, here }) => [program, here])).toEqual([
    ['PostgreSQL', true],
    ['haproxy', expect.any(Boolean)],
    ['openssl', false],
  ]);
  // What a run would refuse is not here.
  const other = programs(await list({ CAPBENCH_REDIS_BIN: process.execPath }, '--json'));
  expect(other.get(small[0]!)).toContainEqual({
    ...{ program: 'Redis', here: false },
    bring: expect.stringMatching(/^correct CAPBENCH_REDIS_BIN.*unset it$/),
  });
});

test('check shows the programs of the stack with their settings, and what is not on this machine', async () => {
  const check = async (env: Readonly<Record<string, string>>, ...flags: string[]): Promise<string> => {
    const host = memoryHost(['check', 'quiz-edge', ...flags], { env });
    expect(await runCli(host)).toBe(0);
    return host.out();
  };
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'redis-server'), '#!/bin/sh\necho "Redis server v=7.4.2 sha=0"\n', {
    mode: 0o755,
  });
  writeFileSync(join(folder, 'nginx'), '#!/bin/sh\necho "nginx version: nginx/1.27.0" >&2\n', {
    mode: 0o755,
  });
  const whole = await check({ PATH: folder });
  expect(whole).toMatch(/^EDGE\n {2}program +nginx 1\.27\.0 \(/m);
  expect(whole).toMatch(
    /^REDIS.*\n {2}program +Redis 7\.4\.2 \(.*redis-server\)\n(?: {2}\S+ .*\n)*\nPOSTGRESQL/m,
  );
  expect(whole).not.toContain('NOT ON THIS MACHINE');
  const bare = await check({ PATH: '/nowhere', CAPBENCH_NGINX_BIN: '/nowhere/nginx' });
  expect(bare).toMatch(
    /^NOT ON THIS MACHINE\n {2}Redis: capbench setup redis\n {2}nginx: correct CAPBENCH_NGINX_BIN/m,
  );
  expect(JSON.parse(await check({ PATH: '/nowhere' }, '--json')).programs).toContainEqual({
    ...{ program: 'Redis', here: false, bring: 'capbench setup redis' },
  });
  const given = await check({ PATH: folder }, '--redis', 'redis://127.0.0.1:7001/1');
  expect(given).toMatch(/^REDIS.*\n {2}given +127\.0\.0\.1:7001 \(--redis\)/m);
});

test('optional packages are a need, too: those that are missing are named with the line that installs them', async () => {
  const wanted = ['ws@8.0.0', '@nowhere/none@1.2.3'];
  const neededBy = programFinder({});
  expect(await neededBy([], { edge: undefined }, { name: 'Some packages', wanted })).toEqual([
    { name: 'Some packages', path: null, version: null, bring: 'npm install @nowhere/none@1.2.3' },
  ]);
  expect(await neededBy([], { edge: undefined }, { name: 'ws', wanted: ['ws@8.0.0'] })).toMatchObject([
    { path: expect.stringMatching(/node_modules\/ws$/) },
  ]);
  const { massless } = await import('../../src/systems/massless/system.ts');
  const subject = { scenario: { name: 'z' }, system: massless } as unknown as Parameters<
    typeof refuseWithoutPackages
  >[0];
  expect(() => refuseWithoutPackages(subject)).not.toThrow();
  const without = { ...massless, scenario: { ...massless.scenario, packages: { name: 'Colyseus', wanted } } };
  expect(() => refuseWithoutPackages({ ...subject, system: without })).toThrow(
    expect.objectContaining({
      exitCode: 93,
      message: 'z needs Colyseus, which is not installed, or not all of it: @nowhere/none@1.2.3',
      hint: 'npm install @nowhere/none@1.2.3',
    }),
  );
});

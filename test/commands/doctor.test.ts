import { chmodSync, writeFileSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { readHostFacts, threadsIn } from '../../src/doctor/read-host-facts.ts';
import { stackFailed } from '../../src/errors.ts';
import { outputOf } from '../../src/supervision/program.ts';
import { memoryHost } from '../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** Shell scripts that stand in for programs, in a folder for PATH. */
function programs(scripts: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

async function doctor(env: Readonly<Record<string, string>>) {
  const host = memoryHost(['doctor', '--json'], { env });
  const code = await runCli(host);
  const { ready, checks } = JSON.parse(host.out());
  const states = new Map<string, { state: string; found: string; advice: string | null }>(
    checks.map((check: { id: string }) => [check.id, check]),
  );
  return { code, ready, states };
}

test("the facts of this host agree with the programs' own output", async () => {
  const PATH = programs({
    k6: 'echo "k6 v2.2.0 (go1.25.0, linux/amd64)"',
    'valkey-server': 'echo "Valkey server v=8.0.1 sha=00000000:0"',
    nginx: 'echo "nginx version: nginx/1.22.1" >&2',
    docker: 'echo "the daemon is not running" >&2; exit 3',
  });
  const { code, ready, states } = await doctor({ PATH });
  expect([...states.values()].filter(({ state }) => state === 'error')).toEqual([]);
  expect({ code, ready }).toEqual({ code: 0, ready: true });
  expect(states.get('postgres')?.found).toMatch(/^16\.\d+, from the npm package/);
  expect(states.get('k6')).toMatchObject({ state: 'ok', found: `2.2.0 (${PATH}/k6)` });
  expect(states.get('redis')).toMatchObject({ state: 'ok', found: `8.0.1 (${PATH}/valkey-server)` });
  expect(states.get('nginx')).toMatchObject({ state: 'ok', found: `1.22.1 (${PATH}/nginx)` });
  expect(states.get('docker')).toMatchObject({
    state: 'warning',
    found: expect.stringContaining(
      `${PATH}/docker does not work: it ended with 3: the daemon is not running (`,
    ),
    advice: expect.stringContaining(`${PATH}/docker version`),
  });
  if (platform() === 'linux') expect(states.get('descriptors')?.state).not.toBe('unavailable');
});

test('programs that variables name are asked, and one that cannot be used comes with the variable to correct', async () => {
  const PATH = programs({});
  const named = programs({
    nginx: 'echo "nginx version: openresty/1.25.3.1" >&2',
    haproxy: 'echo "HAProxy version 2.6.12-1+deb12u2 2025/04/16"',
    'redis-server': 'echo "Redis server v=5.0.14 sha=0"',
    other: 'echo "other 3.2"',
  });
  const { code, states } = await doctor({
    ...{ PATH, CAPBENCH_NGINX_BIN: `${named}/nginx`, CAPBENCH_HAPROXY_BIN: named },
    CAPBENCH_REDIS_BIN: named,
  });
  expect(code).toBe(0);
  expect(states.get('nginx')).toMatchObject({ state: 'ok', found: `1.25.3.1 (${named}/nginx)` });
  expect(states.get('haproxy')).toMatchObject({ state: 'ok', found: `2.6.12 (${named}/haproxy)` });
  expect(states.get('redis')).toMatchObject({
    state: 'warning',
    found: expect.stringContaining(`${named}/redis-server is Redis 5.0.14, and capbench needs 6.2 or newer`),
    advice: expect.stringMatching(/^correct CAPBENCH_REDIS_BIN/),
  });
  const wrong = await doctor({
    PATH,
    CAPBENCH_NGINX_BIN: `${named}/other`,
    CAPBENCH_HAPROXY_BIN: '/nowhere',
  });
  expect(wrong.states.get('nginx')).toMatchObject({
    state: 'warning',
    found: expect.stringContaining('names no version of nginx'),
    advice: expect.stringMatching(/^correct CAPBENCH_NGINX_BIN/),
  });
  expect(wrong.states.get('haproxy')).toMatchObject({
    state: 'warning',
    found: expect.stringContaining('CAPBENCH_HAPROXY_BIN is /nowhere'),
  });
  expect(wrong.states.get('scenarios')).toMatchObject({
    state: 'warning',
    advice: expect.stringContaining('correct CAPBENCH_NGINX_BIN'),
  });
});

test('a missing PostgreSQL ends it with 93, an outdated k6 does not', async () => {
  const PATH = programs({ k6: 'echo "k6 v1.8.1"' });
  const { code, ready, states } = await doctor({ PATH, CAPBENCH_POSTGRES_BIN: PATH });
  expect({ code, ready }).toEqual({ code: 93, ready: false });
  expect(states.get('postgres')).toMatchObject({
    state: 'error',
    found: `CAPBENCH_POSTGRES_BIN is ${PATH}, which has no initdb`,
    advice: expect.stringContaining('initdb and postgres'),
  });
  expect(states.get('k6')).toMatchObject({
    state: 'warning',
    found: expect.stringContaining('is no k6 of version 2'),
  });
});

test('without a temporary folder the other checks continue, and a bug is not reported as a missing program', async () => {
  const { machine } = memoryHost([]);
  const env = { PATH: programs({ nginx: 'echo "nginx version: nginx/1.22.1" >&2' }) };
  const asking = (thrown: Error) =>
    readHostFacts({
      env,
      machine,
      scenarios: async () => [],
      checkTemporaryFolder: () => Promise.reject(thrown),
    });
  const facts = await asking(stackFailed('/tmp is not a directory', 'set TMPDIR'));
  expect(facts.temporary).toEqual({ problem: '/tmp is not a directory', hint: 'set TMPDIR' });
  expect(facts.postgres).toBeNull();
  expect(facts.programs.nginx).toMatchObject({ version: '1.22.1' });
  await expect(asking(new TypeError('a bug'))).rejects.toThrow('a bug');
});

test('the page has the facts in groups, and advice at its end', async () => {
  const host = memoryHost(['doctor'], { env: { PATH: programs({}) } });
  expect(await runCli(host)).toBe(0);
  const page = host.out();
  expect(page).toMatch(/^capbench 9\.9\.9 on linux-x64\n\n {2}MACHINE\n/);
  expect(page).toContain('\n  LIMITS\n');
  expect(page).toContain('\n  PROGRAMS\n');
  expect(page).toMatch(/\n {2}READY \(0\)[^\n]*\n$/);
  expect(page.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test('a program that does not answer is ended with all its children', async () => {
  const folder = programs({ slow: 'sleep 60 & sleep 60' });
  await expect(outputOf(join(folder, 'slow'), [], { PATH: process.env.PATH }, 200)).rejects.toThrow(
    'no answer within 0.2 s',
  );
});

test('threads that share a core, as Linux lists them', () => {
  expect(['0', '0,4', '0-1', '0-3', '0-1,8-9'].map(threadsIn)).toEqual([1, 2, 2, 4, 4]);
});

import { expect, test } from 'vitest';
import { parseProcess, shownProcess } from '../../src/address/process-address.ts';
import type { Target } from '../../src/address/target-address.ts';
import { readProcesses } from '../../src/commands/target-probes.ts';
import { memoryHost } from '../memory-host.ts';

const here: Target = {
  ...{ url: 'http://127.0.0.1:8080', host: '127.0.0.1', addresses: ['127.0.0.1'] },
  ...{ foreign: false, onThisHost: true },
};
const elsewhere: Target = { ...here, host: 'game.example', foreign: true, onThisHost: false };
const read = (probeProcess: readonly string[], targets: readonly Target[], env: NodeJS.ProcessEnv = {}) =>
  readProcesses(memoryHost([], { env }), { probeMetrics: [], probeProcess }, targets);

test('a process is named by pid, by port or by pid file', () => {
  const parsed = ['api=:8080', 'db-1=4711', 'cache=./run/redis.pid', 'web=/run/web.pid'].map((text) =>
    parseProcess(text, 'it', '/srv'),
  );
  expect(parsed.map(shownProcess)).toEqual([
    ...['api (port 8080)', 'db-1 (pid 4711)', 'cache (pid file /srv/run/redis.pid)'],
    'web (pid file /run/web.pid)',
  ]);
});

test.each([
  ['api', 'got "api", expected NAME=PID, NAME=:PORT or NAME=/path/to.pid'],
  ['api=', 'expected NAME=PID'],
  ['Api=1', 'a name that begins with a lower-case letter and has at most 32 of a-z, 0-9 and "-"'],
  [`${'a'.repeat(33)}=1`, 'at most 32'],
  ['api=0', 'a pid of 2 to 4194304'],
  // Every process of the host is below it.
  ['api=1', 'a pid of 2 to 4194304'],
  ['api=:0', 'a port of 1 to 65535'],
  ['api=:65536', 'a port of 1 to 65535'],
  ['api=8080x', 'a pid, a port with ":" before it, or the path of a pid file'],
])('--probe-process %s is refused with 104', (text, expected) => {
  expect(() => read([text], [here])).toThrow(expected);
  try {
    read([text], [here]);
  } catch (error) {
    expect(error).toMatchObject({ exitCode: 104, hint: expect.stringContaining('api=:8080') });
  }
});

test('processes come from the environment too, each name once, and only beside targets on this host', () => {
  const env = { CAPBENCH_PROBE_PROCESS: 'api=:8080, db=17' };
  expect(read([], [here], env).map(({ name }) => name)).toEqual(['api', 'db']);
  expect(read(['web=:80'], [here], env).map(({ name }) => name)).toEqual(['web']);
  expect(() => read(['api=3', 'api=2'], [here])).toThrow('the name api is given twice');
  expect(() => read(['api=2'], [])).toThrow('--probe-process is given without --target');
  expect(() => read([], [here, elsewhere], env)).toThrow(
    'CAPBENCH_PROBE_PROCESS: the target game.example is another host, and processes can only be watched on this one',
  );
  const many = Array.from({ length: 17 }, (_, i) => `p${i}=2`);
  expect(() => read(many, [here])).toThrow('got 17 processes, expected 16 at most');
});

test('the server that a start command starts is watched, and no other process has its name', () => {
  const flags = { probeMetrics: [], probeProcess: ['db=2'] };
  const host = memoryHost([]);
  const linux = { ...host, machine: { ...host.machine, platform: 'linux' } };
  expect(readProcesses(linux, flags, [here], 'server')).toEqual([
    { name: 'server', by: 'component' },
    { name: 'db', by: 'pid', pid: 2 },
  ]);
  const other = { ...host, machine: { ...host.machine, platform: 'darwin' } };
  expect(readProcesses(other, { ...flags, probeProcess: [] }, [here], 'server')).toEqual([]);
  expect(() => readProcesses(linux, { ...flags, probeProcess: ['server=2'] }, [here], 'server')).toThrow(
    'the name server is given twice',
  );
});

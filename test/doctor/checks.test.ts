import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkList, isReady } from '../../src/doctor/check-list.ts';
import { type Check, checksOf, supportsNode } from '../../src/doctor/checks.ts';
import type { HostFacts } from '../../src/doctor/host-facts.ts';
import { palette } from '../../src/report/terminal-text.ts';
import { factsOf, MAC } from './facts-of.ts';

const check = (changes: Partial<HostFacts>, id: string): Check => {
  const found = checksOf(factsOf(changes)).find((one) => one.id === id);
  if (found === undefined) throw new Error(`no check is called ${id}`);
  return found;
};
const page = (facts: HostFacts, width = 80): string => checkList(checksOf(facts), width, palette(false));

test('a host that lacks nothing is ready, and gets no advice', () => {
  const checks = checksOf(factsOf());
  expect(checks.map(({ state }) => state)).toEqual(checks.map(() => 'ok'));
  expect(checks.map(({ advice }) => advice)).toEqual(checks.map(() => null));
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  expect(checks.length).toBe(16);
  expect(page(factsOf())).toMatch(/\n {2}READY \(0\)\n$/);
});

test('facts that macOS does not report are no error, and missing programs come with a command to type', () => {
  const states = Object.fromEntries(checksOf(MAC).map(({ id, state }) => [id, state]));
  expect(states).toEqual({
    ...{ node: 'ok', cpu: 'ok', memory: 'ok', temporary: 'ok', ports: 'ok', postgres: 'ok' },
    scenarios: 'ok',
    ...{
      'shared-memory': 'unavailable',
      clock: 'unavailable',
      noise: 'unavailable',
      descriptors: 'unavailable',
    },
    ...{ k6: 'missing', redis: 'missing', nginx: 'missing', haproxy: 'missing', docker: 'missing' },
  });
  const advice = checksOf(MAC).flatMap((one) => (one.state === 'missing' ? [one.advice] : []));
  expect(advice).toEqual([
    ...[
      'brew install k6',
      'capbench setup redis, or brew install redis',
      'brew install nginx',
      'brew install haproxy',
      'brew install --cask docker',
    ],
  ]);
  expect(page(MAC)).toMatch(/\n {2}READY \(0\) {2}5 optional programs missing\n$/);
});

test('on Linux the advice names the package manager, with sudo unless the user is root', () => {
  const programs = { ...factsOf().programs, redis: null, k6: null };
  expect(check({ programs }, 'redis').advice).toBe(
    'capbench setup redis, or sudo apt-get install redis-server',
  );
  expect(check({ programs, isRoot: true }, 'redis').advice).toMatch(/, or apt-get install redis-server$/);
  expect(check({ programs, packageManager: null }, 'redis').advice).toBe(
    'capbench setup redis, or install redis with the package manager of this system',
  );
  expect(check({ programs }, 'k6').advice).toContain('https://grafana.com/docs/k6');
});

test('scenarios whose programs are not here are named, with what brings them', () => {
  const redis = (path: string | null) => ({
    name: 'Redis' as const,
    path,
    version: null,
    bring: 'capbench setup redis',
  });
  const nginx = { name: 'nginx' as const, path: null, version: null, bring: 'install the package nginx' };
  const scenarios = [
    { name: 'first', needs: [redis('/usr/bin/redis-server')] },
    { name: 'second', needs: [redis(null)] },
    { name: 'third', needs: [redis(null), nginx] },
  ];
  expect(check({ scenarios }, 'scenarios')).toMatchObject({
    state: 'warning',
    found: 'without what they need: second (Redis), third (Redis, nginx)',
    advice: 'capbench setup redis; install the package nginx',
  });
  expect(check({ scenarios: scenarios.slice(0, 1) }, 'scenarios').state).toBe('ok');
});

test('a program that does not work is a warning, with its own hint', () => {
  const k6 = { problem: '/opt/k6 is no k6 of version 2 or newer', hint: 'install k6 2.x' };
  expect(check({ programs: { ...factsOf().programs, k6 } }, 'k6')).toMatchObject({
    state: 'warning',
    found: '/opt/k6 is no k6 of version 2 or newer (only needed for --engine k6 and exported scripts)',
    advice: 'install k6 2.x',
  });
});

test('limits are compared with 20,000 players, with the 1,000 of quickstart, or with neither', () => {
  const descriptors = (limit: number) =>
    check({ limits: { ...factsOf().limits, descriptors: limit } }, 'descriptors');
  // A world server of m4pro-20k holds 5,000 players and 128 other descriptors.
  expect(descriptors(5_128)).toMatchObject({ state: 'ok' });
  expect(descriptors(5_127)).toMatchObject({
    state: 'warning',
    advice: expect.stringContaining('ulimit -n'),
    found: expect.stringContaining('not enough for 20,000 players'),
  });
  expect(descriptors(628)).toMatchObject({ state: 'warning' });
  expect(descriptors(627)).toMatchObject({
    state: 'error',
    found: expect.stringContaining('not enough for 1,000 players'),
  });

  const ports = (to: number, loopbackAliases: boolean) =>
    check({ limits: { ...factsOf().limits, ports: { from: 20_000, to }, loopbackAliases } }, 'ports');
  expect(ports(21_000, true)).toMatchObject({ state: 'ok' });
  expect(ports(21_000, false)).toMatchObject({
    state: 'warning',
    advice: expect.stringContaining('net.inet.ip.portrange.first'),
  });
  expect(ports(20_300, false)).toMatchObject({ state: 'error' });
});

test('limits of a control group are named where they are lower than those of the host', () => {
  expect(check({ cpuQuota: 8 }, 'cpu')).toMatchObject({ state: 'ok' });
  expect(check({ cpuQuota: 1.5 }, 'cpu')).toMatchObject({
    state: 'warning',
    found: '8 logical CPUs (x64), SMT on: 2 threads share a core; the control group allows 1.5',
    advice: expect.stringContaining('docker run --cpus'),
  });
  expect(check({ cpus: 1, threadsPerCore: null }, 'cpu')).toMatchObject({
    state: 'warning',
    found: '1 logical CPU (x64)',
  });
  expect(check({ usableMemoryBytes: 2 ** 29 }, 'memory')).toMatchObject({
    state: 'warning',
    found: '16 GB, 12 GB available; the control group allows 512 MB',
  });
});

test('too little shared memory for PostgreSQL is an error, and low shared memory a warning', () => {
  const free = (megabytes: number) =>
    check({ sharedMemory: { totalBytes: 2 ** 26, freeBytes: megabytes * 2 ** 20 } }, 'shared-memory');
  expect(free(60)).toMatchObject({ state: 'ok' });
  expect(free(16)).toMatchObject({ state: 'warning', advice: expect.stringContaining('--shm-size') });
  expect(free(0.5)).toMatchObject({ state: 'error' });
});

test('noise figures that the kernel does not count are named', () => {
  expect(check({ reports: { steal: true, pressure: false, waits: true } }, 'noise')).toMatchObject({
    state: 'warning',
    found: 'no pressure (PSI); available: steal, waiting time of processes',
    advice: expect.stringContaining('psi=1'),
  });
  expect(check({ clockSource: 'hpet' }, 'clock')).toMatchObject({ state: 'warning' });
});

test('without PostgreSQL, or a place for its files, no run can start', () => {
  const hint = 'install with optional dependencies';
  const postgres = { problem: 'PostgreSQL for linux-riscv64 is not installed', hint };
  expect(check({ postgres }, 'postgres')).toMatchObject({
    state: 'error',
    found: postgres.problem,
    advice: `${hint} (to install one: sudo apt-get install postgresql-16; its programs are in /usr/lib/postgresql/16/bin)`,
  });
  expect(isReady(checksOf(factsOf({ postgres })))).toBe(false);
  const temporary = { problem: '12 MB are free at /tmp', hint: 'make room there' };
  const checks = checksOf(factsOf({ temporary, postgres: null }));
  expect(checks.filter(({ state }) => state === 'error').map(({ id }) => id)).toEqual(['temporary']);
  expect(page(factsOf({ temporary, postgres: null }))).toMatch(
    /\n {2}NOT READY \(93\) {2}to be fixed first: Temporary folder\n$/,
  );
});

test('the supported versions of Node are those of package.json', () => {
  const { engines } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  expect(engines).toEqual({ node: '^20.19.0 || >=22.12.0' });
  expect(['v20.19.0', 'v20.20.2', 'v22.12.0', 'v24.9.0'].map(supportsNode)).toEqual([true, true, true, true]);
  expect(['v18.20.0', 'v20.18.3', 'v21.7.0', 'v22.11.0'].map(supportsNode)).toEqual([
    ...[false, false, false, false],
  ]);
  expect(check({ node: 'v20.18.3' }, 'node')).toMatchObject({ state: 'error' });
});

test('a program that does not answer comes with what to do about it', () => {
  const silent = (path: string) => ({
    problem: `${path} does not work`,
    hint: `see what it prints: ${path}`,
  });
  const programs = { ...factsOf().programs, docker: silent('docker'), nginx: silent('nginx') };
  expect(check({ programs }, 'docker').advice).toBe('start the Docker daemon, or see what it prints: docker');
  expect(check({ programs }, 'nginx').advice).toBe('see what it prints: nginx');
});

test('no line is wider than the terminal, whatever it reports', () => {
  const worst = factsOf({
    cpuQuota: 0.5,
    availableMemoryBytes: 2 ** 28,
    sharedMemory: { totalBytes: 2 ** 26, freeBytes: 2 ** 22 },
    clockSource: 'acpi_pm',
    reports: { steal: false, pressure: false, waits: false },
    limits: { descriptors: 1024, ports: { from: 1, to: 300 }, loopbackAliases: false, cpus: 8 },
    postgres: { problem: 'none', hint: null },
    programs: { k6: null, redis: null, nginx: null, haproxy: null, docker: null },
  });
  for (const facts of [worst, MAC, factsOf()]) {
    for (const width of [80, 100]) {
      const lines = page(facts, width).split('\n');
      expect(lines.filter((line) => line.length > width && !line.includes('/sys/'))).toEqual([]);
    }
  }
  expect(page(worst).match(/→/g)?.length).toBe(13);
});

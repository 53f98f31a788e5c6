import { expect, test } from 'vitest';
import { parseProbeUrl, resolveProbes } from '../../src/address/probe-address.ts';
import { readProbeUrls } from '../../src/commands/target-probes.ts';
import { CapbenchError } from '../../src/errors.ts';
import { memoryHost } from '../memory-host.ts';
import { CA_FILE } from '../tls-front.ts';

const around = {
  own: { addresses: new Set<string>(), broadcasts: new Set<string>() },
  resolve: async (name: string) =>
    ({ 'db.example': ['192.0.2.7'], 'here.example': ['127.0.0.1'] })[name] ?? ['169.254.169.254'],
};
const target = {
  origins: new Set(['http://127.0.0.1:3001']),
  access: { headers: { 'X-Token': 't' }, ca: 'PEM' },
};

const probes = (kind: 'postgres' | 'redis' | 'metrics', text: string, owned: readonly string[] = []) =>
  resolveProbes([parseProbeUrl(kind, text, 'it')], owned, around, target);

const postgres = async (text: string) => (await probes('postgres', text)).postgres;

test('the address of a PostgreSQL, with its TLS, and of one behind a UNIX socket', async () => {
  expect(
    await postgres(`postgres://ann:a%40b%2F@here.example/world?sslmode=verify-full&sslrootcert=${CA_FILE}`),
  ).toEqual({
    connectionString: `postgresql://ann:a%40b%2F@here.example:5432/world?${new URLSearchParams({ sslmode: 'verify-full', sslrootcert: CA_FILE })}`,
    address: '127.0.0.1',
    shown: 'here.example:5432',
    onThisHost: true,
  });
  for (const text of [
    'postgresql://ann:pw@/world?host=/run/pg&port=5433',
    'postgresql://ann:pw@%2Frun%2Fpg:5433/world',
  ]) {
    expect(await postgres(text)).toEqual({
      connectionString: 'postgresql://ann:pw@/world?host=%2Frun%2Fpg&port=5433',
      address: null,
      shown: '/run/pg, port 5433',
      onThisHost: true,
    });
  }
  // Every spelling that the system resolves to loopback is shown in the usual form.
  expect((await postgres('postgresql://127.1/world'))?.connectionString).toBe(
    'postgresql://127.0.0.1:5432/world?',
  );
});

test('the address of a Redis and of metrics pages', async () => {
  expect((await probes('redis', 'rediss://:p%23w@here.example/2')).redis).toEqual({
    ...{ host: 'here.example', address: '127.0.0.1', port: 6379, username: null, password: 'p#w', tls: true },
    ...{ database: 2, shown: 'here.example:6379', onThisHost: true },
  });
  const [page] = (await probes('metrics', 'https://ann:pw@here.example/metrics?module=x')).metrics;
  expect(page).toEqual({
    url: 'https://here.example/metrics?module=x',
    shown: 'https://here.example/metrics',
    access: { address: '127.0.0.1', ca: 'PEM', headers: { authorization: 'Basic YW5uOnB3' } },
  });
});

test('the headers of a target are sent only to its own metrics page', async () => {
  const sent = async (url: string) => (await probes('metrics', url)).metrics[0]?.access.headers;
  expect(await sent('http://127.0.0.1:3001/metrics')).toEqual({ 'X-Token': 't' });
  expect(await sent('http://127.0.0.1:9100/metrics')).toEqual({});
});

test('a probe needs the same consent as a target', async () => {
  const url = 'postgres://ann:s3cret-pw@db.example/world';
  await expect(postgres(url)).rejects.toMatchObject({
    exitCode: 104,
    hint: expect.stringContaining('--i-own db.example'),
    message: expect.not.stringContaining('s3cret'),
  });
  const owned = await probes('postgres', url, ['db.example']);
  expect(owned.postgres).toMatchObject({ onThisHost: false });
  expect(owned.foreign).toEqual(['db.example:5432']);
  await expect(probes('metrics', 'http://metadata.example/', ['metadata.example'])).rejects.toMatchObject({
    exitCode: 104,
    message: expect.stringContaining('link-local'),
  });
});

test.each([
  ['postgres', 'postgres://ann:s3cret@127.0.0.1/world?host=db.example', 'no folder'],
  ['postgres', 'postgres://ann:s3cret@127.0.0.1/world?hostaddr=192.0.2.7', 'unknown parameter hostaddr'],
  ['postgres', 'postgres://127.0.0.1/world?password=s3cret', 'unknown parameter password'],
  ['postgres', 'postgres://127.0.0.1/world?options=s3cret', 'unknown parameter options'],
  ['postgres', 'postgres://ann:s3cret@db.example,127.0.0.1/world', 'no host'],
  ['postgres', 'postgres://ann:s3cret@/world', 'no host'],
  ['postgres', 'postgres:///world', 'no host'],
  ['postgres', 'postgres://127.0.0.1/world?sslrootcert=/no/such/file', 'sslrootcert cannot be read'],
  ['postgres', 'http://ann:s3cret@127.0.0.1/world', 'has another scheme'],
  ['redis', 'redis://:s3cret@127.0.0.1:port', 'not a URL'],
  ['redis', 'redis+sentinel://:s3cret@127.0.0.1', 'has another scheme'],
  ['redis', 'redis:///0', 'no host'],
  ['redis', 'redis://127.0.0.1?password=s3cret', 'unknown parameter password'],
  ['metrics', 'file:///etc/passwd', 'has another scheme'],
  ['metrics', 'http://127.0.0.1/#s3cret', 'a fragment'],
] as const)('%s %s is refused, and no secret repeated', (kind, text, message) => {
  try {
    parseProbeUrl(kind, text, '--probe');
  } catch (error) {
    if (!(error instanceof CapbenchError)) throw error;
    expect(error.exitCode).toBe(104);
    expect(error.message).toContain(message);
    expect(error.message + error.hint).not.toContain('s3cret');
    return;
  }
  expect.fail('it was taken');
});

const none = { probeMetrics: [] };

test('addresses come from the environment and flags override them; without a target they are refused with 104', () => {
  const env = {
    CAPBENCH_PROBE_POSTGRES: 'postgres://ann:pg-s3cret@127.0.0.1/world',
    CAPBENCH_PROBE_REDIS: 'redis://:rd%2Fs3cret@127.0.0.1',
    CAPBENCH_PROBE_METRICS: 'http://a:mt1-s3cret@127.0.0.1/1, http://b:mt2-s3cret@127.0.0.1/2?key=q-s3cret',
  };
  const host = memoryHost([], { env });
  expect(readProbeUrls(host, none, true).map(({ kind, url }) => [kind, url.pathname])).toEqual([
    ['postgres', '/world'],
    ['redis', ''],
    ['metrics', '/1'],
    ['metrics', '/2'],
  ]);
  for (const secret of ['pg-s3cret', 'rd/s3cret', 'rd%2Fs3cret', 'mt1-s3cret', 'mt2-s3cret', 'q-s3cret']) {
    expect(host.redaction.text(`it says ${secret} is wrong`)).toBe('it says (redacted) is wrong');
  }
  const [flag] = readProbeUrls(host, { probeMetrics: ['http://127.0.0.1/flag'] }, true).filter(
    ({ kind }) => kind === 'metrics',
  );
  expect(flag?.url.pathname).toBe('/flag');
  expect(() => readProbeUrls(host, none, false)).toThrow('CAPBENCH_PROBE_POSTGRES is given without --target');
  const local = memoryHost([]);
  expect(() => readProbeUrls(local, { ...none, probeRedis: 'redis://127.0.0.1' }, false)).toThrow(
    '--probe-redis is given without --target',
  );
  expect(readProbeUrls(local, none, false)).toEqual([]);
});

test('a metrics page that is given twice is one page', () => {
  const read = (...probeMetrics: string[]) => readProbeUrls(memoryHost([]), { probeMetrics }, true);
  expect(() => read('http://127.0.0.1:80/metrics', 'http://ann:s3cret@127.0.0.1/metrics')).toThrow(
    'the metrics page http://127.0.0.1/metrics is given twice',
  );
  expect(read('http://127.0.0.1/a', 'http://127.0.0.1/a?part=2', 'http://127.0.0.1:81/a')).toHaveLength(3);
});

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { checkDestinations, readOut, seriesSender } from '../../src/commands/series-out.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { memoryHost } from '../memory-host.ts';
import { readWriteRequest } from '../report/remote-write-reader.ts';
import { reportFrom } from '../report/report-of.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const m = measurementsOf();
const report = reportFrom(m, scenarioOf());
const NEVER = new AbortController().signal;

test.each([
  [['a'], 'a', []],
  [['a=b'], 'a=b', []],
  [['./prometheus=x'], './prometheus=x', []],
  [['a', 'b'], 'b', []],
  [[''], undefined, []],
  [[], undefined, []],
  [['prometheus=x.prom'], undefined, ['prometheus=x.prom']],
  [
    ['prometheus=a=b.prom', 'out', 'prometheus=https://h/w'],
    'out',
    ['prometheus=a=b.prom', 'prometheus=https://h/w'],
  ],
])('--out %j: the folder is %j, and the destinations are %j', (given, folder, shown) => {
  const read = readOut({ cwd: '/nowhere' }, given);
  expect(read.folder).toBe(folder);
  expect(read.destinations.map((destination) => destination.shown)).toEqual(shown);
});

test('what is named of a URL has neither user, password nor query', () => {
  const { destinations } = readOut({ cwd: '/' }, ['prometheus=https://me:s3cr%40t@h:9/w?token=abc']);
  expect(destinations).toMatchObject([
    {
      shown: 'prometheus=https://h:9/w',
      authorization: `Basic ${Buffer.from('me:s3cr@t').toString('base64')}`,
      url: new URL('https://h:9/w?token=abc'),
    },
  ]);
});

test('a percent sign in a password may stand for itself', () => {
  const [destination] = readOut({ cwd: '/' }, ['prometheus=http://me:100%25@h/w']).destinations;
  const [raw] = readOut({ cwd: '/' }, ['prometheus=http://me:100%@h/w']).destinations;
  const expected = `Basic ${Buffer.from('me:100%').toString('base64')}`;
  expect([destination, raw]).toMatchObject([{ authorization: expected }, { authorization: expected }]);
});

test.each([
  ['nothing', 'prometheus=', 'a file or a URL is missing'],
  ['another protocol', 'prometheus=ftp://h/w', 'expected http:// or https://'],
  ['no URL', 'prometheus=http://:80:80', 'a URL that cannot be parsed'],
  ['a folder', 'prometheus=here', 'is not a file'],
  ["a file of somebody else's", 'prometheus=other.prom', 'was not written by capbench'],
  ['below a file', 'prometheus=other.prom/x.prom', 'cannot be written'],
])('refused before anything starts: %s', async (_what, out, says) => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'here'));
  writeFileSync(join(folder, 'other.prom'), 'node_load1 0.5\n');
  const before = readdirSync(folder);
  const host = memoryHost(['run', 'quickstart', '--out', out], { cwd: folder });
  expect(await runCli(host)).toBe(104);
  expect(host.err()).toContain(says);
  expect(readdirSync(folder)).toEqual(before);
  expect(readFileSync(join(folder, 'other.prom'), 'utf8')).toBe('node_load1 0.5\n');
});

test('a file is replaced by the next run, and nothing else is left beside it', async () => {
  const folder = temporaryFolder();
  const host = memoryHost([], { cwd: folder });
  const { destinations } = readOut(host, ['prometheus=metrics/capbench.prom']);
  const said: string[] = [];
  for (let i = 0; i < 2; i++) {
    await checkDestinations(destinations);
    await seriesSender(host, destinations)(m, report, (text) => said.push(text), NEVER);
  }
  expect(said).toEqual([]);
  expect(readdirSync(join(folder, 'metrics'))).toEqual(['capbench.prom']);
  const text = readFileSync(join(folder, 'metrics', 'capbench.prom'), 'utf8');
  expect(text).toContain(`capbench_run_exit_code{scenario="recorded"} ${report.exitCode}\n`);
});

/** A receiver that answers with these statuses in turn, and then with the last one. */
async function receiver(...statuses: readonly number[]) {
  const got: { headers: Record<string, unknown>; body: Buffer }[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const status = statuses[Math.min(got.length, statuses.length - 1)] ?? 204;
    got.push({ headers: request.headers, body: Buffer.concat(parts) });
    response
      .writeHead(status, { location: 'http://127.0.0.1:1/' })
      .end(status < 300 ? '' : 'out of order sample\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { got, port };
}

async function sendTo(url: string, times = 1) {
  const host = memoryHost(['run', '--out', `prometheus=${url}`]);
  const send = seriesSender(host, readOut(host, [`prometheus=${url}`]).destinations);
  const said: string[] = [];
  for (let i = 0; i < times; i++) await send(m, report, (text) => said.push(text), NEVER);
  return said;
}

test('a receiver gets the series, with the credentials of the URL', async () => {
  const { got, port } = await receiver(204);
  expect(await sendTo(`http://me:hunter2@127.0.0.1:${port}/api/v1/write`)).toEqual([]);
  expect(got[0]?.headers).toMatchObject({
    'content-encoding': 'snappy',
    'content-type': 'application/x-protobuf',
    'x-prometheus-remote-write-version': '0.1.0',
    authorization: `Basic ${Buffer.from('me:hunter2').toString('base64')}`,
  });
  const series = got.flatMap(({ body }) => readWriteRequest(body));
  expect(series.length).toBeGreaterThan(Object.keys(m.series).length / 2);
});

test('an attempt that fails for the moment is repeated', async () => {
  const { got, port } = await receiver(503, 204);
  expect(await sendTo(`http://127.0.0.1:${port}/w`)).toEqual([]);
  expect(got).toHaveLength(2);
});

test.each([
  [400, 'status 400, out of order sample'],
  [404, '--web.enable-remote-write-receiver'],
  [302, 'status 302'],
])('a receiver that refuses (%d) is a warning, once, without the password', async (status, says) => {
  const { got, port } = await receiver(status);
  const said = await sendTo(`http://me:hunter2@127.0.0.1:${port}/w?token=abcdef123456`, 2);
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(
    `warning: --out prometheus=http://127.0.0.1:${port}/w: the series were not written: `,
  );
  expect(said[0]).toContain(says);
  expect(said[0]).not.toMatch(/hunter2|abcdef/);
  expect(got).toHaveLength(2);
});

import { existsSync } from 'node:fs';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { openDashboard } from '../../src/dashboard/dashboard.ts';
import { fluxFigures } from '../../src/systems/flux/figures.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { memoryHost } from '../memory-host.ts';
import { reportFrom } from '../report/report-of.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const small = join(import.meta.dirname, '..', 'e2e', 'small.yaml');

const kind = { scenario: scenarioOf(), figures: fluxFigures, engine: 'native' };

async function opened(clean = (text: string): string => text) {
  const dashboard = await openDashboard(0, clean);
  onTestFinished(() => dashboard.close({ over: 'the run' }));
  return dashboard;
}

const asked = (url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const request = get(url, { headers, method, agent: false }, resolve).on('error', reject);
    if (method !== 'GET') request.end();
  });

/** The parts that a viewer has at any time. */
async function viewer(url: string, headers: Record<string, string> = {}) {
  const response = await asked(`${url}events`, headers);
  const parts: Record<string, string> = {};
  let [text, lastId, isOver] = ['', '', false];
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const [, id = '', data = ''] = /^id: (\S+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      lastId = id;
      Object.assign(parts, JSON.parse(data).parts);
      text = text.slice(end + 2);
    }
  });
  response
    .on('error', () => undefined)
    .on('end', () => {
      isOver = true;
    });
  return { parts, response, isOver: () => isOver, lastId: () => lastId };
}

test('only this host gets the page, by its own name, and the page may load nothing else', async () => {
  const { url } = await opened();
  const { port } = new URL(url);
  expect(url).toBe(`http://127.0.0.1:${port}/`);
  const page = await asked(url);
  expect(page.statusCode).toBe(200);
  expect(page.headers['content-security-policy']).toMatch(
    /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/,
  );
  expect(page.headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe/);
  const statuses = async (
    ...of: readonly [path: string, headers: Record<string, string>, method?: string][]
  ) =>
    Promise.all(
      of.map(
        async ([path, headers, method]) => (await asked(url + path, headers, method)).resume().statusCode,
      ),
    );
  expect(
    await statuses(
      ...(['page.js', 'style.css'] as const).map((path): [string, Record<string, string>] => [path, {}]),
      ['', { host: `localhost:${port}` }],
      ['', {}, 'HEAD'],
    ),
  ).toEqual([200, 200, 200, 200]);
  expect(
    await statuses(
      ['', { host: 'evil.example' }],
      ['events', { host: `evil.example:${port}` }],
      ['', { host: '127.0.0.1:1' }],
      ['events', { 'sec-fetch-site': 'cross-site' }],
      ['', {}, 'POST'],
      ['events', {}, 'HEAD'],
      ['constructor', {}],
      ['../package.json', {}],
    ),
  ).toEqual([403, 403, 403, 403, 405, 405, 404, 404]);
});

test('a port that is in use is refused with advice, before anything is started or written', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const out = join(temporaryFolder(), 'out');
  const host = memoryHost(['run', small, '--out', out, '--dashboard', `${port}`], {
    env: { PATH: process.env.PATH },
  });
  expect(await runCli(host)).toBe(93);
  expect(host.err()).toMatch(
    /^error: --dashboard: port \d+ of 127\.0\.0\.1 is in use\nhint: name another port/,
  );
  expect(existsSync(out)).toBe(false);
});

test('viewers see a run from its beginning to its verdict: one who came late, one who came back', async () => {
  const dashboard = await opened((text) => text.replaceAll('sesame', '(redacted)'));
  const { url } = dashboard;
  const first = await viewer(url);
  const run = dashboard.run('trial 1 of 2');
  run.begin(kind);
  run.expect(40);
  run.phase('connect');
  run.connecting(400);
  await expect.poll(() => first.parts.state).toContain('400 of 1,000 players connected');
  const m = measurementsOf({ measured: { from: 5, to: 25 } });
  run.follow(() => m);
  run.second();
  run.phase('open sesame');
  await expect.poll(() => first.parts.state).toContain('(redacted)');
  await expect.poll(() => first.parts.charts).toContain('<svg class="plot"');
  const late = await viewer(url);
  await expect.poll(() => late.parts).toEqual(first.parts);
  expect(JSON.parse(first.parts.clock ?? '')).toMatchObject({ expectedSeconds: 40 });
  late.response.destroy();

  const report = reportFrom(m, kind.scenario);
  run.judged(report, m, kind.scenario, 'reports/x/trials/1/report.html');
  const second = dashboard.run('trial 2 of 2');
  second.begin(kind);
  const back = await viewer(url, { 'last-event-id': late.lastId() });
  await expect.poll(() => back.parts.earlier).toContain('reports/x/trials/1/report.html');
  second.judged(report, m, kind.scenario, 'reports/x/trials/2/report.html');
  const before = performance.now();
  await dashboard.close({ over: 'the run', exitCode: 91 });
  expect(performance.now() - before).toBeLessThan(5000);
  for (const each of [first, back]) {
    await expect.poll(() => each.isOver()).toBe(true);
    expect(each.parts.over).toBe('the run is over, exit code 91');
    expect(each.parts.state).toContain(`exit code ${report.exitCode}`);
    expect(each.parts.ending).toContain('reports/x/trials/2/report.html');
    expect(each.parts.earlier?.match(/Trial \d of 2/g)).toEqual(['Trial 1 of 2', 'Trial 2 of 2']);
    expect(each.parts.charts).toContain('id="chart-percentiles"');
  }
  await expect(asked(url)).rejects.toThrow();
});

test('a run that cannot be drawn goes on, and one without a verdict says why', async () => {
  const dashboard = await opened();
  const one = await viewer(dashboard.url);
  const run = dashboard.run(null);
  run.begin(kind);
  run.follow(() => {
    throw new TypeError('no such series');
  });
  run.second();
  await expect.poll(() => one.parts.state).toContain('cannot be drawn: no such series; the run goes on');
  await dashboard.close({ over: 'the run', because: 'world-1: it did not start' });
  await expect.poll(() => one.isOver()).toBe(true);
  expect(one.parts.state).toContain('World-1: it did not start');
});

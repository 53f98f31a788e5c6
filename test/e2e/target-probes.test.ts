import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { portOf } from '../loopback.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { capbench, type Started } from './capbench.ts';

/** In a folder of its own. */
function fileOf(scenario: unknown): string {
  const path = join(temporaryFolder(), 'probed.yaml');
  writeFileSync(path, stringify(scenario));
  return path;
}

/** Runs a few HTTP players, with these budgets, against a server that has a page of metrics. */
async function pagedRun(respond: RequestListener, load: object, budgets: readonly object[]) {
  const url = `http://127.0.0.1:${await portOf(createServer(respond))}`;
  const plain = { players: 5, intentsPerSecond: 20, ramp: '0s', drain: '1s' };
  const players = { protocol: 'http', requests: [{ path: '/' }] };
  const scenario = { name: 'paged', system: 'flux', players, calibration: { seconds: 0 }, budgets };
  const path = fileOf({ ...scenario, load: { ...plain, ...load } });
  const run = (page: string): Started =>
    capbench(['run', path, '--target', url, '--probe-metrics', `${url}/${page}`]);
  return { url, run };
}

test('an invalid metrics page ends the run before it begins, and names its URL; an endless one does not delay a SIGTERM', {
  timeout: 60_000,
}, async () => {
  let pages = 0;
  const respond: RequestListener = (request, response) => {
    if (request.url === '/html') response.end('<!doctype html>');
    else if (request.url !== '/dribble') response.end();
    else if (pages++ === 0) response.end('a 1\n');
    else {
      const timer = setInterval(() => response.write('a 1\n'), 50);
      response.on('close', () => clearInterval(timer));
    }
  };
  const budgets = [{ id: 'all', metric: 'load.peakCcu', op: '>=', limit: 5, unit: 'players' }];
  const { url, run } = await pagedRun(respond, { warmUp: '0s', duration: '60s' }, budgets);

  expect((await run('html').ends(93)).stderr).toContain(
    `error: the metrics page ${url}/html cannot be read: the answer is not Prometheus text: it begins with "<!doctype html>"`,
  );
  const endless = run('dribble');
  await expect.poll(() => pages, { timeout: 20_000 }).toBeGreaterThan(1);
  endless.child.kill('SIGTERM');
  await endless.ends(105);
  expect(endless.report().probes.find(({ name }) => name === 'metrics-1')).toMatchObject({ samples: 0 });
});

test('growth covers the whole measure phase, on a page as clients write it; an unreadable line ends with 90 and its name', {
  timeout: 60_000,
}, async () => {
  const started = performance.now();
  const respond: RequestListener = (request, response) => {
    if (request.url !== '/metrics') return void response.end();
    // 200 a second by its own clock, independent of the probe.
    const count = Math.floor((performance.now() - started) / 5);
    response.setHeader('content-type', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    response.end(
      [
        '# TYPE ticks counter',
        `ticks_total{code="200" ,} ${count} # {trace_id="a}b"} 1 1700000000.5`,
        'ticks_created{code="200"} 1.7e9',
        '# TYPE took_seconds histogram',
        `took_seconds_bucket{le="1e-1"} ${count}.0 # {span="1"} 0.05`,
        `took_seconds_bucket{le="+Inf"} ${count}.0`,
        `took_seconds_count\t${count}.0\t1700000000.5`,
        '# TYPE "my.errors" counter',
        'broken{ 5',
        '# EOF\n',
      ].join('\n'),
    );
  };
  // 1,600 in 8 s: a second that is left out is 200.
  const grown = { stat: 'increase', op: 'between', limit: [1500, 1700], unit: 'ticks' };
  const budgets = [
    { id: 'ticks', metric: 'target.metrics.ticks_total{code="200"}', ...grown },
    { id: 'count', metric: 'target.metrics.took_seconds_count', ...grown },
    { id: 'took', metric: 'target.metrics.took_seconds', stat: 'p95', op: '<', limit: 100, unit: 'ms' },
    { id: 'none', metric: 'target.metrics.{"my.errors_total"}', ...grown, op: '=', limit: 0 },
    { id: 'broken', metric: 'target.metrics.broken', stat: 'max', op: '<', limit: 10, unit: 'x' },
  ];
  const { url, run: paged } = await pagedRun(respond, { warmUp: '500ms', duration: '8s' }, budgets);
  const run = paged('metrics');
  await run.ends(90);
  const { rulings, target, invalidBecause } = run.report();
  const byId = Object.fromEntries(rulings.map((ruling) => [ruling.id, ruling]));
  expect(rulings.map(({ id, state }) => [id, state]).slice(2)).toEqual([
    ['took', 'met'],
    ['none', 'met'],
    ['broken', 'unmeasured'],
  ]);
  for (const { observed, state, reason } of [byId.ticks!, byId.count!]) {
    expect(observed).toBeGreaterThan(1500);
    expect(observed).toBeLessThan(1700);
    // A busy machine reads a page late, and then says by how much instead of ruling.
    if (state !== 'met') expect(reason).toMatch(/was read [\d.]+ s away from the ends of the measure phase/);
  }
  expect(target.metrics.took_seconds?.count).toBeGreaterThan(1500);
  expect(invalidBecause.join()).toContain(
    `target.metrics.broken: ${url}/metrics, line 9: got "5", expected a label`,
  );
});

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { portOf } from '../loopback.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { capbench, small, smallWith } from './capbench.ts';

/** A run of HTTP players against a server of nothing but this; its requests are counted. */
async function httpRun(status: number, exitCode: number) {
  const seen = { requests: 0 };
  const server = createServer((_request, response) => {
    seen.requests += 1;
    response.statusCode = status;
    response.end('{}');
  });
  const scenario = smallWith('players: { protocol: http, requests: [{ path: /moves }] }');
  const run = capbench([
    ...['run', scenario, '--target', `http://127.0.0.1:${await portOf(server)}/api`],
    ...['--set', 'load.monsterCommandsPerSecond=0', '--duration', '1s'],
  ]);
  return { run, seen, ...(await run.ends(exitCode)) };
}

test('plain HTTP against a server that knows nothing of capbench', { timeout: 60_000 }, async () => {
  const { run, seen } = await httpRun(200, 0);
  const { scheduled, ok } = run.report().load.wholeRun.intent;
  expect(ok).toBe(scheduled);
  expect(seen.requests).toBe(scheduled);
  expect(run.report().rulings.find(({ id }) => id === 'lost')?.state).toBe('unmeasured');
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});

test('a server that answers 500 to everything: the failures are attributed to its answers, not to sending', {
  timeout: 60_000,
}, async () => {
  const { run, seen, stdout } = await httpRun(500, 99);
  const { load, rules, breachedBecause, errors } = run.report();
  const { scheduled, failed, failedUnsent } = load.wholeRun.intent;
  expect({ failed, failedUnsent }).toEqual({ failed: scheduled, failedUnsent: 0 });
  expect(seen.requests).toBe(scheduled);
  expect(load.sentPercent.intent).toBe(100);
  const states = new Map(rules.map(({ id, state }) => [id, state]));
  expect(states.get('load-sustained.intent')).toBe('held');
  expect(states.get('operations-failed.intent')).toBe('broken');
  expect(states.get('answers.intent')).toBe('broken');
  const because = breachedBecause.find((one) => one.startsWith('answered.intent'));
  expect(because).toContain('the target answered with errors');
  expect(`${stdout}${breachedBecause.join()}`).not.toContain('load not sustained');
  const error = `a server answered GET with status 500 (${scheduled} times)`;
  expect(errors).toEqual([error]);
  expect(stdout).toContain(`• error: ${error}`);
  expect(run.read('summary.md')).toContain(`- error: ${error}`);
});

const KINDS = { create: 5, answer: 50 };

/** A module that asks for the path of the operation's kind, and a scenario of its own system. */
function kindsScenario(): string {
  const folder = temporaryFolder();
  const module = `import { Agent, get } from 'node:http';
    const agent = new Agent({ keepAlive: true });
    export const connect = ({ url, headers }) => ({ url, headers });
    export const perform = ({ url, headers }, { kind }) => new Promise((resolve, reject) => {
      const request = get(url + '/' + kind, { agent, headers }, (response) =>
        response.resume().on('end', () => resolve(response.statusCode === 200 ? 'ok' : 'rejected')));
      request.on('error', reject);
    });`;
  writeFileSync(join(folder, 'kinds.mjs'), module);
  const rates = Object.entries(KINDS).map(([kind, perSecond]) => `${kind}: { perSecond: ${perSecond} }`);
  // Other tests keep the machine busy meanwhile.
  const [, rules = ''] = readFileSync(small, 'utf8').split(/^rules:$|^budgets:$/m);
  const text = `name: kinds
system: own
players: { module: ./kinds.mjs }
load:
  players: 5
  operations: { ${rates.join(', ')} }
  skipAfter: 10s
  ramp: 0s
  warmUp: 0s
  duration: 3s
calibration: { seconds: 0, canary: false }
rules:${rules}  rejectedPercent: { create: 90 }
budgets:
  - { id: answered, metric: throughput.answerPerSecond, op: '>=', limit: 1, unit: ops/s }
  - { id: created, metric: load.operations.create.ok, op: '>=', limit: 1, unit: ops }
  - { id: refused, metric: load.rejectedPercent.create, op: '>', limit: 0, unit: '%' }
`;
  const path = join(folder, 'scenario.yaml');
  writeFileSync(path, text);
  return path;
}

test('kinds of operations arrive at the rates of their schedules, counted by the server', {
  timeout: 120_000,
}, async () => {
  const seen: Record<string, number> = {};
  const server = createServer(({ url = '' }, response) => {
    const kind = url.split('/').at(-1) ?? '';
    seen[kind] = (seen[kind] ?? 0) + 1;
    response.statusCode = kind === 'create' && seen[kind] % 3 === 0 ? 409 : 200;
    response.end('{}');
  });
  const target = `http://127.0.0.1:${await portOf(server)}/api`;
  const run = capbench(['run', kindsScenario(), '--target', target, '--allow-module']);
  await run.ends(0);
  const { load, latency, throughput, operations, rules } = run.report();
  expect(operations.map(({ id }) => id)).toEqual(['create', 'answer']);
  for (const [kind, perSecond] of Object.entries(KINDS)) {
    const { scheduled, ok, rejected } = load.wholeRun[kind] ?? {};
    expect(seen[kind], kind).toBe(scheduled);
    expect((ok ?? 0) + (rejected ?? 0), kind).toBe(scheduled);
    // Each of the five players has a stream of its own, which is exact to within one.
    expect(Math.abs((scheduled ?? 0) - 3 * perSecond), kind).toBeLessThanOrEqual(5);
    expect(latency[kind]?.due.count).toBe(load.operations[kind]?.scheduled);
    expect(rules.find(({ id }) => id === `schedule-kept.${kind}`)?.state).toBe('held');
  }
  expect(load.wholeRun.create?.rejected).toBe(Math.floor((seen.create ?? 0) / 3));
  expect(throughput.answerPerSecond).toBeGreaterThan(throughput.createPerSecond as number);
  // The bundle holds the kinds, and is judged again by them.
  const again = capbench(['report', join(run.out, 'latest'), '--json']);
  expect(JSON.parse((await again.ends(0)).stdout).operations).toEqual(operations);
});

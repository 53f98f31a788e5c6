import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { portOf } from '../loopback.ts';
import { capbench, smallWith } from './capbench.ts';

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

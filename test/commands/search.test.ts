import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { type MemoryHost, memoryHost } from '../memory-host.ts';
import { emptyLadder } from '../model/simulated.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folder = temporaryFolder(afterAll);

async function search(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<MemoryHost> {
  const host = memoryHost(['search', ...args], { cwd: folder, env });
  await main(host);
  return host;
}

/** The folder of an earlier search with these facts. */
function earlier(name: string, content: string): string {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'search.json'), content);
  return name;
}
const of = (over: object): string =>
  JSON.stringify({ ...emptyLadder(), scenario: 'quickstart', system: 'flux', ...over });

test.each([
  [['quickstart', '--precision', '0.1'], '--precision: got "0.1", expected a percentage of 0.5 to 50'],
  [['quickstart', '--precision', 'fine'], '--precision: got "fine"'],
  [['quickstart', '--confirm', '0'], '--confirm: got "0"'],
  [['quickstart', '--time-limit', '25'], '--time-limit: got "25"'],
  [['quickstart', '--from', '200000'], '--from: got 200000, expected 2 to 100,000 players'],
  [['quickstart', '--from', '900', '--most', '800'], '--from: got 900, expected 2 to 800 players'],
  [['quickstart', '--scale', '2'], "unknown option '--scale'"],
  [['quickstart', '--resume', 'nowhere'], 'search.json does not exist'],
])('%j is refused before anything is started', async (args, message) => {
  const host = await search(args);
  expect(host.err()).toContain(message);
  expect(host.ended()).toBe(104);
  expect(existsSync(join(folder, 'reports'))).toBe(false);
});

test('the scale of the environment is refused, since a search chooses it', async () => {
  const host = await search(['quickstart'], { CAPBENCH_SCALE: '2' });
  expect(host.err()).toContain('CAPBENCH_SCALE is set');
  expect(host.ended()).toBe(104);
});

test.each([
  ['of another scenario', of({ scenario: 'storm' }), 'another scenario: storm, expected quickstart'],
  ['with other options', of({ scenarioHash: 'abc' }), 'another scenario hash: abc, expected '],
  ['broken', '{', 'search.json is broken'],
])('a search that was %s is not resumed', async (name, content, message) => {
  const host = await search(['quickstart', '--resume', earlier(name, content)]);
  expect(host.err()).toContain(message);
  expect(host.ended()).toBe(104);
});

writeFileSync(join(folder, 'token'), 'a-token-of-the-tests');

test.each([
  [{}, ['127.0.0.1:1', '127.0.0.1:2'], 'of the load: this host, expected 127.0.0.1:1 and 127.0.0.1:2'],
  [{ agents: ['127.0.0.1:1'] }, [], 'another source of the load: 127.0.0.1:1, expected this host'],
  [{ agents: ['127.0.0.1:1'] }, ['127.0.0.1:2'], 'of the load: 127.0.0.1:1, expected 127.0.0.1:2'],
  // Their order is no difference.
  [{ agents: ['127.0.0.1:1', '127.0.0.1:2'] }, ['127.0.0.1:2', '127.0.0.1:1'], 'another scenario hash'],
])('nor is one whose load came from elsewhere: %j, %j', async (over, agents, message) => {
  const by = agents.length === 0 ? [] : ['--agents', agents.join(), '--agent-token-file', 'token'];
  const host = await search(['quickstart', ...by, '--resume', earlier(message, of(over))]);
  expect(host.err()).toContain(message);
  expect(host.ended()).toBe(104);
});

test('nor is one of another host, or to another precision, which is named', async () => {
  const [, hash = ''] =
    /expected (\w{12})/.exec((await search(['quickstart', '--resume', earlier('x', of({}))])).err()) ?? [];
  for (const [name, over, message] of [
    ['y', {}, `another host: here, expected ${hostname()}`],
    ['z', { precisionPercent: 50 }, 'another precision: 50%, expected 5%'],
  ] as const) {
    const resumed = earlier(name, of({ scenarioHash: hash, ...over }));
    const host = await search(['quickstart', '--resume', resumed]);
    expect(host.err()).toContain(message);
    expect(host.ended()).toBe(104);
  }
});

test('capbench report prints a search again, with the exit code of its verdict', async () => {
  const name = earlier('again', of({ result: null }));
  const host = memoryHost(['report', name, '--summary', 'there/summary.md'], { cwd: folder });
  await main(host);
  expect(host.out()).toContain('INTERRUPTED (105)  again/search.html');
  expect(host.ended()).toBe(105);
  expect(existsSync(join(folder, 'there/summary.md'))).toBe(true);
  expect(existsSync(join(folder, name, 'search.html'))).toBe(true);
  const refused = memoryHost(['report', name, '--junit', 'junit.xml'], { cwd: folder });
  await main(refused);
  expect(refused.err()).toContain('a search has no junit.xml');
  expect(refused.ended()).toBe(104);
});

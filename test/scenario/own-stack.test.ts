import { expect, test } from 'vitest';
import { wordsOf } from '../../src/systems/own/command-words.ts';
import { stackOf } from '../../src/systems/own/stack.ts';
import { targetsOf } from '../../src/systems/own/stack-schema.ts';
import { problemsOf, read, written } from './scenario-text.ts';

/** `stack:` of a scenario of one's own. */
const withStack = (stack: string, more = ''): string =>
  `name: mine\nsystem: own\nload: { players: 10 }\nplayers: { protocol: json, commands: [{ command: look }] }\nstack: ${stack}\n${more}`;
const START = 'start: node server.mjs';

test('a command is split at blanks, keeps what is quoted, and is read back from a bundle', () => {
  const scenario = read(
    withStack(
      `{ start: 'node "my server.mjs" --port 8080', ready: 8080, reset: [sh, -c, 'a | b'], environment: { N: 1, S: $SECRET } }`,
    ),
  );
  expect(stackOf(scenario)).toMatchObject({
    start: ['node', 'my server.mjs', '--port', '8080'],
    reset: ['sh', '-c', 'a | b'],
    environment: { N: '1', S: '$SECRET' },
    within: '60s',
  });
  expect(read(written(scenario))).toEqual(scenario);
  expect(scenario.traits.needsTarget).toBe(false);
});

test.each([
  [`a  'b c'  d`, ['a', 'b c', 'd']],
  [`a ""`, ['a', '']],
  [`a --name='x y'`, ['a', '--name=x y']],
])('%s has the words %j', (text, words) => {
  expect(wordsOf(text)).toEqual({ words });
});

test.each([
  ['8080', ['ws://127.0.0.1:8080']],
  ['http://127.0.0.1:8080/health', ['http://127.0.0.1:8080']],
  [
    '{ line: ready }, targets: [ws://localhost:1/a, ws://localhost:2/b]',
    ['ws://localhost:1/a', 'ws://localhost:2/b'],
  ],
])('where ready is %s, the load goes to %j', (ready, targets) => {
  const stack = stackOf(read(withStack(`{ ${START}, ready: ${ready} }`)));
  expect(stack === undefined ? [] : targetsOf(stack)).toEqual(targets);
});

test('faults of the server are those of a process that capbench started', () => {
  const fault = (action: string, of: string): string =>
    `faults: [{ action: ${action}, of: ${of}, at: 1s }]\n`;
  const stack = `{ ${START}, ready: 8080 }`;
  for (const action of ['kill', 'stop', 'restart'])
    expect(read(withStack(stack, fault(action, 'server'))).faults).toMatchObject([{ action, of: 'server' }]);
});

const COMMAND =
  'expected a command such as node server.mjs (no shell), or a list of its arguments: [sh, -c, "..."] runs a shell';

test.each([
  ['{ ready: 8080 }', 'stack.start', COMMAND],
  ['{ start: [], ready: 8080 }', 'stack.start', 'expected a list of 1 to 100 arguments'],
  ["{ start: 'a | b', ready: 8080 }", 'stack.start', '| outside quotes needs a shell'],
  ["{ start: 'echo $HOME', ready: 8080 }", 'stack.start', '$ outside quotes needs a shell'],
  [`{ start: 'a "b', ready: 8080 }`, 'stack.start', 'a quote " is not closed'],
  ['{ start: PORT=1 node a.mjs, ready: 8080 }', 'stack.start', 'write PORT=1 under environment'],
  [
    `{ ${START} }`,
    'stack.ready',
    'expected a port, a URL such as http://127.0.0.1:8080/health, or a line of its output',
  ],
  [`{ ${START}, ready: 0 }`, 'stack.ready', 'expected a whole number of 1 to 65,535'],
  [`{ ${START}, ready: http://example.com/health }`, 'stack.ready', 'expected a port'],
  [`{ ${START}, ready: { text: up } }`, 'stack.ready', ''],
  [
    `{ ${START}, ready: { line: up } }`,
    'stack.targets',
    'expected the addresses that the load goes to, since ready names none',
  ],
  [
    `{ ${START}, ready: 1, targets: [ws://game.example] }`,
    'stack.targets.0',
    'expected a loopback address such as ws://127.0.0.1:8080',
  ],
  [
    `{ ${START}, ready: 1, targets: ['ws://127.0.0.1:1/?token=x'] }`,
    'stack.targets.0',
    'expected a loopback address',
  ],
  [`{ ${START}, ready: 1, within: 2h }`, 'stack.within', 'expected a duration of 1s to 1h'],
  [
    `{ ${START}, ready: 1, environment: { 'A B': 1 } }`,
    'stack.environment.A B',
    'expected a name of letters, digits and _',
  ],
  [`{ ${START}, ready: 1, environment: { A: [1] } }`, 'stack.environment.A', 'expected a text, or $NAME'],
  [`{ ${START}, ready: 1, restart: x }`, 'stack.restart', 'unknown key "restart"'],
])('%s is refused at %s', (stack, path, expected) => {
  const problems = problemsOf(withStack(stack));
  expect(problems).toHaveLength(1);
  expect(problems[0]?.path).toBe(path);
  expect(problems[0]?.message).toContain(expected);
});

test('--set gives a map where the scenario has a text and its schema has both', () => {
  const text = withStack(`{ ${START}, ready: 'http://127.0.0.1:8080/', targets: [ws://127.0.0.1:1/] }`);
  const untargeted = withStack(`{ ${START}, ready: 'http://127.0.0.1:8080/' }`);
  for (const value of ['{line: listening}', '{"line": "listening"}']) {
    const set = [`stack.ready=${value}`];
    expect(stackOf(read(text, { set }))?.ready).toEqual({ line: 'listening' });
    expect(problemsOf(untargeted, { set }).map(({ path }) => path)).toEqual(['stack.targets']);
  }
  // A text stays one where both are allowed, or where only a text is.
  const players = 'players: { protocol: http, requests: [{ path: /a, body: text }] }';
  const http = `name: mine\ndescription: mine\nsystem: own\nload: { players: 10 }\n${players}\n`;
  const { description, sections } = read(http, {
    set: ['players.requests.0.body={"a": 1}', 'description={to: north}'],
  });
  expect([description, sections?.players]).toMatchObject([
    '{to: north}',
    { requests: [{ body: '{"a": 1}' }] },
  ]);
  expect(problemsOf(text, { set: ['stack.ready={lne: listening}'] })).toMatchObject([
    { path: 'stack.ready' },
  ]);
});

import { expect, test } from 'vitest';
import { fromArtillery } from '../../src/proposal/from-artillery.ts';
import { proposedFiles } from '../../src/proposal/scenario-text.ts';

const TEST = `config:
  target: http://127.0.0.1:3000
  phases:
    - { duration: 60, arrivalRate: 5, rampTo: 40, name: Warm up }
    - { duration: 2m, arrivalRate: 40, name: Hold it }
    - { pause: 10 }
    - { duration: 30, arrivalRate: 80 }
  ensure:
    thresholds: [{ http.response_time.p95: 250 }]
    conditions: [{ expression: http.request_rate > 10 and http.codes.200 > 5 }]
    maxErrorRate: 1
  processor: ./x.js
scenarios:
  - weight: 3
    flow:
      - get: { url: "/items/{{ id }}", qs: { page: 2 } }
      - think: 2
      - loop: [{ post: { url: cart, json: { item: "{{ id }}", n: 1 } } }]
        count: 4
  - flow: [{ get: { url: /health } }, { function: foo }]
`;

test('phases are rates of users, each of whom goes through a scenario once', () => {
  const { talk, shape, players, target } = fromArtillery('load.yml', TEST);
  expect(talk.protocol === 'http' && talk.requests).toEqual([
    { method: 'GET', path: '/items/{player}?page=2', body: null, line: 16, perSecond: 30 },
    { method: 'POST', path: '/cart', body: '{"item":"{player}","n":1}', line: 18, perSecond: 120 },
    { method: 'GET', path: '/health', body: null, line: 20, perSecond: 10 },
  ]);
  expect([shape.ramp, shape.stages.map(({ name, lasting, rate }) => [name, lasting, rate])]).toEqual([
    60,
    [
      ['hold-it', 120, 1],
      ['pause', 10, 0],
      ['stage-3', 30, 2],
    ],
  ]);
  // 80 users a second, each for the two seconds of think.
  expect([players, target]).toEqual([160, 'http://127.0.0.1:3000']);
});

test('ensure becomes budgets; what has no figure, code and variables are named with their lines', () => {
  const { budgets, leftOut } = fromArtillery('load.yml', TEST);
  expect(budgets.map(({ metric, stat, op, limit, line }) => [metric, stat, op, limit, line])).toEqual([
    ['latency.{op}.due', 'p95', '<', 250, 9],
    ['throughput.operationsPerSecond', null, '>', 10, 10],
    ['load.errorPercent.{op}', null, '<=', 1, 11],
  ]);
  expect(leftOut.map(({ line, what }) => `${line}: ${what}`)).toEqual([
    '10: ensure http.codes.200: nothing is measured like it',
    '12: processor: code of the test is not run; what it would set is {player}',
    '16: GET /items/{player}: what is not known of it is {player}',
    '18: POST /cart: what is not known of it is {player}',
    '20: function: no player does it without code',
  ]);
});

test('events of Socket.IO: a module that emits them', () => {
  const proposal = fromArtillery(
    'sio.yml',
    `config: { target: 'http://127.0.0.1:3000', phases: [{ duration: 10, arrivalRate: 5 }] }
scenarios:
  - engine: socketio
    flow: [{ emit: { channel: join, data: { room: 1 } }, acknowledge: {} }, { emit: [say, "hello {{ name }}"] }]
`,
  );
  const { scenario, module } = proposedFiles(proposal);
  expect(scenario).toContain('join: { perSecond: 5 }');
  expect(module).toContain("import { io } from 'socket.io-client';");
  expect(module).toContain('{ event: "join", data: (context) => ({"room":1}), acknowledged: true }');
  expect(module).toContain(`"hello {player}".replaceAll('{player}', String(context.player))`);
});

test.each([
  ['config: [', /^a\.yml:1:\d+: /],
  ['just text', /^a\.yml:1:1: expected a map with config and scenarios/],
  [
    'config: { target: x }\nscenarios:\n  - flow: [{ log: hi }]\n',
    /^a\.yml:\d+:1: no request and no message was found/,
  ],
])('%j is refused', (text, message) => {
  expect(() => fromArtillery('a.yml', text)).toThrow(message);
});

const nested = (depth: number): string => `scenarios: ${'['.repeat(depth)}${']'.repeat(depth)}`;
const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]', 'b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]']
  .concat(['c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]', 'scenarios: [*c, *c, *c, *c]'])
  .join('\n');

test.each([
  ['aliases of aliases', bomb],
  ['an alias of nothing', 'scenarios: *nothing'],
  ['brackets by the thousand', nested(20_000)],
])('%s are bad input', (_what, text) => {
  expect(() => fromArtillery('x.yml', text)).toThrow(
    expect.objectContaining({ name: 'CapbenchError', message: expect.stringMatching(/^x\.yml:\d+:\d+: /) }),
  );
});

test('every key that is not carried over is named with its line', () => {
  const { leftOut } = fromArtillery(
    'x.yml',
    `config:
  target: http://127.0.0.1:1
  phases: [{ duration: 1, arrivalRate: 1, extra: 1 }]
  defaults: { headers: { a: b }, strictCapture: false }
  http: { timeout: 5 }
  plugins: { ensure: {}, expect: {} }
  tls: { rejectUnauthorized: false }
  environments: { dev: {} }
before: { flow: [{ post: { url: /seed } }] }
scenarios:
  - beforeRequest: f
    skip: true
    flow:
      - get: { url: /a, gzip: true, followRedirect: false }
`,
  );
  expect(leftOut.map(({ line, what }) => `${line}: ${what.split(';')[0]}`)).toEqual([
    '3: extra of a phase',
    '4: defaults.headers: --header and --header-env give the same to every request',
    '4: defaults.strictCapture',
    '5: http.timeout',
    '6: the plugin expect',
    '7: tls: certificates of a target are checked',
    '8: environments',
    '9: before: its requests are not sent',
    '11: beforeRequest: code of the test is not run',
    '12: skip of a scenario',
    '14: GET /a: gzip',
    '14: GET /a: followRedirect',
  ]);
});

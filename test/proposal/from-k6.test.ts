import { expect, test } from 'vitest';
import { CapbenchError } from '../../src/errors.ts';
import { fromK6 } from '../../src/proposal/from-k6.ts';
import { proposedFiles } from '../../src/proposal/scenario-text.ts';

const script = (options: string, body: string, more = ''): string =>
  `import http from 'k6/http';\nimport { sleep } from 'k6';\nconst BASE = __ENV.BASE || 'http://127.0.0.1:3000';\n${more}export const options = ${options};\nexport default function () {\n${body}\n}\n`;

const requestsOf = (source: string) => {
  const { talk } = fromK6('load.js', source);
  return talk.protocol === 'http'
    ? talk.requests.map(({ method, path, body, perSecond, line }) => [method, path, body, perSecond, line])
    : [];
};
const notesOf = (source: string): readonly string[] =>
  fromK6('load.js', source).leftOut.map(({ line, what }) => `${line}: ${what}`);

test('requests of the default function, and of what it calls, with what only running would tell as {player}', () => {
  const source = script(
    "{ scenarios: { a: { executor: 'constant-arrival-rate', rate: 120, timeUnit: '1m', preAllocatedVUs: 7, duration: '40s' } } }",
    `  login(__VU); // http.get('not this')
  http.get(\`\${BASE}/quizzes/\${id()}/x?page=1\`);
  http.batch([['PUT', BASE + '/a'], { method: 'DELETE', url: BASE + '/b' }]);`,
    "const login = (user: number): void => { http.post(BASE + '/login', JSON.stringify({ user: 'u' + user, n: [1, true, null] })); };\n",
  );
  expect(requestsOf(source)).toEqual([
    ['POST', '/login', '{"user":"u{player}","n":[1,true,null]}', 2, 4],
    ['GET', '/quizzes/{player}/x?page=1', null, 2, 8],
    ['PUT', '/a', null, 2, 9],
    ['DELETE', '/b', null, 2, 9],
  ]);
  expect(fromK6('load.js', source)).toMatchObject({
    players: 7,
    target: 'http://127.0.0.1:3000',
    shape: { duration: 40, stages: [] },
  });
  expect(notesOf(source)).toContain(
    '8: GET /quizzes/{player}/x?page=1: what is not known of the path is {player}',
  );
});

test('stages of arrivals: a ramp, then multiples of the first level', () => {
  const source = script(
    "{ scenarios: { a: { executor: 'ramping-arrival-rate', startRate: 0, preAllocatedVUs: 5, maxVUs: 50, stages: [{ duration: '30s', target: 50 }, { duration: '1m', target: 50 }, { duration: '1m30s', target: 150 }, { duration: '10s', target: 0 }] } } }",
    "  http.get(BASE + '/');",
  );
  const { shape, players, leftOut } = fromK6('load.js', source);
  expect(shape).toEqual({
    ...{ ramp: 30, warmUp: 2, duration: null },
    stages: [
      { name: 'stage-1', lasting: 60, rate: 1, over: 0, players: null },
      { name: 'stage-2', lasting: 90, rate: 3, over: 90, players: null },
    ],
  });
  expect(players).toBe(50);
  expect(requestsOf(source)).toEqual([['GET', '/', null, 50, 6]]);
  expect(leftOut.map(({ what }) => what)).toEqual([expect.stringContaining('goes down to 0')]);
});

test('stages of virtual users: numbers of players, and a rate that follows from sleep', () => {
  const source = script(
    "{ stages: [{ duration: '10s', target: 100 }, { duration: '20s', target: 100 }, { duration: '10s', target: 300 }] } as Options",
    "  http.del(BASE + '/items/7');\n  sleep(0.5);",
  );
  const { shape, players, connectsPerSecond } = fromK6('load.js', source);
  expect(shape.stages.map(({ players: there, rate }) => [there, rate])).toEqual([
    [100, null],
    [300, null],
  ]);
  expect([players, connectsPerSecond, shape.ramp]).toEqual([300, 20, 10]);
  expect(requestsOf(source)).toEqual([['DELETE', '/items/7', null, 600, 6]]);
});

test('thresholds become budgets, or are named with their line', () => {
  const source = script(
    "{ vus: 2, duration: '10s', thresholds: {\n http_req_duration: ['p(95)<500', 'p(99.9)<=2000', 'p(42)<3'],\n http_req_failed: [{ threshold: 'rate<0.01', abortOnFail: true }],\n checks: ['rate>0.99'] } }",
    "  http.get(BASE + '/a');\n  http.get(BASE + '/b');",
  );
  const proposal = fromK6('load.js', source);
  expect(
    proposal.budgets.map(({ metric, stat, op, limit, line }) => [metric, stat, op, limit, line]),
  ).toEqual([
    ['latency.{op}.due', 'p95', '<', 500, 5],
    ['latency.{op}.due', 'p999', '<=', 2000, 5],
    ['load.errorPercent.{op}', null, '<', 1, 6],
    ['load.rejectedPercent.{op}', null, '<', 1, 6],
  ]);
  expect(notesOf(source)).toEqual(
    expect.arrayContaining([
      '5: the threshold http_req_duration: nothing is measured like p(42)<3',
      '7: the threshold checks: nothing is measured like rate>0.99',
    ]),
  );
  const { scenario } = proposedFiles(proposal);
  expect(scenario).toContain(
    '{ id: duration-p95-getA, metric: latency.getA.due, stat: p95, op: "<", limit: 500',
  );
  expect(scenario).toContain('#   line 7: the threshold checks');
});

test('messages over a WebSocket: a module that sends them', () => {
  const source = `import ws from 'k6/ws';
export default function () {
  ws.connect('ws://localhost:8080/socket?room=1', {}, (socket) => {
    socket.send(JSON.stringify({ type: 'move', by: \`p\${__VU}\` }));
    socket.send('ping');
  });
}`;
  const proposal = fromK6('ws.js', source);
  expect(proposal.talk).toMatchObject({ protocol: 'websocket', path: '/socket?room=1' });
  const { scenario, module } = proposedFiles(proposal);
  expect(scenario).toContain('players: { module: ./my-player.mjs }');
  expect(scenario).toMatch(/move: \{ perSecond: 1 \} {2}# line 4\n {4}ping: \{ perSecond: 1 \} {2}# line 5/);
  const table = /const MESSAGES = (\{.*?\n\});/s.exec(module ?? '')?.[1];
  const messages = new Function(`return ${table}`)() as Record<string, ((context: object) => string)[]>;
  expect(messages.move?.map((of) => of({ player: 3 }))).toEqual(['{"type":"move","by":"p3"}']);
  expect(messages.ping?.map((of) => of({ player: 3 }))).toEqual(['ping']);
});

test('a host that is not this machine is in no command', () => {
  const { scenario } = proposedFiles(fromK6('a.js', script('{}', "  http.get('https://game.example/a');")));
  expect(scenario).toContain('--target http://127.0.0.1:8080\n');
  expect(scenario).toContain('#   the target https://game.example: only who owns it may load it');
});

test.each([
  ["http.get('x", 'load.js:1:10: Unterminated string constant'],
  ['a = {\n  b: [1, 2\n}', 'load.js:3:1: Unexpected token'],
  ['/* never', 'load.js:1:1: Unterminated comment'],
  ['a(`${b', 'load.js:1:7: Unexpected token'],
  ['f({', 'load.js:1:4: Unexpected token'],
  [`x = ${'('.repeat(10_000)}1${')'.repeat(10_000)}`, 'it is nested too deeply to be read'],
  [`let ${'['.repeat(20_000)}a${']'.repeat(20_000)} = 1`, 'Not enough stack space'],
  // Each cast doubles what the parser tries.
  [`x = ${'<a>('.repeat(40)}1${')'.repeat(40)}`, 'it is nested too deeply to be read'],
  [
    `${Array.from({ length: 40 }, (_, i) => `const f${i} = () => { f${i + 1}(); f${i + 1}(); };`).join('\n')}\nexport default f0;`,
    'load.js: its functions call each other too often',
  ],
  ['export default function () {}', 'load.js: no request and no message of it was found'],
])('%j is refused', (source, message) => {
  let thrown: unknown;
  try {
    fromK6('load.js', source);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CapbenchError);
  expect(thrown).toMatchObject({ exitCode: 104 });
  expect((thrown as Error).message).toContain(message);
});

test('what looks like the end of a string is none in a regular expression, and constants may be made of each other', () => {
  const source = script(
    '{ vus: USERS }',
    '  http.get(URL);',
    "const QUOTES = /[/'\"`]+/g;\nconst USERS = 2 + 3;\nconst URL = BASE + PATH;\nconst PATH = '/a' + '/b';\nlet other = '/c';\n",
  );
  expect(requestsOf(source)).toEqual([['GET', '/a/b', null, 5, 11]]);
  const loop = script('{}', '  http.get(A);', 'const A = B + B;\nconst B = A + A;\n');
  expect(() => fromK6('load.js', loop)).toThrow('no request');
});

test('requests outside of what virtual users do, options and tags are named with their lines', () => {
  const { talk, leftOut } = fromK6(
    'x.js',
    `import http from 'k6/http';
export const options = {
  noConnectionReuse: true, vus: 2, duration: '5s',
  thresholds: { 'http_req_duration{name:login}': ['p(95)<200'], 'http_req_duration{name:a}': ['p(42)<1'] },
};
export function setup() { return http.post('http://127.0.0.1:1/seed'); }
export default function () {
  http.get('http://127.0.0.1:1/a', { timeout: '1s', tags: { x: 'y' } });
}
export function teardown() {
  http.get('http://127.0.0.1:1/end');
}
`,
  );
  expect(talk.protocol === 'http' && talk.requests.map(({ path }) => path)).toEqual(['/a']);
  expect(leftOut.flatMap(({ line, what }) => (line === null ? [] : [`${line}: ${what}`]))).toEqual([
    '3: the option noConnectionReuse',
    '4: the threshold http_req_duration{name:login}: what has the tag name:login is not told apart; p(95)<200 can be a budget on one kind of operation',
    '4: the threshold http_req_duration{name:a}: nothing is measured like p(42)<1',
    '6: http.post in setup: no virtual user of a scenario sends it',
    '8: GET /a: timeout',
    '8: GET /a: tags',
    '11: http.get in teardown: no virtual user of a scenario sends it',
  ]);
});

test('what is spread into a map is read where it is a literal, and named where it is not', () => {
  const { talk, players, leftOut } = fromK6(
    'x.js',
    `import http from 'k6/http';
const common = { vus: 7, tags: { a: 'b' } };
export const options = { ...common, ...load(), duration: '5s' };
export default function () {
  http.post('http://127.0.0.1:1/a', JSON.stringify({ ...user, n: 1, of: name }), { ...params });
}
`,
  );
  expect(players).toBe(7);
  expect(talk.protocol === 'http' && talk.requests.map(({ body }) => body)).toEqual([
    '{"n":1,"of":"{player}"}',
  ]);
  expect(leftOut.flatMap(({ line, what }) => (line === null ? [] : [`${line}: ${what}`]))).toEqual([
    '2: the option tags',
    '3: ...load(): it is not known without running the script',
    '5: POST /a: what is not known of the body is {player}',
    '5: POST /a: its parameters are not known without running the script',
    '5: ...user: it is not known without running the script',
  ]);
});

test('keys that are computed, methods and what is not known of the options are named with their lines', () => {
  const { players, shape, talk, leftOut } = fromK6(
    'x.js',
    `import http from 'k6/http';
export const options = {
  vus: 2, ['dur' + 'ation']: '7s',
  [name()]: 1,
  iterations() { return 5; },
  thresholds: { [prefix + 'x']: ['p(95)<1'] },
  get tags() { return {}; },
};
export default () => {
  http.post('/a', JSON.stringify({ [key]: 1, b: { ...deep } }), { [p]: 1 });
};
`,
  );
  expect([players, shape.duration]).toEqual([2, 7]);
  expect(talk.protocol === 'http' && talk.requests.map(({ body }) => body)).toEqual(['{"b":{}}']);
  expect(leftOut.flatMap(({ line, what }) => (line === null ? [] : [`${line}: ${what}`]))).toEqual([
    '4: [name()]: it is not known without running the script',
    '5: iterations: a run lasts for a time, and not for a number of operations',
    '5: the option iterations: () { return 5; } is not known without running the script',
    "6: [prefix + 'x']: it is not known without running the script",
    '7: the option tags',
    '10: POST /a: its parameters are not known without running the script',
    '10: [key]: it is not known without running the script',
    '10: ...deep: it is not known without running the script',
  ]);
});

test('TypeScript is read, and functions that are handed over by name, or exported under another', () => {
  const source = `import http, { get as fetched, type Response } from 'k6/http';
interface User { readonly name: string }
enum Kind { A = 1 }
const options = { vus: 3 } satisfies Options;
function list<T extends User>(user?: T): Response { return fetched('/list'); }
const items = (): void => { (http as Http).get<'text'>(\`/items/\${user!.name}\` as string); };
function run(this: void): void { group('all', items); list(); }
export { options, run as default };
`;
  expect(requestsOf(source)).toEqual([
    ['GET', '/items/{player}', null, 3, 6],
    ['GET', '/list', null, 3, 5],
  ]);
});

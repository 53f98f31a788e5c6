import { expect, test } from 'vitest';
import { cleanProposal } from '../../src/proposal/clean-proposal.ts';
import { fromArtillery } from '../../src/proposal/from-artillery.ts';
import { fromK6 } from '../../src/proposal/from-k6.ts';
import type { Proposal } from '../../src/proposal/proposal.ts';
import { proposedFiles } from '../../src/proposal/scenario-text.ts';
import { Redaction } from '../../src/redaction.ts';

const redaction = Redaction.of([], {});
const clean = (proposal: Proposal): Proposal => cleanProposal(proposal, (text) => redaction.text(text));
const ofCode = (code: string): Proposal =>
  clean(fromK6('x.js', `import http from 'k6/http';\nexport default () => {\n${code}\n};\n`));
const requestsOf = ({ talk }: Proposal) =>
  talk.protocol === 'http' ? talk.requests.map(({ method, path, body }) => [method, path, body]) : [];
const leftOutOf = ({ leftOut }: Proposal) => leftOut.map(({ line, what }) => `${line}: ${what}`);

test('braces of a path stand for themselves, and names in a body are not filled in', () => {
  const proposal = ofCode(`http.get('/{weird}/x?q={env.HOME}');
http.post('/a', JSON.stringify({ a: '{weird} {player}' }));
http.post('/b', 'a {weird} text');
http.request('PROPFIND', '/c');`);
  expect(requestsOf(proposal)).toEqual([
    ['GET', '/%7Bweird%7D/x?q=%7Benv.HOME%7D', null],
    ['POST', '/a', '{"a":"\\u007bweird} {player}"}'],
    ['POST', '/b', null],
  ]);
  expect(proposedFiles(proposal).scenario).toContain('operation: getWeirdX,');
  expect(leftOutOf(proposal)).toEqual(
    expect.arrayContaining([
      '3: GET /%7Bweird%7D/x?q=%7Benv.HOME%7D: its braces are encoded, and stand for themselves',
      '5: POST /b: its body, which has a name in braces that would be filled in',
      '6: PROPFIND: a method that players do not send',
    ]),
  );
});

test('secrets of bodies, queries, paths, addresses and messages are left out and named', () => {
  const proposal = ofCode(`http.post('http://user:hunter2hunter2@127.0.0.1:1/x', 'password=hunter2hunter2');
http.get('/y?token=hunter2hunter2');
http.get('/z/password=hunter2hunter2');`);
  expect(requestsOf(proposal)).toEqual([
    ['POST', '/x', null],
    ['GET', '/y', null],
  ]);
  expect(leftOutOf(proposal)).toEqual(
    expect.arrayContaining([
      '3: POST /x: the user in its address',
      '3: POST /x: its body, which has what looks like a secret',
      '4: GET /y: its query, which has what looks like a secret',
      '5: GET: a request whose path has what looks like a secret',
    ]),
  );
  expect(proposal.target).toBe('http://127.0.0.1:1');
  const socket = clean(
    fromArtillery(
      'x.yml',
      `config: { target: 'ws://me:hunter2hunter2@127.0.0.1:1/s?token=hunter2hunter2', phases: [{ duration: 1, arrivalRate: 1 }] }
scenarios:
  - engine: ws
    flow: [{ send: 'password=hunter2hunter2' }, { send: hello }]`,
    ),
  );
  const { scenario, module } = proposedFiles(socket);
  expect(`${scenario}${module}${JSON.stringify(socket)}`).not.toContain('hunter2');
  expect(module).toContain('"hello"');
  expect(leftOutOf(socket)).toContain('4: what a message says: it has what looks like a secret');
});

test('without any request that is left, there is no scenario', () => {
  expect(() => ofCode("http.get('/password=hunter2hunter2');")).toThrow(
    expect.objectContaining({
      exitCode: 104,
      message: expect.stringContaining('line 3: GET: a request whose path'),
    }),
  );
});

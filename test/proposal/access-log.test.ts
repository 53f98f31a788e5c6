import { expect, test } from 'vitest';
import { AccessLog, shapeOfPath } from '../../src/proposal/access-log.ts';
import { proposedFiles } from '../../src/proposal/scenario-text.ts';

const two = (n: number): string => String(n).padStart(2, '0');
const common = (second: number, client: number, request: string, status = 200): string =>
  `10.0.0.${client} - - [10/Oct/2026:13:${two(Math.floor(second / 60))}:${two(second % 60)} +0200] "${request} HTTP/1.1" ${status} 512 "-" "curl \\"x\\""`;

const read = (lines: readonly string[]) => {
  const log = new AccessLog();
  for (const line of lines) log.add(line);
  return { log, proposal: log.proposal('access.log') };
};

test('the busiest minute is the load: its rates, its clients; the mean is told', () => {
  const quiet = Array.from({ length: 60 }, (_, i) => common(i, 1, `GET /items/${i}`));
  const busy = Array.from({ length: 300 }, (_, i) =>
    common(
      60 + Math.floor(i / 5),
      i % 20,
      i % 5 === 0 ? 'POST /moves' : `GET /items/${i}?x=1`,
      i % 10 === 0 ? 404 : 200,
    ),
  );
  const after = Array.from({ length: 60 }, (_, i) => common(120 + i, 1, 'GET /late'));
  const { proposal } = read([...quiet, ...busy, ...after]);
  expect(proposal?.players).toBe(20);
  expect(proposal?.talk).toEqual({
    protocol: 'http',
    requests: [
      { method: 'GET', path: '/items/{player}', body: null, line: 1, perSecond: 4, rejectedPercent: 0 },
      { method: 'POST', path: '/moves', body: null, line: 61, perSecond: 1, rejectedPercent: 50 },
    ],
  });
  expect(proposal?.description).toBe(
    'Proposed from the access log access.log: its busiest minute, from 2026-10-10 11:01:00 UTC, with 5 requests a second (mean 2.33)',
  );
  expect(proposal?.leftOut).toContainEqual({ line: 61, what: 'POST /moves: its body, which no log has' });
});

test('lines that cannot be read are counted, and the first is named', () => {
  const { log, proposal } = read([
    common(0, 1, 'GET /a'),
    'rubbish',
    '',
    '{"not": "a request"}',
    common(1, 1, 'GET /a'),
  ]);
  expect([log.lines, log.read, log.bad]).toEqual([5, 2, 2]);
  expect(proposal?.leftOut[0]).toEqual({
    line: 2,
    what: '2 of 5 lines could not be read; this is the first: rubbish',
  });
  expect(read(['rubbish']).proposal).toBeNull();
});

test.each([
  [
    '{"time_iso8601":"2026-10-10T13:00:01+00:00","remote_addr":"1.2.3.4","request":"GET /a?b HTTP/1.1","status":"200"}',
  ],
  [
    '{"time_iso8601":"2026-10-10T13:00:01Z","remote_addr":"1.2.3.4","request_method":"GET","request_uri":"/a","status":200}',
  ],
  ['{"ts":1791637201.25,"status":200,"request":{"remote_ip":"1.2.3.4","method":"GET","uri":"/a"}}'],
  ['{"@timestamp":1791637201250,"client_ip":"1.2.3.4","method":"GET","path":"/a","status_code":200}'],
])('JSON: %s', (line) => {
  const { proposal } = read([line]);
  expect(proposal?.talk).toMatchObject({ requests: [{ method: 'GET', path: '/a' }] });
  expect(proposal?.description).toContain('from 2026-10-10 13:00:01 UTC');
});

test('upgrades and unusual methods are left out, with how often there were any', () => {
  const { proposal } = read([
    common(0, 1, 'GET /a'),
    common(0, 1, 'GET /socket', 101),
    common(1, 1, 'CONNECT /x'),
    common(1, 1, 'CONNECT /x'),
  ]);
  expect(proposal?.leftOut.map(({ line, what }) => `${line}: ${what}`)).toEqual(
    expect.arrayContaining([
      '2: GET /socket: an upgrade, for which a player module is needed (1 times)',
      '3: CONNECT: a method that players do not send (2 times)',
    ]),
  );
});

test('paths with ids have one shape', () => {
  expect(
    [
      ...['/users/17/items?page=2', '/u/550e8400-e29b-41d4-a716-446655440000', '/o/507f1f77bcf86cd799439011'],
      ...[
        '/t/abcDEF123_456-789xyz0',
        '/m/someone%40example.com',
        '/v2/health',
        '/static/main.css',
        '/a b\\c',
      ],
    ].map(shapeOfPath),
  ).toEqual([
    ...['/users/{player}/items', '/u/{player}', '/o/{player}', '/t/{player}', '/m/{player}'],
    ...['/v2/health', '/static/main.css', '/a%20b%5Cc'],
  ]);
});

test('the busiest 60 s may begin at any second, and their lines may be a little out of order', () => {
  const edge = Array.from({ length: 600 }, (_, i) => common(30 + Math.floor(i / 10), i % 7, 'GET /a'));
  const swapped = edge.map((_, i) => edge[i % 40 < 20 ? i + 20 : i - 20] ?? '');
  for (const lines of [edge, swapped, [...edge, ...edge.map((line) => line.replace(':13:', ':12:'))]]) {
    const { proposal } = read([common(0, 1, 'GET /a'), ...lines, common(3000, 1, 'GET /a')]);
    expect(proposal?.description).toContain('from 2026-10-10 11:00:30 UTC, with 10 requests a second');
    expect(proposal?.players).toBe(7);
  }
});

test('a log behind another one, with earlier times, may have the busiest minute', () => {
  const of = (hour: number, perSecond: number): string[] =>
    Array.from({ length: 60 * perSecond }, (_, i) =>
      common(Math.floor(i / perSecond), 1, 'GET /a').replace(':13:', `:${hour}:`),
    );
  const { proposal } = read([...of(15, 2), ...of(14, 4), ...of(13, 6), ...of(12, 3)]);
  expect(proposal?.description).toContain('from 2026-10-10 11:00:00 UTC, with 6 requests a second');
});

test('each kind has its own share of rejections; answers that players count as failed are named', () => {
  const answers = (path: string, statuses: readonly number[]): string[] =>
    statuses.map((status, i) => common(i, 1, `GET ${path}`, status));
  const { proposal } = read([
    ...answers('/good', [200, 200, 200, 204]),
    ...answers('/bad', [404, 404, 200, 400]),
    ...answers('/odd', [302, 500, 503, 200]),
  ]);
  expect(proposal).not.toBeNull();
  if (proposal === null) return;
  expect(proposedFiles(proposal).scenario).toContain(
    'rules:\n  rejectedPercent:\n    getBad: 90  # 75% were 4xx\n\n',
  );
  expect(proposal.leftOut.filter(({ what }) => what.includes('failed'))).toEqual([
    {
      line: 9,
      what: 'GET /odd: its 1 answers of 3xx and 2 answers of 5xx, of 4; for players these are failed operations',
    },
  ]);
});

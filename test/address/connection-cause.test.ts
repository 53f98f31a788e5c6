import { describe, expect, it, test } from 'vitest';
import {
  type CauseKind,
  causeOfAnswer,
  causeOfClose,
  causeOfError,
  causeOfRefusals,
  causeOfUpgrade,
  isRound,
  sentenceOf,
} from '../../src/address/connection-cause.ts';

const coded = (code: string, message = `connect ${code} 127.0.0.1:1`): Error =>
  Object.assign(new Error(message), { code });

describe('an error', () => {
  it.each<[what: string, error: unknown, kind: CauseKind, hint: string | null]>([
    ['a self-signed certificate', coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'certificate', '--ca-file'],
    ['one of an unknown authority', coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'certificate', '--ca-file'],
    ['one that has expired', coded('CERT_HAS_EXPIRED'), 'certificate', 'renew the certificate'],
    [
      'one of another host',
      coded('ERR_TLS_CERT_ALTNAME_INVALID'),
      'certificate',
      'use the host name of the certificate',
    ],
    ['TLS to a port without', coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'noTls', 'http:// or ws://'],
    [
      'the same, as older Nodes say it',
      coded('EPROTO', 'write EPROTO 80:error:0A00010B:SSL routines::wrong version number'),
      'noTls',
      'http:// or ws://',
    ],
    ['no TLS in common', coded('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'), 'certificate', 'speaks TLS'],
    ['no HTTP', coded('HPE_INVALID_CONSTANT', 'Parse Error: Expected HTTP/'), 'noHttp', 'https:// or wss://'],
    ['nobody there', coded('ECONNREFUSED'), 'refused', 'start the server'],
    ['cut off', coded('ECONNRESET', 'read ECONNRESET'), 'reset', 'limit of connections'],
    ['hung up', new Error('socket hang up'), 'reset', 'limit of connections'],
    [
      'hung up, as undici says it',
      coded('UND_ERR_SOCKET', 'other side closed'),
      'reset',
      'limit of connections',
    ],
    ['no answer', coded('ETIMEDOUT'), 'timeout', 'firewall'],
    ['no handshake in time', new Error('Opening handshake has timed out'), 'timeout', 'firewall'],
    ['no route', coded('EHOSTUNREACH'), 'noRoute', 'network'],
    ['no such name', coded('ENOTFOUND', 'getaddrinfo ENOTFOUND nowhere.invalid'), 'unknownName', 'the name'],
    ['too many open files', coded('EMFILE', 'connect EMFILE'), 'descriptors', 'ulimit -n'],
    ['no port left', coded('EADDRNOTAVAIL'), 'ports', 'ip_local_port_range'],
    [
      'several addresses, nobody at either',
      new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]),
      'refused',
      'start the server',
    ],
    [
      'no sub-protocol chosen',
      new Error('Server sent no subprotocol'),
      'subprotocol',
      'players.subprotocols',
    ],
    [
      'one that nobody asked for',
      new Error('Server sent a subprotocol but none was requested'),
      'subprotocol',
      'players.subprotocols',
    ],
    ['a wrong accept', new Error('Invalid Sec-WebSocket-Accept header'), 'noWebSocket', 'players.path'],
    [
      'an answer, as ws throws it',
      new Error('Unexpected server response: 403'),
      'unauthorized',
      '--header-env',
    ],
    [
      'a frame that we do not take',
      coded('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'Max payload size exceeded'),
      'frameTooLong',
      'players.largestFrame',
    ],
    [
      'no frame',
      coded('WS_ERR_INVALID_OPCODE', 'Invalid WebSocket frame'),
      'closedByCapbench',
      'capbench closed',
    ],
    ['something else', new Error('bad password'), 'other', null],
    ['no error at all', 'what?', 'other', null],
  ])('%s', (_what, error, kind, hint) => {
    const cause = causeOfError(error);
    expect(cause.kind).toBe(kind);
    if (hint === null) expect(cause.hint).toBeNull();
    else expect(cause.hint).toContain(hint);
    expect(cause.what).not.toBe('');
  });
});

test.each<[status: number, kind: CauseKind, hint: string | null]>([
  [200, 'answer', null],
  [301, 'redirect', 'are not followed'],
  [302, 'redirect', 'are not followed'],
  [307, 'redirect', 'are not followed'],
  [308, 'redirect', 'are not followed'],
  [400, 'badRequest', 'players.subprotocols'],
  [426, 'badRequest', 'players.subprotocols'],
  [401, 'unauthorized', '--header-env'],
  [403, 'unauthorized', 'Origin'],
  [404, 'notFound', 'path of --target'],
  [409, 'conflict', null],
  [418, 'answer', null],
  [429, 'policy', 'not its capacity'],
  [500, 'serverError', null],
  [502, 'noUpstream', 'proxy'],
  [503, 'noUpstream', 'proxy'],
  [504, 'noUpstream', 'proxy'],
])('an answer of %i', (status, kind, hint) => {
  const cause = causeOfAnswer(status);
  expect(cause.kind).toBe(kind);
  expect(cause.what).toContain(`status ${status}`);
  if (hint === null) expect(cause.hint).toBeNull();
  else expect(cause.hint).toContain(hint);
});

test('200 is no answer to a WebSocket upgrade', () => {
  expect(causeOfUpgrade(200)).toMatchObject({
    kind: 'noWebSocket',
    what: 'the server answered with status 200',
    hint: expect.stringContaining('players.path'),
  });
  expect(causeOfUpgrade(403)).toMatchObject({
    kind: 'unauthorized',
    what: 'the server answered with status 403',
  });
});

test.each([
  ['/game/', 'status 301, Location /game/'],
  ['wss://game.example/ws/', 'status 301, Location wss://game.example/ws/'],
  ['https://ann:hunter2@game.example/in', 'status 301, Location https://game.example/in'],
  ['//ann:hunter2@game.example/in', 'status 301, Location //game.example/in'],
  ['/login?token=hunter2#x', 'status 301, Location /login?..'],
  [`/${'x'.repeat(5000)}`, `status 301, Location /${'x'.repeat(199)}..`],
  [undefined, 'status 301, without a Location'],
])('a redirect to %s', (location, what) => {
  expect(causeOfAnswer(301, location).what).toBe(what);
});

test.each<[code: number, reason: string, kind: CauseKind, sentence: RegExp]>([
  [1000, '', 'closed', /^code 1000$/],
  [1001, 'the server stops', 'restarting', /^code 1001, the server stops: .*restarting/],
  [1006, '', 'closed', /^without a close frame/],
  [1008, 'too many connections', 'policy', /^code 1008, too many connections: .*not its capacity/],
  [1009, '', 'frameTooLarge', /refuses frames of that size/],
  [1011, 'oops', 'closed', /^code 1011, oops$/],
  [1012, '', 'restarting', /stopping or restarting/],
  [1013, '', 'overloaded', /reports that it is overloaded/],
  [1014, '', 'noUpstream', /proxy/],
  [3000, '', 'unauthorized', /--header-env/],
  [4001, 'kicked', 'closed', /^code 4001, kicked$/],
])('a close of %i (%s)', (code, reason, kind, sentence) => {
  const cause = causeOfClose(code, reason);
  expect(cause.kind).toBe(kind);
  expect(sentenceOf(cause)).toMatch(sentence);
});

test('round numbers are typical connection limits', () => {
  const round = [
    5, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 150, 200, 250, 256, 500, 512, 1000, 1024, 1500,
  ];
  const odd = [0, 1, 4, 7, 13, 33, 51, 97, 101, 110, 199, 257, 1023, 1050, 1234];
  expect(round.filter((count) => !isRound(count))).toEqual([]);
  expect(odd.filter(isRound)).toEqual([]);
});

test.each([
  [503, 100, true],
  [429, 100, true],
  [403, 64, true],
  [503, 97, false],
  // With these answers the number of connections means nothing.
  [301, 100, false],
  [400, 100, false],
])('refusals by %i that begin at %i connections: by number? %s', (status, connected, isByNumber) => {
  const cause = causeOfRefusals(causeOfAnswer(status), connected);
  expect(cause.what).toContain(`status ${status}`);
  expect(/at \d+ connections.*not its capacity/.test(cause.hint ?? '')).toBe(isByNumber);
});

import { expect, test } from 'vitest';
import { openAttachedPostgres } from '../../../src/probe/attached-postgres.ts';
import { greetingProblem } from '../../../src/probe/attached-socket.ts';
import { excerptOf } from '../../../src/probe/excerpt.ts';
import { openRedisProbe } from '../../../src/probe/redis.ts';
import { type ForeignServer, foreignServer } from '../../foreign-server.ts';

const redisAt = (port: number) =>
  openRedisProbe({
    ...{ host: '127.0.0.1', address: '127.0.0.1', port, username: null, password: null, database: null },
    ...{ tls: false, shown: `127.0.0.1:${port}`, onThisHost: true },
  });
const postgresAt = (port: number) => {
  const shown = `127.0.0.1:${port}`;
  const attached = { connectionString: `postgresql://ann:pw-77@${shown}/world`, address: '127.0.0.1', shown };
  const endpoint = { host: '', port: 0, user: '', password: '', database: '', pid: null, attached };
  return openAttachedPostgres(endpoint, shown, ['entity']);
};

test.each<[ForeignServer, string, string]>([
  ['http', 'sent "HTTP/1.1 400 Bad Request"', 'sent "HTTP/1.1 '],
  ['greeting', 'sent "220 mail.example ESMTP"', 'sent "220 mail.example ESMTP"'],
  ['bytes', 'sent the bytes 00 01 02 03 ff fe fd 00 ..', 'sent the bytes 00 01 02 03 ff fe fd 00 ..'],
  ['echo', 'sent the bytes 00 00 00', 'sent "*'],
  ['oddLogin', 'a login that capbench does not support (type 99)', 'sent the bytes 52 00'],
  ['closing', 'closes the connection without an answer', 'closes the connection without an answer'],
  ['cutting', 'closes the connection without an answer', 'closes the connection without an answer'],
  ['silent', 'does not answer', 'does not answer'],
])(
  '%s is neither PostgreSQL nor Redis: 93 within seconds, with the answer',
  async (kind, byPostgres, byRedis) => {
    const port = await foreignServer(kind);
    const [postgres, redis] = await Promise.allSettled([postgresAt(port), redisAt(port)]);
    for (const [outcome, problem, flag] of [
      [postgres, byPostgres, '--probe-postgres'],
      [redis, byRedis, '--probe-redis'],
    ] as const) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: {
          exitCode: 93,
          message: expect.stringMatching(new RegExp(`^the server at 127\\.0\\.0\\.1:${port} `)),
          hint: expect.stringContaining(flag),
        },
      });
      if (outcome.status === 'fulfilled') throw new Error('it was taken for one');
      expect(outcome.reason.message).toContain(problem);
      expect(outcome.reason.message).not.toMatch(/report this|pw-77/);
    }
  },
);

test('a PostgreSQL that accepts a connection and then does not answer: 93, without a run', async () => {
  const port = await foreignServer('mute');
  await expect(postgresAt(port)).rejects.toMatchObject({
    exitCode: 93,
    message: `the server at 127.0.0.1:${port} accepts a connection and does not answer a query within 5 s: it is stopped`,
    hint: expect.stringContaining('--probe-postgres'),
  });
});

test('the first bytes of a PostgreSQL are accepted', () => {
  const scram = Buffer.from('52000000170000000a534352414d2d5348412d3235360000', 'hex');
  const error = Buffer.concat([Buffer.from('E\0\0\0\x10'), Buffer.from('SFATAL\0\0\0\0\0')]);
  for (const greeting of [scram, error, Buffer.from('S'), Buffer.from('N')])
    expect(greetingProblem(greeting)).toBeNull();
  expect(greetingProblem(Buffer.from('ERROR\r\n'))).toBe('it sent "ERROR"');
});

test('excerpts are shortened, and never control a terminal', () => {
  expect(excerptOf(`${'x'.repeat(100)}\nmore`)).toBe(`"${'x'.repeat(60)}.."`);
  expect(excerptOf('\x1b[31mred')).toBe('the bytes 1b 5b 33 31 6d 72 65 64');
  expect(excerptOf('')).toBe('nothing');
});

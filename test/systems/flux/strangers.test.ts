import { expect, test } from 'vitest';
import { openAttachedPostgres } from '../../../src/probe/attached-postgres.ts';
import { greetingProblem } from '../../../src/probe/attached-socket.ts';
import { excerptOf } from '../../../src/probe/excerpt.ts';
import { openRedisProbe } from '../../../src/probe/redis.ts';
import { type Stranger, strangerServer } from '../../stranger-server.ts';

const redisAt = (port: number) =>
  openRedisProbe({
    ...{ host: '127.0.0.1', address: '127.0.0.1', port, username: null, password: null, tls: false },
    ...{ shown: `127.0.0.1:${port}`, onThisHost: true },
  });
const postgresAt = (port: number) => {
  const shown = `127.0.0.1:${port}`;
  const attached = { connectionString: `postgresql://ann:pw-77@${shown}/world`, address: '127.0.0.1', shown };
  const endpoint = { host: '', port: 0, user: '', password: '', database: '', pid: null, attached };
  return openAttachedPostgres(endpoint, shown, ['entity']);
};

test.each<[Stranger, string, string]>([
  ['http', 'said "HTTP/1.1 400 Bad Request"', 'said "HTTP/1.1 '],
  ['greeting', 'said "220 mail.example ESMTP"', 'said "220 mail.example ESMTP"'],
  ['bytes', 'said the bytes 00 01 02 03 ff fe fd 00 ..', 'said the bytes 00 01 02 03 ff fe fd 00 ..'],
  ['echo', 'said the bytes 00 00 00', 'said "*'],
  ['oddLogin', 'a login that capbench does not have (type 99)', 'said the bytes 52 00'],
  ['closing', 'without a word', 'without a word'],
  ['cutting', 'without a word', 'without a word'],
  ['silent', 'says nothing', 'says nothing'],
])(
  '%s is neither PostgreSQL nor Redis: 93 within seconds, and what answered',
  async (kind, byPostgres, byRedis) => {
    const port = await strangerServer(kind);
    const [postgres, redis] = await Promise.allSettled([postgresAt(port), redisAt(port)]);
    for (const [outcome, said, flag] of [
      [postgres, byPostgres, '--probe-postgres'],
      [redis, byRedis, '--probe-redis'],
    ] as const) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: {
          exitCode: 93,
          message: expect.stringMatching(new RegExp(`^what listens at 127\\.0\\.0\\.1:${port} `)),
          hint: expect.stringContaining(flag),
        },
      });
      if (outcome.status === 'fulfilled') throw new Error('it was taken for one');
      expect(outcome.reason.message).toContain(said);
      expect(outcome.reason.message).not.toMatch(/report this|pw-77/);
    }
  },
);

test('a PostgreSQL that lets a client in and then stands still: 93, not a run that waits for it', async () => {
  const port = await strangerServer('mute');
  await expect(postgresAt(port)).rejects.toMatchObject({
    exitCode: 93,
    message: `what listens at 127.0.0.1:${port} lets a client in, and answers nothing for 5 s: it stands still`,
    hint: expect.stringContaining('--probe-postgres'),
  });
});

test('what a PostgreSQL says first is no stranger’s', () => {
  const scram = Buffer.from('52000000170000000a534352414d2d5348412d3235360000', 'hex');
  const error = Buffer.concat([Buffer.from('E\0\0\0\x10'), Buffer.from('SFATAL\0\0\0\0\0')]);
  for (const said of [scram, error, Buffer.from('S'), Buffer.from('N')])
    expect(greetingProblem(said)).toBeNull();
  expect(greetingProblem(Buffer.from('ERROR\r\n'))).toBe('it said "ERROR"');
});

test('first words are shortened, and never control a terminal', () => {
  expect(excerptOf(`${'x'.repeat(100)}\nmore`)).toBe(`"${'x'.repeat(60)}.."`);
  expect(excerptOf('\x1b[31mred')).toBe('the bytes 1b 5b 33 31 6d 72 65 64');
  expect(excerptOf('')).toBe('nothing');
});

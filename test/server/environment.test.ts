import { expect, test } from 'vitest';
import { openEnvironment } from '../../src/server/environment.ts';

test('reads numbers, texts, choices and the database', () => {
  const env = openEnvironment({ N: '7', MODE: 'off', DB_SOCKET_PATH: '/run', DB_USER: 'u', DB_NAME: 'd' });
  expect([env.integer('N', 1, 9), env.integer('M', 1, 9, 3), env.text('T', 't')]).toEqual([7, 3, 't']);
  expect([env.choice('MODE', ['on', 'off']), env.choice('OTHER', ['on', 'off'])]).toEqual(['off', 'on']);
  expect(env.database()).toEqual({ host: '/run', port: 5_432, user: 'u', password: '', name: 'd' });
  expect(() => env.check('see the list')).not.toThrow();
});

test('names everything that is missing or wrong in one error', () => {
  const env = openEnvironment({ N: '10', M: '1e3', MODE: 'maybe' });
  env.integer('N', 1, 9);
  env.integer('M', 1, 9_999);
  env.integer('MISSING', 1, 9);
  env.choice('MODE', ['on', 'off']);
  env.text('T');
  expect(() => env.check('see the list')).toThrow(
    expect.objectContaining({
      exitCode: 104,
      hint: 'see the list',
      message:
        'The world server\'s environment is wrong: N is "10", expected a whole number from 1 to 9; ' +
        'M is "1e3", expected a whole number from 1 to 9999; MISSING is not set; ' +
        'MODE is "maybe", expected "on" or "off"; T is not set.',
    }),
  );
});

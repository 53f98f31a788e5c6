import { expect, test } from 'vitest';
import { adviceIn } from '../../src/stack/postgres-cluster.ts';

/** What PostgreSQL logs before it gives up, and a word that the advice must contain. */
test.each([
  [
    'FATAL:  could not resize shared memory segment "/PostgreSQL.3712048592" to 26976 bytes: No space left on device',
    '/dev/shm',
  ],
  ['ERROR:  could not open shared memory segment "/PostgreSQL.1": No space left on device', '/dev/shm'],
  ['FATAL:  could not create shared memory segment: No space left on device', 'kernel.shmmni'],
  [
    'PANIC:  could not write to file "pg_wal/xlogtemp.42": No space left on device',
    'the temporary directory',
  ],
  ['FATAL:  could not map anonymous shared memory: Cannot allocate memory', 'shared_buffers'],
])('%s', (log, about) => {
  const advice = adviceIn(log) ?? '';
  expect(advice).toContain(about);
  expect(advice.includes('temporary directory')).toBe(about === 'the temporary directory');
});

import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { timeoutSignal } from '../../src/supervision/time-limit.ts';

test('a time limit among other signals fires, although nothing else refers to it and memory is collected', async () => {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  const signal = AbortSignal.any([new AbortController().signal, timeoutSignal(200)]);
  let reason: unknown;
  signal.addEventListener('abort', () => {
    reason = signal.reason;
  });
  for (let i = 0; i < 10; i++) {
    await sleep(5);
    collect();
  }
  await expect.poll(() => reason, { timeout: 5000 }).toMatchObject({ name: 'TimeoutError' });
});

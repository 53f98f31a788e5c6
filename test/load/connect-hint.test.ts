import { expect, test } from 'vitest';
import { connectHint } from '../../src/load/connect-hint.ts';

test('only of servers that capbench started are the logs in the bundle', () => {
  const at = (pid: number | null) => connectHint({ worlds: [{ url: 'http://127.0.0.1:9', pid }] });
  expect(at(1)).toContain('in the bundle');
  expect(at(null)).toContain('its own log');
  expect(at(null)).not.toContain('bundle');
});

import { expect, test } from 'vitest';
import { edgeSchema } from '../../src/scenario/edge.ts';

test('the times of a proxy are whole seconds, which nginx can keep', () => {
  for (const key of ['failTimeout', 'readTimeout'] as const) {
    expect(edgeSchema.parse({ [key]: '90000ms' })[key]).toBe(90e6);
    expect(edgeSchema.safeParse({ [key]: '1500ms' }).error?.issues[0]?.message).toMatch(/in whole seconds/);
  }
});

test.each([
  { connections: 25_000 },
  { checks: { every: '2s', rise: 2, fall: 3 } },
  { perAddress: { open: 10, opened: 30, within: '3s' } },
  { tls: { keyBits: 4096 } },
])('%o is for haproxy, and refused for nginx', (keys) => {
  expect(edgeSchema.safeParse({ program: 'haproxy', ...keys }).success).toBe(true);
  const refused = edgeSchema.safeParse({ program: 'nginx', ...keys });
  expect(refused.error?.issues).toEqual([expect.objectContaining({ path: ['program'] })]);
});

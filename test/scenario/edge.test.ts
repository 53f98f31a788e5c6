import { expect, test } from 'vitest';
import { edgeSchema } from '../../src/scenario/edge.ts';

test('the times of a proxy are whole seconds, which nginx can keep', () => {
  for (const key of ['failTimeout', 'readTimeout'] as const) {
    expect(edgeSchema.parse({ [key]: '90000ms' })[key]).toBe(90e6);
    expect(edgeSchema.safeParse({ [key]: '1500ms' }).error?.issues[0]?.message).toMatch(/in whole seconds/);
  }
});

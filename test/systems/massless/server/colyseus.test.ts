import { expect, test } from 'vitest';
import { loadColyseus, redisOptions } from '../../../../src/systems/massless/server/colyseus.ts';

const notFound = (code: string, message: string): Error => Object.assign(new Error(message), { code });

test('packages that are not installed are named, and those that lack one of their own, with the line that installs them', async () => {
  const load = async (name: string): Promise<unknown> => {
    if (name.includes('presence'))
      throw notFound('ERR_MODULE_NOT_FOUND', `Cannot find package '${name}' imported from /a.js`);
    if (name.endsWith('core')) throw notFound('MODULE_NOT_FOUND', "Cannot find module 'nanoid'");
    return {};
  };
  await expect(loadColyseus(load)).rejects.toMatchObject({
    exitCode: 93,
    message: expect.stringMatching(
      /not installed: @colyseus\/core@[\d.]+ \(without nanoid\), @colyseus\/redis-presence@[\d.]+$/,
    ),
    hint: expect.stringMatching(/^npm install (?:@colyseus\/[a-z-]+@[\d.]+ ?){6}$/),
  });
});

test('another error of a package is its own', async () => {
  await expect(loadColyseus(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
});

test('package.json has the versions that are asked for', async () => {
  const { optionalDependencies } = (await import('../../../../package.json', { with: { type: 'json' } }))
    .default;
  const error = await loadColyseus(() => Promise.reject(notFound('ERR_MODULE_NOT_FOUND', 'not found'))).catch(
    (thrown: { hint: string }) => thrown,
  );
  const asked = (error as { hint: string }).hint.split(' ').slice(2);
  for (const one of asked) {
    const at = one.lastIndexOf('@');
    expect(optionalDependencies).toHaveProperty([one.slice(0, at)], one.slice(at + 1));
  }
  expect(asked).toHaveLength(6);
});

test('the address of Redis', () => {
  expect(redisOptions('redis://:se%3Acret@127.0.0.1:6380/2', 'name')).toMatchObject({
    ...{ host: '127.0.0.1', port: 6380, password: 'se:cret', db: 2, connectionName: 'name' },
  });
  expect(redisOptions('redis://localhost', 'name')).not.toHaveProperty('password');
});

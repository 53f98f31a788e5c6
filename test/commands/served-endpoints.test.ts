import { expect, test } from 'vitest';
import { endpointsJson, endpointsText } from '../../src/commands/served-endpoints.ts';
import { Redaction } from '../../src/redaction.ts';
import type { Endpoints } from '../../src/stack/stack.ts';
import { scenarioOf } from '../fixtures/recorded-run.ts';

const PASSWORD = 'aVeryLongPasswordOfTheStore';
const endpoints: Endpoints = {
  worlds: [{ url: 'http://127.0.0.1:4001', pid: 7 }],
  database: null,
  addresses: { redis: `redis://:${PASSWORD}@127.0.0.1:4002/0`, edge: 'http://127.0.0.1:4003' },
};
/** As stdout shows it. */
const shown = (text: string): string => Redaction.of([], {}).text(text, 'document');

test('what serve prints has the address and the password of each component, and survives the redaction', () => {
  const text = shown(endpointsText('mud-small', scenarioOf(), endpoints));
  expect(text).toContain('world server 1  http://127.0.0.1:4001\n');
  expect(text).toMatch(new RegExp(`^redis +redis://127\\.0\\.0\\.1:4002/0, .*${PASSWORD}$`, 'm'));
  expect(text).toMatch(/^edge +http:\/\/127\.0\.0\.1:4003\/$/m);
});

test('a run is pointed at the proxy in front of the servers, or else at each server', () => {
  const commandOf = (given: Endpoints): string | undefined =>
    endpointsText('mud-small', scenarioOf(), given).trim().split('\n').at(-1);
  expect(commandOf(endpoints)).toBe('capbench run mud-small --target http://127.0.0.1:4003');
  const worlds = [...endpoints.worlds, { url: 'http://127.0.0.1:4005', pid: 8 }];
  expect(commandOf({ worlds, database: null })).toBe(
    'capbench run mud-small --target http://127.0.0.1:4001 --target http://127.0.0.1:4005',
  );
});

test('and as JSON', () => {
  expect(JSON.parse(shown(endpointsJson(endpoints)))).toEqual({
    worlds: ['http://127.0.0.1:4001'],
    database: null,
    addresses: {
      redis: { url: 'redis://127.0.0.1:4002/0', password: PASSWORD },
      edge: { url: 'http://127.0.0.1:4003/', password: null },
    },
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Component } from '../../src/stack/component.ts';
import type { ComponentSpec } from '../../src/stack/component-spec.ts';
import { openLocalStack } from '../../src/stack/local.ts';
import { openWatchdog, type StackFailure, type Watchdog } from '../../src/supervision/watchdog.ts';

/** Components without a process: when each starts and ends, and which one is reported as the cause of a failure. */

let watchdog: Watchdog;
beforeAll(async () => {
  watchdog = await openWatchdog(process.env);
});
afterAll(() => watchdog.close());

interface Trouble {
  /** The start is rejected. */
  readonly refuses?: string;
  /** The component ends by itself after this many milliseconds. */
  readonly endsAfter?: number;
}

function stackOf(
  plan: Readonly<Record<string, readonly string[]>>,
  trouble: Readonly<Record<string, Trouble>> = {},
) {
  const events: string[] = [];
  const specs = Object.entries(plan).map(
    ([name, after]): ComponentSpec => ({
      ...{ name, after, faults: [] },
      async start({ started }) {
        events.push(`start ${name}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        const { refuses, endsAfter } = trouble[name] ?? {};
        if (refuses !== undefined) throw new Error(refuses);
        const below = after.map((one) => started(one).addresses?.[one] ?? '');
        const failure = new Promise<StackFailure>((resolve) => {
          const failed = { component: name, message: 'it ended', hint: '' };
          if (endsAfter !== undefined) setTimeout(() => resolve(failed), endsAfter);
        });
        const component: Component = {
          ...{ name, pid: process.pid, log: '/dev/null', failure, disturbed: false },
          ...{ kill: () => expect.fail('killed'), stop: () => expect.fail('stopped') },
          restart: () => expect.fail('restarted'),
          close: async () => void events.push(`end ${name}`),
        };
        return { component, addresses: { [name]: [name, ...below].join('<') } };
      },
    }),
  );
  const opening = openLocalStack(specs, {
    ...{
      watchdog,
      signal: new AbortController().signal,
      env: {},
      token: '',
      password: '',
      mayRestart: false,
    },
  });
  return { events, opening };
}

const PLAN = { edge: ['world-1', 'world-2'], 'world-1': ['redis'], 'world-2': ['redis'], redis: [] };

test('each starts once its dependencies are ready, and ends before they do', async () => {
  const { events, opening } = stackOf(PLAN);
  const stack = await opening;
  expect(stack.endpoints).toMatchObject({ worlds: [], database: null });
  expect(stack.endpoints.addresses).toMatchObject({ 'world-1': 'world-1<redis', redis: 'redis' });
  expect([...stack.logs.keys()]).toEqual(['edge', 'world-1', 'world-2', 'redis']);
  await stack.close();
  await stack.close();
  expect(events).toEqual([
    ...['start redis', 'start world-1', 'start world-2', 'start edge'],
    ...['end edge', 'end world-1', 'end world-2', 'end redis'],
  ]);
});

test('when one does not start, the running ones are ended, and the first reason is reported', async () => {
  const { events, opening } = stackOf(PLAN, { 'world-2': { refuses: 'no port' } });
  await expect(opening).rejects.toThrow('no port');
  expect(events).toEqual(['start redis', 'start world-1', 'start world-2', 'end world-1', 'end redis']);
});

test.each([
  ['while the others start', { redis: { endsAfter: 5 }, 'world-1': { refuses: 'connection refused' } }],
  ['a moment after them', { redis: { endsAfter: 120 }, 'world-1': { endsAfter: 50 } }],
])('a dependency is reported as the cause when it ends %s', async (_when, trouble) => {
  const { opening } = stackOf(PLAN, trouble);
  const blamed = await opening.then(async (stack) => {
    const { component, message } = await stack.failure;
    await stack.close();
    return `${component}: ${message}`;
  }, String);
  expect(blamed).toContain('redis: it ended');
});

test('an unknown component is a bug', async () => {
  await expect(stackOf({ edge: ['proxy'] }).opening).rejects.toThrow('the stack has no component "proxy"');
});

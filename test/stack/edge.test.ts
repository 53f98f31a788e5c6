import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { platform } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { CapbenchError } from '../../src/errors.ts';
import { type EdgeSettings, edgeSchema } from '../../src/scenario/edge.ts';
import type { Component } from '../../src/stack/component.ts';
import type { ComponentSpec } from '../../src/stack/component-spec.ts';
import { edgeComponent } from '../../src/stack/edge-component.ts';
import { lookForEdge } from '../../src/stack/edge-program.ts';
import { openLocalStack } from '../../src/stack/local.ts';
import { descendantsOf, startTime } from '../../src/supervision/process-tree.ts';
import { openWatchdog, type Watchdog } from '../../src/supervision/watchdog.ts';
import { micros } from '../../src/units.ts';
import { processesIn } from './leftovers.ts';

/** The proxies themselves, in front of servers of this process. A program that is not installed is skipped, and said so. */

let watchdog: Watchdog;
beforeAll(async () => {
  watchdog = await openWatchdog(process.env);
});
afterAll(() => watchdog.close());

const edgeOf = (text: object): EdgeSettings => edgeSchema.parse(text);

/** A server that answers with its own name and the address that the proxy names; `end` ends it like a crash. */
async function openServer(name: string, onTestEnd: (close: () => Promise<void>) => void) {
  const server = createServer((request, response) =>
    response.end(JSON.stringify({ name, from: request.headers['x-forwarded-for'] })),
  );
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, { headers }) =>
    socket.send(JSON.stringify({ name, from: headers['x-forwarded-for'] })),
  );
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const end = async (): Promise<void> => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestEnd(end);
  const component: Component = {
    ...{ name, pid: process.pid, log: '/dev/null', failure: new Promise(() => {}), disturbed: false },
    ...{ kill: () => expect.fail('killed'), stop: () => expect.fail('stopped') },
    ...{ restart: () => expect.fail('restarted'), close: async () => {} },
  };
  const spec: ComponentSpec = {
    ...{ name, after: [], faults: [] },
    start: async () => ({ component, server: { url: `http://127.0.0.1:${port}`, pid: null } }),
  };
  return { name, end, spec };
}

async function openEdge(settings: object, servers = 4) {
  const all = await Promise.all(
    Array.from({ length: servers }, (_, i) => openServer(`world-${i + 1}`, onTestFinished)),
  );
  const specs = [
    ...all.map(({ spec }) => spec),
    edgeComponent(
      edgeOf(settings),
      all.map(({ name }) => name),
    ),
  ];
  const stack = await openLocalStack(specs, {
    ...{ watchdog, signal: new AbortController().signal, env: process.env },
    ...{ token: '', password: '', mayRestart: true },
  });
  onTestFinished(() => stack.close());
  const url = stack.endpoints.addresses?.edge ?? '';
  const log = stack.logs.get('edge') ?? '';
  return { stack, url, servers: all, folder: join(log, '..'), disturb: stack.disturb! };
}

/** What a server says to a player who connects from this address. */
async function met(
  url: string,
  localAddress: string,
): Promise<{ readonly name: string; readonly from: string }> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), { localAddress });
  try {
    const [frame] = await once(socket, 'message');
    return JSON.parse(String(frame));
  } finally {
    socket.terminate();
  }
}

const sourceOf = (group: number): string => `127.0.${group}.1`;
const GROUPS = Array.from({ length: 40 }, (_, i) => i + 1);

for (const program of ['nginx', 'haproxy'] as const) {
  // Only Linux has other loopback addresses than 127.0.0.1.
  const installed = platform() === 'linux' && (await lookForEdge(program, process.env)) !== null;

  describe.skipIf(!installed)(`${program}${installed ? '' : ' (not installed)'}`, () => {
    test('an address always meets the same server, and the addresses are spread over all of them', async () => {
      const { url, stack } = await openEdge({ program });
      const first = await Promise.all(GROUPS.map((group) => met(url, sourceOf(group))));
      const again = await Promise.all(GROUPS.map((group) => met(url, sourceOf(group))));
      expect(again).toEqual(first);
      expect(first.map(({ from }) => from)).toEqual(GROUPS.map(sourceOf));
      expect(new Set(first.map(({ name }) => name)).size).toBe(4);
      const settings = new Map(stack.settings.map(({ setting, applied }) => [setting, applied]));
      expect(settings.get('edgeProgram')).toBe(program);
      expect(settings.get('edgeVersion')).toMatch(/^\d+\.\d+/);
      expect(settings.get('edgeBalance')).toBe(program === 'nginx' ? 'ip_hash' : 'source');
    });

    test('round robin gives each server the same number of connections', async () => {
      const { url } = await openEdge({ program, balance: 'round_robin' }, 3);
      const counts = new Map<string, number>();
      for (let i = 0; i < 30; i++) {
        const { name } = await met(url, '127.0.0.1');
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      expect([...counts.values()].toSorted()).toEqual([10, 10, 10]);
    });

    test('players of a server that has ended meet another one', async () => {
      const { url, servers } = await openEdge({ program });
      const before = await met(url, sourceOf(7));
      await servers.find(({ name }) => name === before.name)?.end();
      const next = () =>
        met(url, sourceOf(7)).then(
          ({ name }) => name,
          () => before.name,
        );
      await expect.poll(next, { timeout: 20_000 }).not.toBe(before.name);
      // It stays left out, although each address once belonged to it.
      const after = await Promise.all(GROUPS.map((group) => met(url, sourceOf(group))));
      expect(after.map(({ name }) => name)).not.toContain(before.name);
    });

    test('it comes back at its address after each fault, and leaves nothing behind', async () => {
      const { url, folder, disturb, stack } = await openEdge({ program }, 2);
      expect(statSync(join(folder, 'edge', 'edge.conf')).mode & 0o777).toBe(0o600);
      const [{ pid = 0 } = {}] = processesIn(join(folder, 'edge'));
      const family = [pid, ...descendantsOf(pid)].map((one) => [one, startTime(one)] as const);
      await disturb.kill('edge', micros(50_000));
      expect(family.filter(([one, began]) => startTime(one) === began)).toEqual([]);
      await met(url, '127.0.0.1');
      await disturb.stop('edge', micros(300_000));
      await met(url, '127.0.0.1');
      const { forced } = await disturb.restart('edge', micros(0));
      expect(forced).toBeUndefined();
      await met(url, '127.0.0.1');
      await stack.close();
      expect(processesIn(folder)).toEqual([]);
      expect(existsSync(folder)).toBe(false);
    });

    test('it does not run as root', async () => {
      const { folder } = await openEdge({ program }, 1);
      const own = processesIn(join(folder, 'edge'));
      const uids = own.map(
        ({ pid }) => /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1],
      );
      expect(uids.length).toBeGreaterThan(0);
      expect(uids).not.toContain('0');
    });
  });
}

const haproxy = platform() === 'linux' && (await lookForEdge('haproxy', process.env)) !== null;

describe.skipIf(!haproxy)('what only haproxy can', () => {
  /** Opens a connection that stays; false where the proxy refuses it. */
  async function enters(url: string, localAddress: string): Promise<boolean> {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), { localAddress });
    onTestFinished(() => socket.terminate());
    return new Promise((resolve) => {
      socket.once('message', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
  }

  test('an address may have so many connections and no more, whatever others have', async () => {
    const perAddress = { open: 3, opened: 100, within: '1s' };
    const { url, stack } = await openEdge({ program: 'haproxy', perAddress }, 1);
    const entered: boolean[] = [];
    for (let i = 0; i < 5; i++) entered.push(await enters(url, sourceOf(7)));
    expect(entered).toEqual([true, true, true, false, false]);
    expect(await enters(url, sourceOf(8))).toBe(true);
    const settings = new Map(stack.settings.map(({ setting, applied }) => [setting, applied]));
    // What it lets in was counted, and is no echo of the scenario.
    expect(settings.get('edgeOpenPerAddress')).toBe('3');
  });

  test('what is applied is read from the proxy; what it was not seen to do is not said to be applied', async () => {
    const perAddress = { open: 4, opened: 7, within: '3s' };
    const settingsOf = async (settings: object) => {
      const { stack } = await openEdge({ program: 'haproxy', ...settings }, 1);
      return new Map(stack.settings.map(({ setting, applied }) => [setting, applied]));
    };
    const read = await settingsOf({ perAddress, connections: 321 });
    expect([read.get('edgeOpenPerAddress'), read.get('edgeOpenedPerAddress')]).toEqual(['4', '7']);
    expect(read.get('edgeConnections')).toBe('321');
    // An address that may open two can have no five, and one that may have a thousand is not tried.
    const unread = await settingsOf({ perAddress: { open: 5, opened: 2, within: '60s' } });
    expect([unread.has('edgeOpenPerAddress'), unread.get('edgeOpenedPerAddress')]).toEqual([false, '2']);
    const many = await settingsOf({ perAddress: { open: 1000, opened: 5000, within: '1s' } });
    expect([many.has('edgeOpenPerAddress'), many.has('edgeOpenedPerAddress')]).toEqual([false, false]);
  });

  test('an address may open so many connections within a time, also when it has closed the earlier ones', async () => {
    const perAddress = { open: 100, opened: 5, within: '60s' };
    const { url } = await openEdge({ program: 'haproxy', perAddress }, 1);
    for (let i = 0; i < 5; i++) await met(url, sourceOf(7));
    await expect(met(url, sourceOf(7))).rejects.toThrow();
    await met(url, sourceOf(8));
  });

  test('clients connect over TLS, to a certificate of the run', async () => {
    const { url, stack } = await openEdge({ program: 'haproxy', tls: { keyBits: 2048 } }, 1);
    expect(url).toMatch(/^https:/);
    const ca = stack.endpoints.addresses?.edgeCa ?? '';
    expect(new X509Certificate(ca).publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
    const socket = new WebSocket(url.replace(/^http/, 'ws'), { ca });
    onTestFinished(() => socket.terminate());
    const [frame] = await once(socket, 'message');
    expect(JSON.parse(String(frame))).toMatchObject({ name: 'world-1' });
    // Nobody else trusts it.
    await expect(met(url, '127.0.0.1')).rejects.toThrow(/self.signed/);
  });

  test('a server is left out after so many bad answers', async () => {
    const checks = { every: '100ms', rise: 2, fall: 3 };
    const { url, servers, stack } = await openEdge({ program: 'haproxy', balance: 'round_robin', checks }, 2);
    await servers[0]?.end();
    const names = async () =>
      new Set(await Promise.all([1, 2, 3, 4].map(() => met(url, '127.0.0.1').then(({ name }) => name))));
    await expect.poll(() => names().catch(() => null)).toEqual(new Set(['world-2']));
    const settings = new Map(stack.settings.map(({ setting, applied }) => [setting, applied]));
    expect([settings.get('edgeRise'), settings.get('edgeFall')]).toEqual(['2', '3']);
    // As a server sees the checks come: a busy machine delays one.
    expect(settings.get('edgeCheckInterval')).toMatch(/^\d+ms$/);
    expect(Number.parseInt(settings.get('edgeCheckInterval') ?? '', 10)).toBeGreaterThan(50);
    expect(settings.has('edgeMaxFails')).toBe(false);
  });

  test('more connections than descriptors allow are applied as far as they do, with the reason', async () => {
    const { stack } = await openEdge({ program: 'haproxy', connections: 1_000_000 }, 1);
    const found = stack.settings.find(({ setting }) => setting === 'edgeConnections');
    expect(found).toMatchObject({ documented: '1000000', reason: expect.stringContaining('ulimit -n') });
    expect(Number(found?.applied)).toBeLessThan(1_000_000);
  });
});

const failureOf = async (edge: EdgeSettings, env: Record<string, string>): Promise<unknown> =>
  openLocalStack([edgeComponent(edge, [])], {
    ...{ watchdog, signal: new AbortController().signal, env },
    ...{ token: '', password: '', mayRestart: false },
  }).then(
    () => expect.fail('it started'),
    (thrown) => thrown,
  );

test.each(['nginx', 'haproxy'] as const)(
  '%s that does not run is refused with what brings it',
  async (program) => {
    const variable = `CAPBENCH_${program.toUpperCase()}_BIN`;
    const refused = await failureOf(edgeOf({ program }), { [variable]: '/nowhere/at/all' });
    expect(refused).toBeInstanceOf(CapbenchError);
    expect(refused).toMatchObject({ exitCode: 93, message: expect.stringContaining('/nowhere/at/all') });
    expect((refused as CapbenchError).hint).toMatch(
      new RegExp(`^correct CAPBENCH_${program.toUpperCase()}_BIN, .* unset it$`),
    );
  },
);

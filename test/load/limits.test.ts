import { describe, expect, test } from 'vitest';
import { dealSources } from '../../src/load/fleet/deal.ts';
import {
  besideLimits,
  type Destination,
  type HostLimits,
  planConnections,
  portsIn,
  readHostLimits,
} from '../../src/load/limits.ts';
import { descriptorsIn } from '../../src/supervision/descriptors.ts';

const HOST: HostLimits = {
  descriptors: 20_000,
  ports: { from: 32_768, to: 60_999 },
  loopbackAliases: true,
  cpus: 2,
};

const servers = (n: number, players: number, more: Partial<Destination> = {}): Destination[] =>
  Array.from({ length: n }, (_, index) => ({
    host: '127.0.0.1',
    port: 4001 + index,
    players: players / n,
    descriptors: 20_000,
    ...more,
  }));

describe('workers', () => {
  test.each([
    // [players, requested, cpus, descriptors, workers]
    [20_000, null, 2, 20_000, 2],
    [1_000, null, 4, 20_000, 2],
    [1_000, null, 16, 20_000, 8],
    [20_000, null, 2, 4_096, 6],
    [20_000, 8, 2, 4_096, 8],
    [20_000, null, 2, null, 2],
    [0, null, 1, 1_024, 2],
    [19_872, 1, 1, 20_000, 1],
  ])(
    '%d players, %s requested, %d CPUs, %s descriptors: %d',
    (players, requested, cpus, descriptors, workers) => {
      const plan = planConnections(servers(4, players), requested, { ...HOST, cpus, descriptors });
      expect(plan.workers).toBe(workers);
    },
  );
});

describe('source addresses', () => {
  test.each([
    // [servers, players, ports, sources]
    [4, 20_000, { from: 32_768, to: 60_999 }, 0],
    [1, 20_000, { from: 32_768, to: 60_999 }, 0],
    [1, 20_000, { from: 49_152, to: 65_535 }, 1],
    [4, 20_000, { from: 1_000, to: 4_999 }, 2],
    [2, 10_000, { from: 1_000, to: 1_999 }, 9],
  ])('%d servers, %d players, %o: %d extra', (n, players, ports, sources) => {
    const destinations = servers(n, players, { descriptors: null });
    const plan = planConnections(destinations, 4, { ...HOST, ports });
    expect(plan.sources).toHaveLength(sources);
    expect(new Set(plan.sources).size).toBe(sources);

    // No (source, destination) pair and no bound source needs more ports than exist.
    const range = ports.to - ports.from + 1;
    const worlds = destinations.map((_, index) => ({
      url: '',
      players: { from: (players / n) * index, to: (players / n) * (index + 1) },
      monsters: { from: 0, to: 0 },
    }));
    const sourceOf = dealSources(worlds, plan, { players });
    const used = new Map<number, number>();
    for (const source of sourceOf) used.set(source, (used.get(source) ?? 0) + 1);
    for (const [source, count] of used) {
      expect(source).toBeLessThanOrEqual(sources);
      expect(count).toBeLessThan(source === 0 ? range * n : range);
    }
    expect([...used.values()].reduce((sum, count) => sum + count, 0)).toBe(players);
    plan.unbound.forEach((unbound) => {
      expect(unbound).toBeLessThan(range);
    });
  });

  test('servers at one address share its ports', () => {
    const behindOne = servers(4, 40_000, { port: 8080, descriptors: null });
    expect(planConnections(behindOne, 4, HOST).sources).toHaveLength(1);
    expect(planConnections(servers(4, 40_000), 4, HOST).sources).toHaveLength(0);
  });
});

describe('refusals', () => {
  test.each<[string, Destination[], number | null, HostLimits, RegExp, RegExp]>([
    [
      'too few workers',
      servers(4, 20_000),
      1,
      HOST,
      /20000 connections each.* 20000 open descriptors/,
      /--workers 2/,
    ],
    ['a server', servers(1, 20_000), 2, HOST, /world server 1 needs 20128 open descriptors/, /ulimit -n/],
    [
      'no descriptors',
      servers(4, 100),
      null,
      { ...HOST, descriptors: 64 },
      /limit of a process here is 64 open descriptors/,
      /ulimit -n/,
    ],
    [
      'no aliases',
      servers(1, 20_000, { descriptors: null }),
      null,
      { ...HOST, ports: { from: 49_152, to: 65_535 }, loopbackAliases: false },
      /20000 connections need 4436 more source ports.*16384 ephemeral ports/,
      /ip_local_port_range/,
    ],
    [
      'not a loopback address',
      servers(1, 40_000, { host: 'localhost', descriptors: null }),
      4,
      HOST,
      /40000 connections need/,
      /more world servers/,
    ],
  ])('%s', (_what, destinations, requested, limits, message, hint) => {
    const refusal = {
      exitCode: 93,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    };
    expect(() => planConnections(destinations, requested, limits)).toThrow(expect.objectContaining(refusal));
  });
});

test('files of /proc are parsed', () => {
  const text =
    'Limit Soft Hard Units\nMax open files            20000                40000                files\n';
  expect(descriptorsIn(text)).toBe(20_000);
  expect(descriptorsIn('Max open files   unlimited   unlimited   files')).toBe(Number.MAX_SAFE_INTEGER);
  expect(descriptorsIn('')).toBeNull();
  expect(portsIn('32768\t60999\n')).toEqual({ from: 32_768, to: 60_999 });
  expect(portsIn('nothing')).toBeNull();
  const limits = readHostLimits();
  expect(limits.cpus).toBeGreaterThan(0);
  expect(limits.ports.to).toBeGreaterThan(limits.ports.from);
});

test('load processes are kept off the CPUs of limited components where there are enough others', () => {
  const others = { cpus: [1, 2, 3], besideBox: false, confine: async () => {} };
  expect(besideLimits(others, 2)).toBe(others.confine);
  // capbench itself needs one, too.
  expect(besideLimits(others, 3)).toBeUndefined();
  expect(besideLimits(undefined, 1)).toBeUndefined();
  // A machine of its own is not shared with the load.
  expect(besideLimits({ ...others, besideBox: true }, 4)).toBe(others.confine);
});

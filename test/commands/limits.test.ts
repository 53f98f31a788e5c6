import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { knownSettings } from '../../src/commands/known-settings.ts';
import { idleLimitsNote, refuseTooManyCpus } from '../../src/commands/stack-opener.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';
import { memoryHost } from '../memory-host.ts';
import { read } from '../scenario/scenario-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'limits-'));
afterAll(() => rmSync(folder, { recursive: true }));

const text = (sections: string, budgets = ''): string => `name: limited
system: mud
load: { players: 8 }
${sections}
budgets: [${budgets}]
`;

/** The refusal on the test's host, which has two CPUs; null: it may start. */
function refusal(sections: string): unknown {
  const scenario = read(text(sections));
  try {
    refuseTooManyCpus(memoryHost([]), { scenario, system: SYSTEMS.systemOf(scenario) });
    return null;
  } catch (error) {
    return error;
  }
}

test('more CPUs than the host has are refused with both numbers', () => {
  expect(refusal('world: { servers: 1, limits: { cpus: 8 } }')).toMatchObject({
    exitCode: 104,
    message: 'world.limits.cpus: got 8, expected at most the 2 CPUs of this host',
  });
  expect(refusal('redis: { limits: { cpus: 2.5 } }')).toMatchObject({
    exitCode: 104,
    message: 'redis.limits.cpus: got 2.5, expected at most the 2 CPUs of this host',
  });
  expect(
    refusal('world: { limits: { cpus: 2 } }\npostgres: { limits: { cpus: 0.5, memory: 1TB } }'),
  ).toBeNull();
  expect(refusal('limits: { stack: { cpus: 3 } }')).toMatchObject({
    message: 'limits.stack.cpus: got 3, expected at most the 2 CPUs of this host',
  });
  // There is no proxy.
  expect(refusal('')).toBeNull();
});

test('a run is refused before anything is started', async () => {
  writeFileSync(join(folder, 'big.yaml'), text('world: { servers: 1, limits: { cpus: 64 } }'));
  const host = memoryHost(['run', 'big.yaml', '--out', folder], { cwd: folder });
  await main(host);
  expect(host.ended()).toBe(104);
  expect(host.err()).toContain('world.limits.cpus: got 64, expected at most the 2 CPUs of this host');
});

test('budgets may name how the limits of each section are held', async () => {
  const scenario = read(
    text(
      'world: { limits: { cpus: 1 } }\npostgres: { limits: { memory: 64MB } }\nedge: { limits: { cpus: 1 } }',
    ),
  );
  const known = await knownSettings(memoryHost([]), scenario);
  expect(known.filter((name) => name.endsWith('Limits')).toSorted()).toEqual([
    ...['edgeLimits', 'postgresLimits', 'worldLimits'],
  ]);
});

const gate = (metric: string, more: string) => `{ id: gate, metric: ${metric}, ${more}, op: <, limit: 90 }`;
const CPU = "stat: mean, unit: '%'";

test.each([
  ['world: { limits: { cpus: 1 } }', gate('limits.world-1.cpuPercent', CPU), 'measured', null],
  [
    'world: { limits: { cpus: 0.5 } }',
    gate('limits.world-1.throttledPercent', "unit: '%'"),
    'measured',
    'where a control group holds the limit (CAPBENCH_CGROUP)',
  ],
  [
    'world: { limits: { cpus: 1 } }',
    gate('limits.world-1.memoryPercent', "stat: max, unit: '%'"),
    'unmeasured',
    'the scenario has no limits.memory of world-1',
  ],
  ['', gate('limits.redis.cpuPercent', CPU), 'unmeasured', 'the scenario has no limits.cpus of redis'],
])('%s, %s: %s', async (sections, budget, state, reason) => {
  writeFileSync(join(folder, 'gate.yaml'), text(sections, budget));
  const host = memoryHost(['check', 'gate.yaml', '--json'], { cwd: folder });
  await main(host);
  expect(JSON.parse(host.out()).needs).toEqual([expect.objectContaining({ state, reason })]);
});

test('on other platforms no limit is measured', async () => {
  writeFileSync(
    join(folder, 'mac.yaml'),
    text('world: { limits: { cpus: 1 } }', gate('limits.world-1.cpuPercent', CPU)),
  );
  const host = memoryHost(['check', 'mac.yaml', '--json'], { cwd: folder });
  await main({ ...host, machine: { ...host.machine, platform: 'darwin' } });
  expect(JSON.parse(host.out()).needs).toEqual([
    expect.objectContaining({ state: 'unmeasured', cause: 'platform' }),
  ]);
});

test('check says what would be refused, and what has no effect', async () => {
  const shown = async (sections: string, ...flags: readonly string[]): Promise<string> => {
    writeFileSync(join(folder, 'idle.yaml'), text(sections));
    const host = memoryHost(['check', 'idle.yaml', ...flags], { cwd: folder });
    await main(host);
    return /\nLIMITS\n([\s\S]*?)\n\n/.exec(host.out())?.[1] ?? '';
  };
  const both = 'world: { servers: 1, limits: { cpus: 8 } }\nlimits: { stack: { cpus: 64 } }';
  expect(await shown(both)).toMatch(
    /all together +64 CPUs; a run here is refused \(104\): it has 2 CPUs\n +each server +8 CPUs; a run here is refused/,
  );
  expect(await shown(both, '--target', 'http://127.0.0.1:1')).toMatch(
    /^ +world\.limits, limits\.stack +no effect: capbench does not start what they limit$/,
  );
});

test('the report of a run says which limits have no effect', () => {
  const scenario = read(text('redis: { limits: { cpus: 1 } }\nlimits: { stack: { cpus: 2 } }'));
  const subject = { scenario, system: SYSTEMS.systemOf(scenario) };
  const given = { targets: [], starts: null, redis: null };
  expect(idleLimitsNote(subject, given)).toBeNull();
  expect(idleLimitsNote(subject, { ...given, redis: {} as never })).toBe(
    'no effect of redis.limits: capbench does not start what they limit',
  );
  expect(idleLimitsNote(subject, { ...given, targets: [{} as never] })).toBe(
    'no effect of redis.limits, limits.stack: capbench does not start what they limit',
  );
});

test('check shows the limits of what would be started', async () => {
  writeFileSync(
    join(folder, 'shown.yaml'),
    text('world: { limits: { cpus: 1, memory: 512MB } }\nredis: { limits: { cpus: 0.5 } }\nedge: {}'),
  );
  const host = memoryHost(['check', 'shown.yaml'], { cwd: folder });
  await main(host);
  expect(host.out()).toMatch(/\nLIMITS\n {2}Redis +0\.5 CPUs\n {2}each server {2}1 CPU, 512MB\n\n/);
});

test('a figure that limits do not have is refused with those that they have', async () => {
  writeFileSync(join(folder, 'wrong.yaml'), text('', gate('limits.world-1.cpu', CPU)));
  const host = memoryHost(['check', 'wrong.yaml'], { cwd: folder });
  await main(host);
  expect(host.ended()).toBe(104);
  expect(host.err() + host.out()).toContain(
    'expected limits.<component> and one of cpuPercent, memoryPercent',
  );
});

import { expect, test } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import type { Ledger, ReadyFleet } from '../../src/load/engine.ts';
import { SequenceLedger } from '../../src/load/ledger.ts';
import type { FaultFacts } from '../../src/measurement/measurements.ts';
import type { RowErrors, Verification } from '../../src/probe/verification.ts';
import { type FaultScene, injectFaults } from '../../src/run/faults.ts';
import { openOutageLog } from '../../src/run/outages.ts';
import type { PlannedFault } from '../../src/scenario/workload.ts';
import type { Disturbance, Disturbed } from '../../src/stack/stack.ts';
import { type Micros, micros } from '../../src/units.ts';

const ms = (value: number): Micros => (value * 1e3) as Micros;

const planned = (action: PlannedFault['action'], of: string, at: number, id: string): PlannedFault => ({
  ...{ id, action, of, at: ms(at), lasting: ms(0), sharePercent: 50 },
});

const nothing: RowErrors = { lost: 0, phantom: 0, duplicated: 0, holes: 0 };

interface Stage {
  readonly scene: FaultScene;
  readonly noted: FaultFacts[];
  /** The starts and ends of disturbances, in order. */
  readonly story: string[];
}

function stage(
  over: { readonly findings?: readonly RowErrors[]; readonly fails?: string; readonly target?: boolean } = {},
): Stage {
  const noted: FaultFacts[] = [];
  const story: string[] = [];
  const left = [...(over.findings ?? [])];
  const act = async (what: string, component: string): Promise<Disturbed> => {
    const from = monotonic();
    story.push(`${what} ${component}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
    if (component === over.fails) throw new Error(`${component} did not come back`);
    story.push(`${component} is back`);
    return { from, to: monotonic() };
  };
  const disturb: Disturbance = {
    kill: (component) => act('kill', component),
    stop: (component) => act('stop', component),
    restart: (component) => act('restart', component),
  };
  const ledger = new SequenceLedger(1).toData();
  const fleet: ReadyFleet = {
    connect: { connected: 0, failed: 0, errors: [], connect: { counts: [], min: 0, max: 0, sum: 0 } },
    workerPids: [],
    go: null,
    run: () => Promise.reject(new Error('not here')),
    drop: (share) => Promise.resolve(share / 10),
    ledger: () => Promise.resolve(ledger),
    stop: () => undefined,
    close: () => Promise.resolve(),
  };
  const verification: Verification = {
    verify: () => Promise.reject(new Error('not here')),
    watch: async () => {},
    async compareNow(ask: () => Promise<Ledger>) {
      await ask();
      return left.shift() ?? nothing;
    },
  };
  const scene: FaultScene = {
    ...{ seed: 1, go: monotonic(), end: ms(600_000), fleet, verification, keptIn: 'postgres' },
    outages: openOutageLog(),
    disturb: over.target === true ? null : disturb,
    note: (fault) => void noted.push(fault),
  };
  return { scene, noted, story };
}

const all = (count: number, noted: readonly unknown[]): Promise<void> =>
  expect.poll(() => noted.length, { timeout: 15_000 }).toBe(count);

test('faults of one component wait for one another, and faults of different components do not', async () => {
  const { scene, noted, story } = stage();
  injectFaults(
    [
      planned('kill', 'postgres', 0, 'first'),
      planned('stop', 'postgres', 5, 'second'),
      planned('kill', 'world-1', 5, 'other'),
    ],
    scene,
  );
  await all(3, noted);
  const at = (what: string): number => story.indexOf(what);
  expect(at('stop postgres')).toBeGreaterThan(at('postgres is back'));
  expect(at('kill world-1')).toBeLessThan(at('postgres is back'));
  for (const { from, to, error } of noted) {
    expect(error).toBeNull();
    expect(to).toBeGreaterThan(from);
  }
});

test('when the run ends, later faults are left out, and the run waits for faults in progress', async () => {
  const { scene, noted, story } = stage();
  const injection = injectFaults(
    [
      planned('kill', 'postgres', 0, 'now'),
      planned('kill', 'postgres', 10, 'waits'),
      ...Array.from({ length: 200 }, (_, i) => planned('kill', 'world-1', 60_000 + i, `later-${i}`)),
    ],
    scene,
  );
  while (story.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await injection.finish();
  // A fault that was never due is not listed; one that was due and left out is listed with an error.
  expect(noted.map(({ id, error }) => [id, error === null])).toEqual(
    noted.length === 1
      ? [['now', true]]
      : [
          ['now', true],
          ['waits', false],
        ],
  );
  expect(story).toEqual(['kill postgres', 'postgres is back']);
});

test('each fault is reported only with the losses since the one before', async () => {
  const { scene, noted } = stage({
    findings: [
      { ...nothing, lost: 5 },
      { ...nothing, lost: 5, duplicated: 2 },
      { ...nothing, lost: 4 },
    ],
  });
  injectFaults(
    [0, 1, 2].map((i) => planned('kill', 'postgres', i, String(i))),
    scene,
  );
  await all(3, noted);
  expect(noted.map(({ rows }) => [rows?.lost, rows?.duplicated])).toEqual([
    [5, 0],
    [0, 2],
    [0, 0],
  ]);
});

test('rows that cannot be read because another fault stopped PostgreSQL are read when it is back', async () => {
  const { scene, noted, story } = stage();
  const away = new Error('Connection terminated unexpectedly');
  let looks = 0;
  const compareNow = async (): Promise<RowErrors> => {
    looks += 1;
    // The first reading of the rows is in progress when PostgreSQL is killed.
    if (looks > 1) return nothing;
    await expect.poll(() => story.includes('kill postgres'), { interval: 1 }).toBe(true);
    throw away;
  };
  const verification: Verification = {
    verify: () => Promise.reject(away),
    compareNow,
    watch: () => Promise.resolve(),
  };
  injectFaults([planned('kill', 'world-1', 0, 'first'), planned('kill', 'postgres', 500, 'second')], {
    ...scene,
    verification,
  });
  await all(2, noted);
  expect(noted.map(({ rows, error }) => [rows, error])).toEqual([
    [nothing, null],
    [nothing, null],
  ]);
  expect(looks).toBe(3);
});

test('reads wait for every component that they need, and know of its outages', async () => {
  const { scene, noted, story } = stage();
  const seen: string[][] = [];
  const verification: Verification = {
    losses: [{ of: 'redis', withinSeconds: 6 }],
    verify: () => Promise.reject(new Error('not here')),
    watch: () => Promise.resolve(),
    async compareNow(_, outages) {
      for (const component of ['redis', 'postgres'])
        expect(story.includes(`kill ${component}`) === story.includes(`${component} is back`)).toBe(true);
      seen.push(outages().map(({ of, action, from, to }) => `${action} ${of}: ${from >= 0} ${to !== null}`));
      return { ...nothing, lostInWindow: 2 * seen.length };
    },
  };
  injectFaults(
    [
      planned('kill', 'world-1', 0, 'first'),
      planned('kill', 'redis', 20, 'second'),
      planned('kill', 'postgres', 25, 'third'),
    ],
    { ...scene, verification },
  );
  await all(3, noted);
  expect(seen.at(-1)).toEqual([
    'kill world-1: true true',
    'kill redis: true true',
    'kill postgres: true true',
  ]);
  expect(noted.map(({ rows }) => rows?.lostInWindow)).toEqual([0, 4, 0]);
});

test('an outage that does not end lasts until the end of the run', async () => {
  const { scene, noted } = stage({ fails: 'redis' });
  injectFaults([planned('kill', 'redis', 0, 'gone')], scene);
  await all(1, noted);
  expect(scene.outages.all()).toEqual([{ of: 'redis', action: 'kill', from: expect.any(Number), to: null }]);
});

test('rows that cannot be read for another reason are reported, with the time at which the component was back', async () => {
  const { scene, noted } = stage();
  const verification: Verification = {
    verify: () => Promise.reject(new Error('not here')),
    compareNow: () => Promise.reject(new Error('no such table')),
    watch: () => Promise.resolve(),
  };
  injectFaults([planned('kill', 'world-1', 0, 'only')], { ...scene, verification });
  await all(1, noted);
  expect(noted[0]).toMatchObject({ to: expect.any(Number), rows: null, error: 'no such table' });
});

test('a component that does not come back is reported, and the other faults go on', async () => {
  const { scene, noted } = stage({ fails: 'world-2' });
  injectFaults([planned('kill', 'world-2', 0, 'gone'), planned('drop', 'players', 5, 'cut')], scene);
  await all(2, noted);
  expect(noted.find(({ id }) => id === 'gone')).toMatchObject({
    to: null,
    error: 'world-2 did not come back',
  });
  expect(noted.find(({ id }) => id === 'cut')).toMatchObject({ dropped: 5, error: null, rows: null });
});

test("a target's connections are cut, but its processes are left alone", async () => {
  const { scene, noted } = stage({ target: true });
  injectFaults([planned('drop', 'players', 0, 'cut'), planned('kill', 'postgres', 0, 'kill')], scene);
  await all(2, noted);
  expect(noted.find(({ id }) => id === 'cut')).toMatchObject({ dropped: 5, error: null });
  expect(noted.find(({ id }) => id === 'kill')?.error).toMatch(/capbench does not kill its processes/);
});

test('a fault that takes effect only when the load is over is an error', async () => {
  const { scene, noted } = stage();
  const { go, disturb } = scene;
  const end = ms(1);
  // It is asked to end during the load, and ignores that.
  const restart = async (): Promise<Disturbed> => ({
    from: go,
    ended: micros(go + 2e3),
    to: micros(go + 3e3),
  });
  injectFaults([planned('restart', 'server', 0, 'ignored')], {
    ...{ ...scene, end, disturb: { ...disturb!, restart } },
  });
  injectFaults([planned('kill', 'world-1', 5, 'late')], { ...scene, end });
  await all(2, noted);
  expect(noted.map(({ id, error }) => [id, error])).toEqual([
    ['ignored', 'the process ended only when the load was over, so nothing was tested'],
    ['late', 'it began only when the load was over, so nothing was tested'],
  ]);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import { stackFailed } from '../../src/errors.ts';
import { EMPTY_HISTOGRAM } from '../../src/histogram.ts';
import type { Counts, OperationTally, ReadyFleet, Tally } from '../../src/load/engine.ts';
import { SequenceLedger } from '../../src/load/ledger.ts';
import type { Measurements } from '../../src/measurement/measurements.ts';
import type { Probe } from '../../src/probe/probe.ts';
import { type RunPlan, run } from '../../src/run/run.ts';
import type { Phase } from '../../src/run/steps.ts';
import { workloadOf } from '../../src/scenario/workload.ts';
import type { Stack } from '../../src/stack/stack.ts';
import type { StackFailure } from '../../src/supervision/watchdog.ts';
import { flux } from '../../src/systems/flux/system.ts';
import type { System } from '../../src/systems/system.ts';
import { type Micros, micros } from '../../src/units.ts';
import { scenarioOf } from '../stack/small-scenario.ts';

const counts: Counts = {
  ...{ scheduled: 7, ok: 7, rejected: 0, failed: 0, failedUnsent: 0 },
  ...{ timedOut: 0, skipped: 0, unfinished: 0, idle: 0 },
};
const operation: OperationTally = {
  ...{ whole: counts, measured: counts, due: EMPTY_HISTOGRAM, service: EMPTY_HISTOGRAM },
  ...{ lag: EMPTY_HISTOGRAM, ownLag: EMPTY_HISTOGRAM, rejected: EMPTY_HISTOGRAM, net: EMPTY_HISTOGRAM },
};
const tally: Tally = {
  operations: { intent: operation, monsterCommand: operation },
  ...{ disconnects: 0, reconnects: 0, reconnect: EMPTY_HISTOGRAM, strayAnswers: 0 },
  ...{ bytesIn: 0, bytesOut: 0, framesIn: 0, commandBytes: 0, errors: [] },
  ...{ ledger: new SequenceLedger(50).toData(), endedAt: micros(1_000_000), scheduleHash: 'none' },
};

const NEVER = new Promise<never>(() => {});

/** What goes wrong in a run whose components do nothing. */
interface Trouble {
  readonly openStack?: () => Promise<never>;
  readonly prepare?: () => Promise<never>;
  /** Called before the load has ended. */
  readonly load?: (over: Over) => Promise<void>;
  /** When the load began; soon after the call where it is left out. */
  readonly go?: Micros;
  readonly failure?: Promise<StackFailure>;
  readonly closeFleet?: () => Promise<void>;
  readonly closeStack?: () => Promise<void>;
  readonly keep?: () => Promise<void>;
  readonly readLog?: () => Promise<string>;
  readonly system?: System;
  readonly phase?: (phase: Phase, over: Over) => void;
}

interface Over {
  crash(thrown: unknown): void;
  stop(): void;
  abort(): void;
}

interface Ended extends Awaited<ReturnType<typeof run>> {
  readonly kept: readonly Measurements[];
  readonly closed: readonly string[];
}

async function runWith(trouble: Trouble): Promise<Ended> {
  const stop = new AbortController();
  const abort = new AbortController();
  let crash: (thrown: unknown) => void = () => {};
  const crashed = new Promise<unknown>((resolve) => {
    crash = resolve;
  });
  const over: Over = { crash, stop: () => stop.abort(), abort: () => abort.abort() };
  const kept: Measurements[] = [];
  const closed: string[] = [];
  const stack: Stack = {
    endpoints: { worlds: [], database: null, ...(trouble.system ? {} : { unknown: true }) },
    ...{ kind: 'target', settings: [] },
    ...{ failure: trouble.failure ?? NEVER, logs: new Map([['world-1', '/nowhere']]), disturb: null },
    async close() {
      closed.push('stack');
      await trouble.closeStack?.();
    },
  };
  const fleet: ReadyFleet = {
    ...{
      go: trouble.go ?? null,
      connect: { connected: 20, failed: 0, errors: [], connect: EMPTY_HISTOGRAM },
    },
    workerPids: [],
    async run() {
      await trouble.load?.(over);
      return tally;
    },
    drop: () => Promise.resolve(0),
    ledger: () => Promise.resolve(tally.ledger),
    stop: () => {},
    async close() {
      closed.push('fleet');
      await trouble.closeFleet?.();
    },
  };
  const plan: RunPlan = {
    scenario: scenarioOf({}),
    system: trouble.system ?? flux,
    identity: {
      ...{ capbench: '0', scenarioHash: '', commit: null, startedAt: new Date(0).toISOString() },
      ...{ stackKind: 'target', colocated: true, engine: 'native' },
      host: {
        ...{ cpuModel: '', cpus: 1, memoryBytes: 1, kernel: '', platform: 'linux', arch: 'x64', node: 'v20' },
      },
    },
    openStack: trouble.openStack ?? (() => Promise.resolve(stack)),
    engine: { name: 'native', prepare: trouble.prepare ?? (() => Promise.resolve(fleet)) },
    remarks: [],
    openNullServers: null,
    watched: null,
    readLog: trouble.readLog ?? (() => Promise.resolve('a log')),
    async keep(measurements) {
      await trouble.keep?.();
      kept.push(measurements);
    },
  };
  const observer = { phase: (phase: Phase) => trouble.phase?.(phase, over), second: () => {} };
  const result = await run(plan, observer, { stop: stop.signal, abort: abort.signal, crash: crashed });
  return { ...result, kept, closed };
}

const fail = (error: Error) => (): Promise<never> => Promise.reject(error);
const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code });
const bug = new TypeError('x is not a function');
const lost: StackFailure = { component: 'postgres', message: 'it ended', hint: 'see its log' };

const BROKEN: readonly {
  readonly what: string;
  readonly trouble: Trouble;
  readonly ending: Partial<Measurements['ending']> & { readonly because?: unknown };
  readonly isBug?: boolean;
  /** True when the failure comes after the load began. */
  readonly measured?: boolean;
}[] = [
  {
    what: 'a driver fails while the stack starts',
    trouble: { openStack: fail(coded('terminating connection', '57P01')) },
    ending: { state: 'stackFailed', because: 'the stack: terminating connection' },
  },
  {
    what: 'a driver fails in several ways at once',
    trouble: { prepare: fail(new AggregateError([new Error('refused'), new Error('unreachable')])) },
    ending: { state: 'stackFailed', because: 'the load: refused; unreachable' },
  },
  {
    what: 'a failed connection is reported with the component that was lost',
    trouble: { prepare: fail(stackFailed('3 players cannot connect')), failure: Promise.resolve(lost) },
    ending: { state: 'stackFailed', because: 'postgres: it ended' },
  },
  {
    what: 'a connection breaks that nobody waits for',
    trouble: {
      load: async ({ crash }) => {
        crash(coded('read ECONNRESET', 'ECONNRESET'));
        await new Promise((resolve) => setTimeout(resolve, 700));
      },
    },
    ending: { state: 'stackFailed', because: 'a connection: read ECONNRESET' },
    measured: true,
  },
  {
    what: 'an error that nobody caught, and that can only be a bug',
    trouble: {
      load: async ({ crash }) => {
        crash(bug);
        await new Promise((resolve) => setTimeout(resolve, 50));
      },
    },
    ending: {
      state: 'stackFailed',
      because: expect.stringMatching(/^a bug in capbench ended the run in the ramp phase/),
    },
    isBug: true,
    measured: true,
  },
  {
    what: 'the players are prepared by a bug',
    trouble: { prepare: fail(bug) },
    ending: {
      state: 'stackFailed',
      because: expect.stringMatching(/^a bug in capbench ended the run in the connect phase/),
    },
    isBug: true,
  },
];

test.each(BROKEN)('$what: its measurements are returned', async ({ trouble, ending, isBug, measured }) => {
  const { measurements, kept, bug: thrown, closed } = await runWith(trouble);
  expect(measurements.ending).toMatchObject(ending);
  expect(thrown?.thrown).toBe(isBug === true ? bug : undefined);
  expect(kept).toHaveLength(1);
  if (measured === true) {
    expect(closed).toEqual(['fleet', 'stack']);
    if (isBug === true) expect(measurements.operations.intent?.whole.ok).toBe(7);
  }
});

test.each([
  ['the fleet', { closeFleet: fail(bug) }],
  ['the stack', { closeStack: fail(coded('EBUSY', 'EBUSY')) }],
  ['the first write', { keep: fail(coded('no space', 'ENOSPC')) }],
  ['a log', { readLog: fail(coded('ENOENT', 'ENOENT')) }],
] as const)('a failure of %s at the end is reported, and changes nothing else', async (_what, trouble) => {
  const { measurements, warnings, closed, bug: thrown } = await runWith(trouble);
  expect(measurements.ending).toEqual({ state: 'completed' });
  expect(measurements.operations.intent?.whole.ok).toBe(7);
  expect(warnings).toHaveLength(1);
  expect(closed).toEqual(['fleet', 'stack']);
  expect(thrown).toBeNull();
});

test('measurements are saved before anything is closed', async () => {
  const order: string[] = [];
  await runWith({
    keep: async () => void order.push('kept'),
    closeFleet: async () => void order.push('closed'),
  });
  expect(order).toEqual(['kept', 'closed']);
});

test.each(['calibrate', 'connect', 'ramp', 'close'] as const)(
  'a signal in the %s phase is an interruption in that phase; a second one ends it at once',
  async (phase) => {
    for (const twice of [false, true]) {
      const { measurements } = await runWith({
        // This component never ends.
        ...(twice && phase === 'close' ? { closeStack: () => NEVER } : {}),
        ...(twice && phase === 'ramp' ? { load: () => NEVER } : {}),
        phase: (now, over) => {
          if (now !== phase) return;
          over.stop();
          if (twice) over.abort();
        },
      });
      expect(measurements.ending).toEqual({ state: 'interrupted', phase });
    }
  },
);

test('a signal between two reports of the workers is an interruption in the phase of that moment', async () => {
  const { timeline } = workloadOf(scenarioOf({}), flux.scenario);
  const { measurements } = await runWith({
    // The measure phase has just begun, so that a busy machine has all of it.
    go: (monotonic() - timeline.measureStart - 1) as Micros,
    load: async ({ stop }) => stop(),
  });
  expect(measurements.ending).toEqual({ state: 'interrupted', phase: 'measure' });
});

test('no probe is read after it was closed', async () => {
  const calls: string[] = [];
  const probe: Probe = {
    name: 'world-1',
    sample: async () => {
      calls.push('asked');
      return [{ series: 'world.1.rowWrites', kind: 'counter', value: calls.length }];
    },
    close: async () => void calls.push('closed'),
  };
  let over = false;
  onTestFinished(() => {
    over = true;
  });
  const system: System = {
    ...flux,
    probes: () => [probe],
    openVerification: async ({ probes }) => ({
      ...{ compareNow: () => NEVER, watch: async () => undefined },
      async verify() {
        while (!over) await Promise.all([sleep(10), probes[0]?.sample().catch(() => undefined)]);
        return NEVER;
      },
    }),
  };
  const { measurements } = await runWith({
    system,
    phase: (now, { stop, abort }) => {
      if (now !== 'verify') return;
      const timer = setInterval(() => {
        if (calls.length < 6) return;
        clearInterval(timer);
        stop();
        abort();
      }, 10);
    },
  });
  await sleep(100);
  expect(measurements.ending).toMatchObject({ state: 'interrupted' });
  expect(calls.indexOf('closed')).toBe(calls.length - 1);
  expect(calls.length).toBeGreaterThan(5);
});

test('the record of a system without calibration and without a check of its rows says so', async () => {
  const { openVerification: _, ...system } = flux;
  const { measurements } = await runWith({ system: { ...system, probes: () => [] } });
  expect(measurements.absences?.map(({ of }) => of)).toEqual(['generator.calibration', 'integrity']);
  expect(Object.isFrozen(measurements)).toBe(true);
});

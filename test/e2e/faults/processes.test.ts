import { expect } from 'vitest';
import { LOST_NOTHING } from '../../counts.ts';
import type { Started } from '../capbench.ts';
import { faultTable, type Row, WHOLE } from './fault.ts';
import { backendOf, postmasterOf, processOf, worldServers } from './inside.ts';

const LOCAL_LOGS = ['initdb', 'postgres', 'world-1', 'world-2'];
const kill = (pid: number, signal: NodeJS.Signals): void => void process.kill(pid, signal);

const COMPONENTS: readonly Row[] = [
  {
    what: 'a world server is killed',
    inject: (run) => kill(worldServers(run)[0]?.pid ?? 0, 'SIGKILL'),
    says: [
      /^error: world-1: world server 1 ended unexpectedly: killed by SIGKILL$/m,
      /^hint: .*out of memory/m,
    ],
  },
  {
    what: 'a world server stops for ever',
    flags: ['--duration', '1s'],
    inject: (run) => kill(worldServers(run)[0]?.pid ?? 0, 'SIGSTOP'),
    // Its part of the load is missed; what was acknowledged cannot be read back in time, or can.
    codes: [90, 93],
    ending: 'partial',
    lastly: (run) => expect(run.report().outcome).toBe('invalid'),
    slow: true,
  },
  {
    what: 'one PostgreSQL backend is killed, and PostgreSQL heals',
    inject: async (run) => kill(await backendOf(run, 'capbench-%'), 'SIGKILL'),
    says: [/^error: postgres: a PostgreSQL backend crashed/m, /^hint: .*logs\/postgres\.log/m],
  },
  {
    what: 'the postmaster is killed',
    inject: (run) => kill(postmasterOf(run), 'SIGKILL'),
    says: [/^error: postgres: PostgreSQL ended unexpectedly: killed by SIGKILL$/m, /^hint: .*out of memory/m],
  },
  {
    what: 'a load worker is killed',
    inject: (run) => kill(processOf(run, 'fleet-worker'), 'SIGKILL'),
    says: [
      /^error: load worker \d .*ended during the run: killed by SIGKILL$/m,
      /^hint: .*memory.*--workers/m,
    ],
  },
  {
    what: 'a load worker stops for ever',
    flags: ['--duration', '1s'],
    inject: (run) => kill(processOf(run, 'fleet-worker'), 'SIGSTOP'),
    says: [/^error: load worker \d \(process \d+\) has not responded for 10 s/m, /^hint: .*overloaded/m],
    slow: true,
  },
  {
    what: 'the watchdog is killed',
    inject: (run) => kill(processOf(run, 'watchdog'), 'SIGKILL'),
    says: [/^error: watchdog: .*ended unexpectedly: killed by SIGKILL$/m, /^hint: .*start the run again/m],
  },
  {
    what: 'the watchdog is stopped',
    flags: ['--duration', '1s'],
    inject: (run) => kill(processOf(run, 'watchdog'), 'SIGSTOP'),
    // The run is valid: the fault is reported, and the verdict stands.
    ...WHOLE,
    says: [/^warning: the watchdog \(process \d+\) did not end within 4 s and was killed/m],
    slow: true,
  },
];

/** One begins before another one has ended, on purpose: of the same component, of others, and of all connections. */
const OVERLAPPING = `faults=[${[
  '{ action: stop, of: world-1, at: 300ms, lasting: 1s }',
  '{ action: kill, of: postgres, at: 500ms, lasting: 300ms }',
  '{ action: kill, of: world-2, at: 600ms }',
  '{ action: drop, of: players, at: 650ms, sharePercent: 50 }',
  '{ action: stop, of: world-2, at: 700ms, lasting: 300ms }',
  '{ action: stop, of: postgres, at: 1900ms, lasting: 500ms }',
  '{ action: kill, of: world-1, at: 2s }',
].join(', ')}]`;

const ON_PURPOSE: readonly Row[] = [
  {
    what: 'that overlap',
    flags: ['--duration', '5s', '--set', 'load.drain=10s', '--set', OVERLAPPING],
    // What was missed meanwhile may well be more than a run may miss.
    ...WHOLE,
    lastly: (run) => {
      const { faults } = run.measurements();
      expect(faults.map(({ action, of }) => `${action} ${of}`).sort()).toEqual([
        ...['drop players', 'kill postgres', 'kill world-1', 'kill world-2', 'stop postgres'],
        ...['stop world-1', 'stop world-2'],
      ]);
      for (const { from, to, error, rows, action } of faults) {
        expect(error).toBeNull();
        expect(to).toBeGreaterThan(from);
        if (action !== 'drop') expect(rows).toEqual(LOST_NOTHING);
      }
      expect(run.report().integrity.lost).toBe(0);
    },
    slow: true,
  },
];

const stop = (signal: NodeJS.Signals) => (run: Started) => void run.child.kill(signal);

const INTERRUPTED = { codes: [105], ending: 'interrupted', logs: LOCAL_LOGS } as const;

const CAPBENCH: readonly Row[] = [
  ...(['start', 'load'] as const).map(
    (when): Row => ({
      what: `killed during the ${when}`,
      when,
      inject: stop('SIGKILL'),
      codes: [null],
      ending: 'scenario',
      slow: when === 'start',
    }),
  ),
  ...(['start', 'load'] as const).map(
    (when): Row => ({
      what: `Ctrl-C once during the ${when}`,
      when,
      inject: stop('SIGINT'),
      ...INTERRUPTED,
      says: [/^SIGINT: draining, then closing; send it again to close at once$/m],
      logs: when === 'load' ? LOCAL_LOGS : [],
    }),
  ),
  {
    what: 'Ctrl-C twice',
    // The first alone would take this long.
    flags: ['--set', 'load.drain=60s', '--set', 'load.timeout=60s'],
    inject: async (run) => {
      for (const { pid } of worldServers(run)) kill(pid, 'SIGSTOP');
      run.child.kill('SIGINT');
      await run.says('SIGINT: draining');
      run.child.kill('SIGINT');
    },
    ...INTERRUPTED,
    says: [/^SIGINT again: closing at once$/m],
  },
  ...(['SIGTERM', 'SIGHUP'] as const).map(
    (signal): Row => ({
      what: `${signal} counts as Ctrl-C`,
      inject: stop(signal),
      ...INTERRUPTED,
      says: [new RegExp(`^${signal}: draining, then closing`, 'm')],
      slow: signal === 'SIGHUP',
    }),
  ),
];

faultTable('a part of the run', COMPONENTS, { logs: LOCAL_LOGS });
faultTable('faults on purpose', ON_PURPOSE);
faultTable('capbench', CAPBENCH);

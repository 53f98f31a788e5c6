import { expect } from 'vitest';
import type { Started } from '../capbench.ts';
import { type Fault, faultTable } from './fault.ts';
import { openDatabase, postmasterOf, processOf, worldServers } from './inside.ts';

const LOCAL_LOGS = ['initdb', 'postgres', 'world-1', 'world-2'];
const kill = (pid: number, signal: NodeJS.Signals): void => void process.kill(pid, signal);

/** A backend that works for a world server or a probe. */
async function someBackend(run: Started): Promise<number> {
  const client = await openDatabase(run);
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() limit 1`,
  );
  await client.end();
  return rows[0]?.pid ?? 0;
}

const COMPONENTS: readonly Fault[] = [
  {
    what: 'a world server is killed',
    when: 'load',
    inject: (run) => kill(worldServers(run)[0]?.pid ?? 0, 'SIGKILL'),
    codes: [93],
    says: [/^error: world-1: world server 1 ended by itself: killed by SIGKILL$/m, /^hint: .*out of memory/m],
    ending: 'stackFailed',
    logs: LOCAL_LOGS,
  },
  {
    what: 'a world server stops for ever',
    when: 'load',
    flags: ['--duration', '1s'],
    inject: (run) => kill(worldServers(run)[0]?.pid ?? 0, 'SIGSTOP'),
    // Its part of the load is missed; what was acknowledged cannot be read back in time, or can.
    codes: [90, 93],
    says: [],
    ending: 'partial',
    logs: LOCAL_LOGS,
    lastly: (run) => expect(run.report().outcome).toBe('invalid'),
    slow: true,
  },
  {
    what: 'one PostgreSQL backend is killed, and PostgreSQL heals',
    when: 'load',
    inject: async (run) => kill(await someBackend(run), 'SIGKILL'),
    codes: [93],
    says: [/^error: postgres: a PostgreSQL backend crashed/m, /^hint: .*logs\/postgres\.log/m],
    ending: 'stackFailed',
    logs: LOCAL_LOGS,
  },
  {
    what: 'the postmaster is killed',
    when: 'load',
    inject: (run) => kill(postmasterOf(run), 'SIGKILL'),
    codes: [93],
    says: [/^error: postgres: PostgreSQL ended by itself: killed by SIGKILL$/m, /^hint: .*out of memory/m],
    ending: 'stackFailed',
    logs: LOCAL_LOGS,
  },
  {
    what: 'a load worker is killed',
    when: 'load',
    inject: (run) => kill(processOf(run, 'fleet-worker'), 'SIGKILL'),
    codes: [93],
    says: [
      /^error: load worker \d .*ended during the run: killed by SIGKILL$/m,
      /^hint: .*memory.*--workers/m,
    ],
    ending: 'stackFailed',
    logs: LOCAL_LOGS,
  },
  {
    what: 'a load worker stops for ever',
    when: 'load',
    flags: ['--duration', '1s'],
    inject: (run) => kill(processOf(run, 'fleet-worker'), 'SIGSTOP'),
    codes: [93],
    says: [/^error: load worker \d \(process \d+\) has said nothing for 10 s/m, /^hint: .*overloaded/m],
    ending: 'stackFailed',
    logs: LOCAL_LOGS,
    slow: true,
  },
  {
    what: 'the watchdog is killed',
    when: 'load',
    inject: (run) => kill(processOf(run, 'watchdog'), 'SIGKILL'),
    codes: [93],
    says: [/^error: watchdog: .*ended by itself: killed by SIGKILL$/m, /^hint: .*start the run again/m],
    ending: 'stackFailed',
    logs: LOCAL_LOGS,
  },
  {
    what: 'the watchdog is stopped',
    when: 'load',
    flags: ['--duration', '1s'],
    inject: (run) => kill(processOf(run, 'watchdog'), 'SIGSTOP'),
    // The run is as good as any: it is told, and its verdict stands.
    codes: [0, 90, 99],
    says: [/^warning: the watchdog \(process \d+\) did not end within 4 s and was killed/m],
    ending: 'completed',
    logs: LOCAL_LOGS,
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

const ON_PURPOSE: readonly Fault[] = [
  {
    what: 'that overlap',
    when: 'launch',
    flags: ['--duration', '5s', '--set', 'load.drain=10s', '--set', OVERLAPPING],
    // What was missed meanwhile may well be more than a run may miss.
    codes: [0, 90, 99],
    says: [],
    ending: 'completed',
    lastly: (run) => {
      const { faults } = run.measurements();
      expect(faults.map(({ action, of }) => `${action} ${of}`).sort()).toEqual(
        ['drop players', 'kill postgres', 'kill world-1', 'kill world-2', 'stop postgres']
          .concat(['stop world-1', 'stop world-2'])
          .sort(),
      );
      for (const { from, to, error, rows, action } of faults) {
        expect(error).toBeNull();
        expect(to).toBeGreaterThan(from);
        if (action !== 'drop') expect(rows).toEqual({ lost: 0, phantom: 0, duplicated: 0, holes: 0 });
      }
      expect(run.report().integrity.lost).toBe(0);
    },
    slow: true,
  },
];

const stop = (signal: NodeJS.Signals) => (run: Started) => void run.child.kill(signal);

const CAPBENCH: readonly Fault[] = [
  ...(['start', 'load'] as const).map(
    (when): Fault => ({
      what: `killed during the ${when}`,
      when,
      inject: stop('SIGKILL'),
      codes: [null],
      says: [],
      ending: 'scenario',
      slow: when === 'start',
    }),
  ),
  ...(['start', 'load'] as const).map(
    (when): Fault => ({
      what: `Ctrl-C once during the ${when}`,
      when,
      inject: stop('SIGINT'),
      codes: [105],
      says: [/^SIGINT: draining and closing; once more to leave at once$/m],
      ending: 'interrupted',
      logs: when === 'load' ? LOCAL_LOGS : [],
    }),
  ),
  {
    what: 'Ctrl-C twice',
    when: 'load',
    // The first alone would take this long.
    flags: ['--set', 'load.drain=60s', '--set', 'load.timeout=60s'],
    inject: async (run) => {
      for (const { pid } of worldServers(run)) kill(pid, 'SIGSTOP');
      run.child.kill('SIGINT');
      await run.says('SIGINT: draining');
      run.child.kill('SIGINT');
    },
    codes: [105],
    says: [/^SIGINT again: closing at once$/m],
    ending: 'interrupted',
    logs: LOCAL_LOGS,
  },
  ...(['SIGTERM', 'SIGHUP'] as const).map(
    (signal): Fault => ({
      what: `${signal} counts as Ctrl-C`,
      when: 'load',
      inject: stop(signal),
      codes: [105],
      says: [new RegExp(`^${signal}: draining and closing`, 'm')],
      ending: 'interrupted',
      logs: LOCAL_LOGS,
      slow: signal === 'SIGHUP',
    }),
  ),
];

faultTable('a part of the run', COMPONENTS);
faultTable('faults on purpose', ON_PURPOSE);
faultTable('capbench', CAPBENCH);

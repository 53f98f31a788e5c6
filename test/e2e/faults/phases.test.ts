import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Measurements } from '../../../src/measurement/measurements.ts';
import { parseMeasurements } from '../../../src/measurement/read-measurements.ts';
import type { Phase } from '../../../src/run/steps.ts';
import { processesIn } from '../../stack/leftovers.ts';
import { capbench, eventually, type Started, small } from '../capbench.ts';
import { full, leavesNothing, linux, TERMINAL, VERDICTS } from './fault.ts';
import { backendOf, heldBy, processOf, worldServers } from './inside.ts';

/** Every kind of process of a run, killed in every phase in which there is one. */

const PHASES = [
  ...['calibrate', 'stack', 'ceilings', 'connect', 'ramp', 'measure', 'drain', 'verify', 'close'],
] as const satisfies readonly Phase[];
type Place = (typeof PHASES)[number];
const at = (phase: Place): number => PHASES.indexOf(phase);

/** The phase long enough to be hit, and the rest as short as can be. */
const flagsFor = (phase: Place): readonly string[] => [
  ...['--duration', '2s', '--set', 'load.drain=3s', '--set', 'load.timeout=2s'],
  ...['--set', `calibration.seconds=${phase === 'calibrate' ? 2 : 0}`, '--set', 'calibration.canary=true'],
  ...['--set', `ceilings.secondsEach=${phase === 'ceilings' ? 1 : 0.1}`],
  ...['--set', `load.connectsPerSecond=${phase === 'connect' ? 60 : 1000}`],
  ...['--set', `load.ramp=${phase === 'ramp' ? 2 : 0.1}s`, '--set', 'load.warmUp=100ms'],
];

/** The expected end of a run. */
interface End {
  /** Null: capbench itself was killed. */
  readonly codes: readonly (number | null)[];
  readonly says: readonly RegExp[];
}

interface Kind {
  readonly name: string;
  /** The phases in which there is one. */
  readonly from: Place;
  readonly to: Place;
  inject(run: Started, phase: Place): Promise<void> | void;
  end(phase: Place): End;
}

const VERDICT: End = { codes: VERDICTS, says: [] };
const KILLED: End = { codes: [null], says: [] };
const stackFailed = (says: RegExp): End => ({ codes: [93], says: [says, /^hint: \S/m] });
/** A verdict stands once it is reached, whatever ends while the run is closed. */
const until = (last: Place, says: RegExp) => (phase: Place) =>
  at(phase) > at(last) ? VERDICT : stackFailed(says);

/** Those of Node with such words in their command line; `script` and the shell around the CLI have the same words. */
const processesOfNode = ({ tmp }: Started, words = ''): readonly number[] =>
  processesIn(tmp)
    .filter(({ command }) => command.startsWith(process.execPath) && command.includes(words))
    .map(({ pid }) => pid);

function capbenchOf(run: Started): number {
  const [pid] = processesOfNode(run, 'capbench.js');
  if (pid === undefined) throw new Error('capbench does not run');
  return pid;
}

const soon = (what: string, probe: () => number | null): Promise<number> =>
  eventually(what, () => {
    try {
      return probe();
    } catch {
      return null;
    }
  });

const signal = (run: Started, name: NodeJS.Signals): void => void process.kill(capbenchOf(run), name);
const killPid = (pid: number): void => void process.kill(pid, 'SIGKILL');

const interruptions = (['SIGTERM', 'SIGHUP', 'SIGINT'] as const).map(
  (name): Kind => ({
    ...{ name: `${name} to capbench`, from: 'calibrate', to: 'close' },
    inject: (run) => signal(run, name),
    end: () => ({ codes: [105], says: [new RegExp(`^${name}: draining, then closing`, 'm')] }),
  }),
);

const KINDS: readonly Kind[] = [
  ...interruptions,
  {
    ...{ name: 'Ctrl-C twice', from: 'calibrate', to: 'close' },
    async inject(run) {
      signal(run, 'SIGINT');
      await run.says('SIGINT: draining');
      signal(run, 'SIGINT');
    },
    end: () => ({ codes: [105], says: [/^SIGINT again: closing at once$/m] }),
  },
  {
    ...{ name: 'SIGKILL to capbench', from: 'calibrate', to: 'close' },
    inject: (run) => signal(run, 'SIGKILL'),
    end: () => KILLED,
  },
  {
    ...{ name: 'SIGKILL to all of Node', from: 'calibrate', to: 'close' },
    inject: (run) => {
      for (const pid of processesOfNode(run)) killPid(pid);
    },
    end: () => KILLED,
  },
  {
    ...{ name: 'SIGKILL to the watchdog', from: 'calibrate', to: 'close' },
    inject: (run) => killPid(processOf(run, 'dist/watchdog')),
    end: until('verify', /^error: .*watchdog/m),
  },
  {
    ...{ name: 'SIGKILL to a null world', from: 'calibrate', to: 'calibrate' },
    inject: async (run) => killPid(await soon('a null world', () => processOf(run, 'flux-null'))),
    end: () => stackFailed(/^error: .*null-world-\d/m),
  },
  {
    ...{ name: 'SIGKILL to a load worker', from: 'connect', to: 'verify' },
    inject: async (run) => killPid(await soon('a load worker', () => processOf(run, 'fleet-worker'))),
    end: until('drain', /^error: .*load worker \d/m),
  },
  {
    ...{ name: 'SIGKILL to a world server', from: 'stack', to: 'close' },
    inject: async (run) => killPid(await soon('a world server', () => processOf(run, 'flux-server'))),
    end: until('verify', /^error: .*world-\d/m),
  },
  {
    ...{ name: 'SIGKILL to the postmaster', from: 'stack', to: 'close' },
    inject: async (run) => killPid(await soon('a postmaster', () => processOf(run, 'bin/postgres -D'))),
    end: until('verify', /^error: .*postgres/im),
  },
  {
    ...{ name: "SIGKILL to a world server's backend", from: 'ceilings', to: 'verify' },
    inject: async (run) => killPid(await backendOf(run, 'capbench-world-1')),
    end: () => stackFailed(/^error: postgres: a PostgreSQL backend crashed/m),
  },
  {
    ...{ name: "SIGKILL to capbench's own backend", from: 'ceilings', to: 'verify' },
    inject: async (run) => killPid(await backendOf(run, 'capbench-probe')),
    end: () => stackFailed(/^error: postgres: a PostgreSQL backend crashed/m),
  },
  {
    ...{ name: "pg_terminate_backend of a world server's", from: 'ceilings', to: 'verify' },
    inject: async (run) => void process.kill(await backendOf(run, 'capbench-world-1'), 'SIGTERM'),
    end: () => stackFailed(/^error: world-\d: world server \d ended unexpectedly/m),
  },
  {
    ...{ name: "pg_terminate_backend of capbench's own", from: 'ceilings', to: 'ceilings' },
    inject: async (run) => void process.kill(await backendOf(run, 'capbench-probe'), 'SIGTERM'),
    end: () => stackFailed(/^error: the ceilings: terminating connection/m),
  },
];

/** Those that `npm test` runs, too. */
const QUICK: ReadonlySet<string> = new Set([
  "SIGKILL to capbench's own backend: ceilings",
  'SIGKILL to the postmaster: verify',
  'Ctrl-C twice: verify',
  'SIGKILL to all of Node: measure',
]);

/** On a terminal capbench redraws a line with its phase, which is split into lines here. */
const CLEAR_LINE = '\r\u001b[2K';
const linesOf = (text: string): string => text.replaceAll(CLEAR_LINE, '\n').replaceAll('\r', '');

const entered = (run: Started, phase: Place): Promise<void> => run.says(CLEAR_LINE + phase);

function keptBy({ out }: Started): Measurements | null {
  const [bundle = ''] = readdirSync(out).filter((name) => name !== 'latest');
  const path = join(out, bundle, 'measurements.json');
  expect(existsSync(join(out, bundle, 'scenario.yaml'))).toBe(true);
  if (!existsSync(path)) return null;
  const parsed = parseMeasurements(readFileSync(path, 'utf8'));
  if (parsed.state !== 'valid') throw new Error(JSON.stringify(parsed));
  return parsed.measurements;
}

/** All that was known when it ended is in the bundle. */
function expectFacts(facts: Measurements, phase: Place, end: End): void {
  const { ending, canary, ceilings, operations, phases } = facts;
  if (end === KILLED) expect(ending.state).toBe('completed');
  else if (end !== VERDICT)
    expect(ending.state).toBe(end.codes.includes(105) ? 'interrupted' : 'stackFailed');
  if (ending.state === 'interrupted') expect(ending.phase).toBe(phase);
  if (at(phase) > at('calibrate')) expect(canary).not.toBeNull();
  if (at(phase) > at('ceilings')) expect(ceilings).not.toBeNull();
  if (at(phase) >= at('ramp')) expect(phases.go).not.toBeNull();
  if (at(phase) >= at('verify')) expect(operations.intent?.whole.ok).toBeGreaterThan(0);
}

async function examine({ inject, end: endOf }: Kind, phase: Place): Promise<void> {
  const run = capbench(['run', small, ...flagsFor(phase)], { before: TERMINAL });
  const tooEarly = run.finished.then(({ code, stdout }) => {
    throw new Error(`it ended with ${code} before the fault: ${stdout}`);
  });
  tooEarly.catch(() => undefined);
  if (phase === 'drain') {
    await Promise.race([entered(run, 'measure'), tooEarly]);
    // What is outstanding at its server makes the drain last.
    process.kill(worldServers(run)[1]?.pid ?? 0, 'SIGSTOP');
  }
  await Promise.race([entered(run, phase), tooEarly]);
  const held = heldBy(run);
  await inject(run, phase);
  const { code, stdout } = await run.finished;
  const lines = linesOf(stdout);
  const end = endOf(phase);
  // `script` tells of a signal as a shell does.
  expect(end.codes, lines).toContain(code === 137 ? null : code);
  for (const words of end.says) expect(lines).toMatch(words);
  expect(lines).not.toMatch(/^\s+at |a bug in capbench|Warning:/m);
  await leavesNothing(run, held);
  const facts = keptBy(run);
  if (end !== KILLED) {
    expect(facts).not.toBeNull();
    expect(run.report().exitCode).toBe(code);
  }
  if (end === KILLED && at(phase) < at('close')) expect(facts).toBeNull();
  else if (facts !== null) expectFacts(facts, phase, end);
}

const rows = KINDS.flatMap((kind) =>
  PHASES.slice(at(kind.from), at(kind.to) + 1).map((phase) => ({
    title: `${kind.name}: ${phase}`,
    examine: () => examine(kind, phase),
  })),
);
const chosen = rows.filter(({ title }) => full || QUICK.has(title));
if (linux) for (const row of chosen) test(row.title, { timeout: 90_000 }, row.examine);
else test.skip('told from /proc: Linux only', () => {});
if (!full) test.skip(`${rows.length - chosen.length} more rows (slow: npm run faults)`, () => {});

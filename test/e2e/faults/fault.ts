import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type TestOptions, test } from 'vitest';
import type { Ending } from '../../../src/measurement/measurements.ts';
import { parseMeasurements } from '../../../src/measurement/read-measurements.ts';
import { BUNDLE_FILES, capbench, eventually, type Launch, type Started, small } from '../capbench.ts';
import { type Held, heldBy, loadIsOn, stillHeld } from './inside.ts';

/** A fault, and the expected end of the run. */
interface Fault {
  /** `a world server is killed` */
  readonly what: string;
  /** Beside those of every row. */
  readonly flags?: readonly string[];
  readonly launch?: Launch;
  /** When it is injected; `launch`: the launch itself is the fault. */
  readonly when: 'launch' | 'start' | 'load';
  readonly inject?: (run: Started) => Promise<void> | void;
  /** Addresses of world servers that are started already, instead of a stack of the run's own. */
  readonly targets?: () => Promise<readonly string[]>;
  /** Resolves when the load has started, where the run's own database cannot show it. */
  readonly isOn?: () => Promise<void>;
  /** Exit codes that are right; null: capbench itself was killed. */
  readonly codes: readonly (number | null)[];
  /** Texts of stderr: what happened, where, and what to do next. */
  readonly says: readonly RegExp[];
  /**
   * What the bundle says of the ending; `scenario`: it holds nothing but the scenario; `partial`: what was written
   * until then; `none`: there is none.
   */
  readonly ending: Ending['state'] | 'scenario' | 'partial' | 'none';
  /** Logs that must be in the bundle. */
  readonly logs?: readonly string[];
  /** More to be seen in the end. */
  readonly lastly?: (run: Started) => void | Promise<void>;
  /** Only by `npm run faults`. */
  readonly slow?: boolean;
  /** The reason for which it cannot be done here. */
  readonly unless?: string | false;
}

/** One row of the fault table. Unless it says otherwise, what is injected hits the load, and the stack fails: 93. */
export type Row = Pick<Fault, 'what'> & Partial<Fault>;
const PLAIN = { codes: [93], says: [], ending: 'stackFailed' } as const;
/** The codes of a run that came to its end, on a machine that may be busy. */
export const VERDICTS = [0, 90, 99];
export const WHOLE = { codes: VERDICTS, ending: 'completed' } as const;

/** Goes before a command: it leads the session of a terminal, whose other end `script` holds. */
export const TERMINAL = ['/bin/sh', '-c', `exec script -qec "exec$(printf " '%s'" "$@")" /dev/null`, 'sh'];

export const isRoot = process.getuid?.() === 0;
export const linux = process.platform === 'linux';
export const full = process.env.CAPBENCH_FAULTS === 'full';

/** A run that is long enough to be disturbed, and ends soon after it was. */
const FLAGS = [
  ...['--duration', '20s', '--quiet'],
  ...['--set', 'ceilings.secondsEach=0'],
  ...['--set', 'calibration.seconds=0'],
  ...['--set', 'load.drain=1s'],
  ...['--set', 'load.timeout=1s'],
];

/** Nothing of the run is left: no process, no file, no shared memory, no socket. Waits for what is just ending. */
export async function leavesNothing(run: Started, held: Held | null): Promise<void> {
  const left = (): unknown => ({ ...run.leftovers(), held: held === null ? [] : stillHeld(held) });
  const nothing = { processes: [], files: [], held: [] };
  // When capbench itself was killed, the watchdog is still at work.
  await eventually(
    'nothing left',
    () => (JSON.stringify(left()) === JSON.stringify(nothing) ? true : null),
    25,
  ).catch(() => undefined);
  expect(left()).toEqual(nothing);
}

function bundleOf({ out }: Started): string | null {
  const names = readdirSync(out).filter((name) => name !== 'latest');
  expect(names.length).toBeLessThanOrEqual(1);
  return names[0] === undefined ? null : join(out, names[0]);
}

/** What a failed test should show. */
function factsOf(run: Started): string {
  try {
    const { ending, errors } = run.measurements();
    return JSON.stringify({ ending, errors, invalidBecause: run.report().invalidBecause }, null, 1);
  } catch {
    return '';
  }
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

async function examine(fault: Fault): Promise<void> {
  const targets = await fault.targets?.();
  const flags = [...FLAGS, ...(fault.flags ?? []), ...(targets ?? []).flatMap((url) => ['--target', url])];
  const run = capbench(['run', small, ...flags], fault.launch);
  let held: Held | null = null;
  const tooEarly = run.finished.then(({ code, stdout, stderr }) => {
    throw new Error(`it ended with ${code} before the fault: ${stdout}${stderr}`);
  });
  tooEarly.catch(() => undefined);
  if (fault.when === 'load') {
    await Promise.race([fault.isOn?.() ?? loadIsOn(run), tooEarly]);
    held = heldBy(run);
    if (targets === undefined) expect(held.listeners.length).toBeGreaterThanOrEqual(2);
  } else if (fault.when === 'start') {
    const folder = eventually('a run folder', () => (readdirSync(run.tmp).length > 0 ? true : null));
    await Promise.race([folder, tooEarly]);
  }
  await fault.inject?.(run);
  const { code, stdout, stderr } = await run.finished;
  expect(fault.codes, stdout + stderr + factsOf(run)).toContain(code);
  for (const words of fault.says) expect(stderr).toMatch(words);
  if (fault.codes.every((each) => each !== null && each >= 93 && each !== 99 && each !== 105)) {
    expect(stderr).toMatch(/^error: /m);
    expect(stderr).toMatch(/^hint: \S/m);
  }
  // No stack trace, no bug.
  expect(stderr).not.toMatch(/^\s+at |a bug in capbench/m);
  await leavesNothing(run, held);

  const bundle = bundleOf(run);
  if (fault.ending === 'none') {
    expect(bundle).toBeNull();
  } else {
    expect(bundle).not.toBeNull();
    const files = filesIn(bundle!);
    expect(files.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    if (fault.ending === 'scenario') {
      expect(files).toEqual(['scenario.yaml']);
    } else if (fault.ending !== 'partial') {
      for (const name of BUNDLE_FILES) expect(existsSync(join(bundle!, name)), name).toBe(true);
      const read = (name: string) => JSON.parse(readFileSync(join(bundle!, name), 'utf8'));
      expect(read('measurements.json').ending.state).toBe(fault.ending);
      // `capbench report` takes it, whatever has happened.
      expect(parseMeasurements(readFileSync(join(bundle!, 'measurements.json'), 'utf8'))).toMatchObject({
        state: 'valid',
      });
      if (code !== null) expect(read('report.json').exitCode).toBe(code);
      for (const name of fault.logs ?? []) expect(files).toContain(join('logs', `${name}.log`));
    }
  }
  await fault.lastly?.(run);
}

/** The rows as tests, with what they have in common. What is slow runs only in full. */
export function faultTable(name: string, rows: readonly Row[], common: Partial<Fault> = {}): void {
  for (const row of rows) {
    const when = row.inject === undefined ? 'launch' : 'load';
    const fault = { ...PLAIN, when, ...common, ...row } as const;
    const options: TestOptions = { timeout: 120_000 };
    const title = `${name}: ${fault.what}`;
    if (!linux) test.skip(`${title} (read from /proc: Linux only)`, () => {});
    else if (fault.unless) test.skip(`${title} (${fault.unless})`, () => {});
    else if (fault.slow === true && !full) test.skip(`${title} (slow: npm run faults)`, () => {});
    else test(title, options, () => examine(fault));
  }
}

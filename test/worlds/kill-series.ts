import { EXIT } from '../../src/errors.ts';
import type { FinishedRun, Plan } from './finished-run.ts';

/** What a world promises of operations that were acknowledged before one of its components is killed. */
export type Promised =
  /** None is lost. */
  | 'nothing'
  /** None is lost but those within the window that the scenario states. */
  | 'window';

/** Kills of several components, one after the other, at the full rate of a scenario. */
export interface KillSeries {
  readonly scenario: string;
  readonly promised: Readonly<Record<string, Promised>>;
}

/**
 * From one kill to the next, and until it is started again: long enough for players to be back, and longer than the two seconds
 * that Redis may lose (a saveInterval of 1 s, and another), since all that falls into a window is excused.
 */
const EVERY_SECONDS = 5;
const DOWN_SECONDS = 0.5;
const FIRST_SECONDS = 3;
/** After the last one, for what a busy machine delays: a kill begins only when the component is back. */
const LAST_SECONDS = 15;
/** Start of the stack, calibration, ramp, drain and verification. */
const BESIDE_SECONDS = 90;

/** Each component is killed `kills` times. */
export function planOf({ scenario, promised }: KillSeries, kills: number): Plan {
  const components = Object.keys(promised);
  const faults = components.map((of, i) => ({
    ...{ action: 'kill', of, at: `${FIRST_SECONDS + i * kills * EVERY_SECONDS}s` },
    ...{ lasting: `${1e3 * DOWN_SECONDS}ms`, times: kills, every: `${EVERY_SECONDS}s` },
  }));
  const seconds = FIRST_SECONDS + components.length * kills * EVERY_SECONDS + LAST_SECONDS;
  return {
    scenario,
    set: [`faults=${JSON.stringify(faults)}`],
    flags: ['--duration', `${seconds}s`],
    mostSeconds: seconds + BESIDE_SECONDS,
  };
}

interface Judged {
  readonly lines: readonly string[];
  /** Empty when all is as promised. */
  readonly problems: readonly string[];
}

/** What the kills of a finished series did. */
export function judgeKills({ promised }: KillSeries, kills: number, run: FinishedRun): Judged {
  const { code, measurements, report } = run;
  if (measurements === null || report === null) return { lines: [], problems: ['the run left no report'] };
  const problems: string[] = [];
  const check = (holds: boolean, what: string): void => {
    if (!holds) problems.push(what);
  };
  check(code === EXIT.pass, `exit code ${code}, expected ${EXIT.pass}`);
  const { lost, phantom, duplicated, holes, acked } = report.integrity;
  check((acked ?? 0) > 0, 'nothing was acknowledged');
  check(lost === 0, `${lost} acknowledged operations are lost`);
  check(
    phantom === 0 && duplicated === 0 && holes === 0,
    `phantom ${phantom}, duplicated ${duplicated}, holes ${holes}: expected none`,
  );
  const lines = Object.entries(promised).map(([component, promise]) => {
    const own = measurements.faults.filter(({ of }) => of === component);
    const failed = own.find(({ error, to }) => error !== null || to === null);
    check(own.length === kills, `${own.length} of ${kills} kills of ${component} were made`);
    check(failed === undefined, `${component} did not come back: ${failed?.error ?? 'no answer'}`);
    const sum = (of: 'lost' | 'holes' | 'lostInWindow'): number =>
      own.reduce((total, { rows }) => total + (rows?.[of] ?? 0), 0);
    const [beyond, within] = [sum('lost') + sum('holes'), sum('lostInWindow')];
    const read = own.filter(({ rows }) => rows !== null).length;
    check(
      read === own.length,
      `after ${own.length - read} kills of ${component} the stores could not be read`,
    );
    check(beyond === 0, `kills of ${component} lost ${beyond} beyond what is promised`);
    if (promise === 'nothing')
      check(within === 0, `kills of ${component} lost ${within}, and may lose nothing`);
    const window = promise === 'window' ? `${within} lost within the stated window, ` : '';
    return `${component}: ${own.length} kills, ${window}${beyond} beyond${beyond === 0 ? ` (${bound(own.length)})` : ''}`;
  });
  return { lines, problems };
}

/** The rule of three: no loss in n kills bounds the loss in one at 3/n, with 95% confidence. */
const bound = (kills: number): string =>
  kills < 3
    ? 'too few kills to bound anything'
    : `at most ${((100 * 3) / kills).toFixed(0)}% of kills would, with 95% confidence`;

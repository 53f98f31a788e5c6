import { join } from 'node:path';
import { type Comparison, compare } from '../compare/comparison.ts';
import { differing } from '../compare/difference.ts';
import type { Gate } from '../compare/gate.ts';
import { isValid, machineIdentity, readTrial, scenarioIdentity } from '../compare/trial.ts';
import { badInput, EXIT, type ExitCode } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import type { Report } from '../report/report.ts';
import { conditionsOf } from '../scenario/resolved.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { COMPARISON_PAGE, tellComparison, writeComparison } from './comparison-folder.ts';
import { chooseGate, type GateFlags, readGateFlags } from './gate-flags.ts';
import { type Published, type TellingFlags, tellRun } from './publish.ts';
import { nearby } from './shown-path.ts';
import { hostFacts } from './single-run.ts';
import { type ReadArm, readArm } from './trial-files.ts';

/** The options of a run that is compared, as given. */
export interface BaselineFlags extends GateFlags {
  readonly baseline?: string;
}

/** What runs are compared with once they have ended. */
export interface Baseline {
  readonly arm: ReadArm;
  /** What the command line says of the gate. */
  readonly gate: Partial<Gate>;
}

/**
 * Reads the trials of `--baseline`, before anything is started: a later run may move `reports/latest`.
 * @returns null without `--baseline`
 * @throws CapbenchError (104) where they cannot be read, or where an option of the gate has no baseline
 */
export async function openBaseline(host: Host, flags: BaselineFlags): Promise<Baseline | null> {
  const gate = readGateFlags(flags);
  if (flags.baseline === undefined) {
    const given = [
      ...(['threshold', 'confidence'] as const).filter((name) => flags[name] !== undefined),
      ...(flags.metric.length > 0 ? ['metric'] : []),
    ];
    if (given[0] === undefined) return null;
    throw badInput(`--${given[0]} is only for --baseline`, 'name the folder with the trials to compare with');
  }
  return { arm: await readArm(host, '--baseline', [flags.baseline]), gate };
}

/**
 * What is known before a run to keep it from being compared with its baseline: a sentence for each, so that nobody waits
 * for runs that cannot be compared. The run's own verdict does not need the baseline.
 */
export function foreseenDifferences(host: Host, { arm }: Baseline, scenario: Scenario): readonly string[] {
  const facts = hostFacts(host);
  const nodeMajor = Number(/^v?(\d+)/.exec(facts.node)?.[1]);
  const known = { ...machineIdentity({ ...facts, nodeMajor }), ...scenarioIdentity(conditionsOf(scenario)) };
  const before = arm.trials
    .filter(isValid)
    .map(({ identity }) =>
      Object.fromEntries(Object.keys(known).map((what) => [what, identity[what] ?? 'not recorded'])),
    );
  if (before.length === 0)
    return ['the baseline has no trial with a conclusion: there is nothing to compare with'];
  return differing(before, [known]).map(
    ({ what, base, head }) => `${what} is ${base} in the baseline and ${head} here: they are not comparable`,
  );
}

/** A run whose report is there. */
export interface ComparedRun {
  /** The folder of its bundle. */
  readonly folder: string;
  readonly report: Report;
}

/** Compares runs with their baseline, and writes comparison.json, .html and .md into `root`. */
export async function compareWith(
  host: Host,
  { arm, gate: flags }: Baseline,
  root: string,
  runs: readonly ComparedRun[],
): Promise<Comparison> {
  const trials = runs.map(({ folder, report }) => readTrial(JSON.stringify(report), nearby(host, folder)));
  const head = { name: nearby(host, root), trials };
  const { gate, notes } = chooseGate(arm, head, flags);
  const compared = compare(arm, head, gate, 'separate');
  const comparison = { ...compared, notes: [...compared.notes, ...notes] };
  await writeComparison(host, root, comparison);
  return comparison;
}

/** The exit code of runs and of their comparison: what they did not keep themselves comes before what changed. */
export const exitCodeWith = (runs: ExitCode, comparison: Comparison): ExitCode =>
  runs === EXIT.pass ? comparison.exitCode : runs;

/** Prints a comparison below the verdict of its runs. */
export const tellBelow = (host: Host, root: string, comparison: Comparison, flags: TellingFlags): void =>
  tellComparison(host, comparison, flags, join(nearby(host, root), COMPARISON_PAGE));

/** Prints one run and its comparison with the baseline; returns the exit code of both. */
export async function tellCompared(
  host: Host,
  baseline: Baseline | null,
  bundle: string,
  run: Published,
  flags: TellingFlags,
): Promise<ExitCode> {
  if (baseline === null || run.report.exitCode === EXIT.interrupted) return tellRun(host, run, flags);
  const comparison = await compareWith(host, baseline, bundle, [{ folder: bundle, report: run.report }]);
  if (flags.json === true) host.stdout.write(jsonText({ ...run.report, comparison }));
  else {
    tellRun(host, run, flags);
    tellBelow(host, bundle, comparison, flags);
  }
  return exitCodeWith(run.exitCode, comparison);
}

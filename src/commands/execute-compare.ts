import { resolve } from 'node:path';
import { compare } from '../compare/comparison.ts';
import { badInput, EXIT, type ExitCode } from '../errors.ts';
import type { Host } from '../host.ts';
import { makeFolders } from '../measurement/bundle.ts';
import type { VerdictFormat } from '../report/format.ts';
import {
  COMPARISON_PAGE,
  comparisonArtefacts,
  tellComparison,
  writeComparison,
} from './comparison-folder.ts';
import type { FormatFlags } from './format.ts';
import { chooseGate, type GateFlags, readGateFlags } from './gate-flags.ts';
import { openFixedPaths, type TellingFlags, writeFixedPaths } from './publish.ts';
import { nearby } from './shown-path.ts';
import { readArm, refuseSameRuns } from './trial-files.ts';

/** The options of `capbench compare`, as given. */
export interface CompareFlags extends GateFlags, TellingFlags, FormatFlags<VerdictFormat> {
  readonly base?: readonly string[];
  readonly head?: readonly string[];
  readonly paired?: boolean;
  readonly out?: string;
  readonly summary?: string;
  readonly report?: string;
}

const ARTEFACTS = { summary: 'comparison.md', report: COMPARISON_PAGE } as const;

/**
 * Compares recorded trials of two versions.
 * @returns 0, 91 where the head is worse, 90 where that cannot be said
 * @throws CapbenchError (104) for an option, a file or a folder that cannot be used
 */
export async function executeCompare(
  host: Host,
  [base, head]: readonly [base: string | undefined, head: string | undefined],
  flags: CompareFlags,
): Promise<ExitCode> {
  const gateFlags = readGateFlags(flags);
  const before = await readArm(host, 'BASE', given('base', base, flags.base));
  const after = await readArm(host, 'HEAD', given('head', head, flags.head));
  refuseSameRuns(before, after);
  if (flags.paired === true && before.trials.length !== after.trials.length)
    throw badInput(
      `--paired: the base has ${before.trials.length} trials and the head ${after.trials.length}, expected as many of both`,
      'leave --paired out, unless each trial of the base was run right before or after one of the head',
    );
  const fixed = await openFixedPaths(host, flags, [...before.files, ...after.files], ARTEFACTS);
  const { gate, notes } = chooseGate(before, after, gateFlags);
  const compared = compare(before, after, gate, flags.paired === true ? 'paired' : 'separate');
  const comparison = { ...compared, notes: [...compared.notes, ...notes] };

  const out = flags.out ? resolve(host.cwd, flags.out) : null;
  if (out !== null) {
    await makeFolders(out);
    await writeComparison(host, out, comparison);
  }
  const hint = 'name a file that you may write to';
  const unwritten = await writeFixedPaths(host, fixed, comparisonArtefacts(comparison), hint);
  for (const one of unwritten) host.stderr.write(`warning: ${one.message}; ${one.hint}\n`);
  tellComparison(host, comparison, flags, out === null ? '' : nearby(host, resolve(out, COMPARISON_PAGE)));
  return comparison.exitCode === EXIT.pass
    ? (unwritten[0]?.exitCode ?? comparison.exitCode)
    : comparison.exitCode;
}

/** An argument, the option of the same name, or both. */
function given(
  name: 'base' | 'head',
  argument: string | undefined,
  option: readonly string[] = [],
): readonly string[] {
  const all = [...(argument === undefined ? [] : [argument]), ...option];
  if (all.length > 0) return all;
  throw badInput(
    `compare: no ${name} is given`,
    'capbench compare BASE HEAD, or --base and --head for several bundles of each',
  );
}

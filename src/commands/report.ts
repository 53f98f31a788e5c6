import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { badInput, type ExitCode } from '../errors.ts';
import type { Host } from '../host.ts';
import type { BudgetLines } from '../report/annotations.ts';
import { FORMATS, type Format } from '../report/format.ts';
import type { Judged } from '../report/run-format.ts';
import type { FromK6Flags } from './execute-from-k6.ts';
import { type AnnotateFlags, readBudgetLines, withFormat } from './format.ts';
import { scenarioOptions, withFixedPaths } from './options.ts';
import type { FixedPath, Published } from './publish.ts';

/** The options of `capbench report`; those of the scenario only go with `--from-k6`. */
interface ReportFlags extends FromK6Flags, AnnotateFlags {
  readonly fromK6?: readonly string[];
  readonly scenario?: string;
  /** False for `--no-charts`. */
  readonly charts: boolean;
}

const EXAMPLES = `
Examples:
  $ capbench report reports/latest --full
  $ capbench report reports/latest --json | jq .outcome
  $ capbench report /archive/run-17 --out verdict
  $ capbench report reports/latest --format annotations --annotate my-world.yaml
  $ capbench report reports/latest --format summary >> "$GITHUB_STEP_SUMMARY"
  $ capbench report --scenario quickstart --from-k6 capbench-summary.json
  $ capbench report --scenario quickstart --run 17 --from-k6 summary-*.json

The exit code is that of the verdict; 104 when a file cannot be read.
`;

/** `capbench report`: verdict and reports from a recorded run, without a server. */
export const reportCommand = (host: Host): Command =>
  withFormat(
    withFixedPaths(
      scenarioOptions(
        new Command('report')
          .description('judge a recorded run again, or the summaries of an exported k6 script')
          .argument(
            '[bundle]',
            'a folder that `capbench run` wrote, such as reports/latest; also that of --trials, of a search or a duet',
          )
          .addOption(
            new Option('--from-k6 <files...>', 'summaries of an exported k6 script: one from each process'),
          )
          .option('--scenario <name>', 'with --from-k6: the exported scenario, with the same options')
          .option(
            '--run <name>',
            'with --from-k6: refuse the summaries of any other CAPBENCH_RUN (default: CAPBENCH_RUN)',
          )
          .option('--out <folder>', 'folder for the reports (default: the bundle; none with --from-k6)'),
      ),
    ),
    FORMATS,
  )
    .option(
      '--annotate <file>',
      'with --format annotations: the scenario file, beside whose budgets they stand',
    )
    .option('--quiet', 'print only the verdict and the reasons why it is no pass')
    .option('--full', 'print every figure, not only the most important ones')
    .option('--json', 'print report.json instead of the summary')
    .option('--no-charts', 'leave out the PNG charts')
    .option('--no-color', 'print no colours')
    .addHelpText('after', EXAMPLES)
    .action(async (folder: string | undefined, flags: ReportFlags) => {
      if (flags.fromK6 !== undefined) {
        const { fromK6, scenario, format } = flags;
        if (format !== undefined) {
          throw badInput(
            'report: --format is only for bundles',
            'with --from-k6 there are --json, --junit and --summary',
          );
        }
        if (folder !== undefined) {
          throw badInput(
            `report: a bundle (${folder}) and --from-k6 are given, expected one of the two`,
            'put --from-k6 and its files last',
          );
        }
        if (scenario === undefined) {
          throw badInput('report --from-k6: --scenario is missing', 'name the exported scenario');
        }
        const { executeFromK6 } = await import('./execute-from-k6.ts');
        host.exitCode = await executeFromK6(host, fromK6, scenario, flags);
        return;
      }
      if (folder === undefined) {
        throw badInput(
          'report: no bundle is given',
          'reports/latest is the newest; --from-k6 judges the summary of an exported k6 script',
        );
      }
      refuseK6Options(flags);
      host.exitCode = await reportBundle(host, folder, flags);
    });

/** A bundle holds its resolved scenario: an option without effect would mislead. */
function refuseK6Options({ scenario, run, set, players, scale, duration, seed }: ReportFlags): void {
  const given = Object.entries({ scenario, run, players, scale, duration, seed }).find(
    ([, value]) => value !== undefined,
  );
  const name = given?.[0] ?? (set.length > 0 ? 'set' : null);
  if (name === null) return;
  throw badInput(`report: --${name} is only for --from-k6`, 'a bundle is judged by its own scenario.yaml');
}

async function reportBundle(host: Host, folder: string, flags: ReportFlags): Promise<ExitCode> {
  const { openFixedPaths, tellRun } = await import('./publish.ts');
  const { readTrials } = await import('./recorded-trials.ts');
  const { reportTrials } = await import('./trials-folder.ts');
  const bundle = resolve(host.cwd, folder);
  const out = flags.out ? resolve(host.cwd, flags.out) : null;
  const budgets = await readBudgetLines(host, flags);
  const { isSearch, reportSearch } = await import('./search-folder.ts');
  if (isSearch(bundle)) return reportSearch(host, bundle, flags, out);
  const { isDuet, reportDuet } = await import('./duet-folder.ts');
  if (isDuet(bundle)) return reportDuet(host, bundle, flags, out);
  const trials = await readTrials(bundle);
  const bundles = trials === null ? [bundle] : trials.folders.map((name) => join(bundle, name));
  const inputs = bundles.flatMap((one) =>
    ['measurements.json', 'scenario.yaml'].map((name) => join(one, name)),
  );
  const fixed = await openFixedPaths(host, flags, inputs);
  const render = await rendererOf(flags.format, budgets);
  if (trials === null) {
    const run = await judgeBundle(host, bundle, flags, fixed, { out });
    if (render === null) return tellRun(host, run, flags);
    host.stdout.write(render({ reports: [run.report], trials: null }));
    return run.exitCode;
  }
  return reportTrials(host, { root: bundle, ...trials, flags, fixed, render, baseline: null }, (name) =>
    judgeBundle(host, join(bundle, name), flags, [], { out: out === null ? null : join(out, name) }),
  );
}

/** What prints runs in a format; null where none is asked for. */
async function rendererOf(
  format: Format | undefined,
  budgets: BudgetLines | null,
): Promise<((judged: Judged) => string) | null> {
  if (format === undefined) return null;
  const { runInFormat } = await import('../report/run-format.ts');
  return (judged) => runInFormat(format, judged, budgets);
}

/** Judges one bundle again, and writes its reports. */
async function judgeBundle(
  host: Host,
  bundle: string,
  flags: ReportFlags,
  fixed: readonly FixedPath[],
  elsewhere: { readonly out: string | null },
): Promise<Published> {
  const { readBundle, refuseOtherOperations } = await import('../measurement/bundle.ts');
  const { NO_OVERRIDES } = await import('../scenario/overrides.ts');
  const { readScenario } = await import('../scenario/read-scenario.ts');
  const { scenarioHash } = await import('../scenario/resolved.ts');
  const { publish } = await import('./publish.ts');
  const { measurements, scenarioFile, scenarioBytes } = await readBundle(bundle);
  // A resolved scenario holds the text of its claims.
  const read = readScenario(
    { file: scenarioFile, bytes: scenarioBytes },
    { systems: await host.systems(), claims: new Map() },
    NO_OVERRIDES,
  );
  refuseOtherOperations(bundle, measurements, read);
  const judgedBy = scenarioHash(read);
  const scenario = host.redaction.data(read);
  const facts = host.redaction.data(measurements);
  if (judgedBy === facts.scenarioHash) return publish(host, bundle, facts, scenario, flags, fixed, elsewhere);
  // The reports carry the hash of what they were judged by.
  const changed = `scenario.yaml was changed after the run (${facts.scenarioHash.slice(0, 12)}): judged by its present content`;
  host.stderr.write(`warning: ${changed}\n`);
  const noted = { ...facts, scenarioHash: judgedBy, errors: [...facts.errors, changed] };
  return publish(host, bundle, noted, scenario, flags, fixed, elsewhere);
}

import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { badInput } from '../errors.ts';
import type { Host } from '../host.ts';
import type { FromK6Flags } from './execute-from-k6.ts';
import { scenarioOptions, withFixedPaths } from './options.ts';

/** What `capbench report` takes; the scenario's options are for `--from-k6` alone. */
interface ReportFlags extends FromK6Flags {
  readonly fromK6?: readonly string[];
  readonly scenario?: string;
  /** False for `--no-charts`. */
  readonly charts: boolean;
}

const EXAMPLES = `
Examples:
  $ capbench report reports/latest           judge and render the newest run again
  $ capbench report reports/latest --json | jq .outcome
  $ capbench report /archive/run-17 --out verdict
  $ capbench report --scenario quickstart --from-k6 capbench-summary.json
  $ capbench report --scenario quickstart --scale 4 --out verdict --from-k6 summary-*.json
  $ CAPBENCH_RUN=17 k6 run quickstart.js; capbench report --run 17 --scenario quickstart --from-k6 capbench-summary.json

The exit code is the verdict's; 104 when the bundle or a summary cannot be read.
`;

/** `capbench report`: from what was recorded to the verdict and the reports, without a server. */
export const reportCommand = (host: Host): Command =>
  withFixedPaths(
    scenarioOptions(
      new Command('report')
        .description('judge a recorded run, or what plain k6 told of an exported script')
        .argument('[bundle]', 'a folder that `capbench run` left under reports/')
        .addOption(
          new Option(
            '--from-k6 <files...>',
            'summaries of a script of `capbench export`: one of each k6 process',
          ),
        )
        .option(
          '--scenario <name>',
          'the scenario that was exported, with the options that it was exported with',
        )
        .option(
          '--run <name>',
          'take the summaries of no other run: what k6 had as CAPBENCH_RUN (default: CAPBENCH_RUN)',
        )
        .option(
          '--out <folder>',
          'where the reports go (default: into the bundle; those of --from-k6 go nowhere)',
        ),
    ),
  )
    .option('--quiet', 'the verdict alone on stdout, and what keeps it from a pass')
    .option('--full', 'print every figure, and not only those that decide')
    .option('--json', 'print report.json instead of the summary')
    .option('--no-charts', 'leave out the PNG charts')
    .option('--no-color', 'no colours, whatever the terminal')
    .addHelpText('after', EXAMPLES)
    .action(async (folder: string | undefined, flags: ReportFlags) => {
      if (flags.fromK6 !== undefined) {
        const { fromK6, scenario } = flags;
        if (folder !== undefined) {
          throw badInput(
            `report: a bundle (${folder}) and --from-k6 are given, expected one of the two`,
            'write --from-k6 with its files last',
          );
        }
        if (scenario === undefined) {
          throw badInput('report --from-k6: no --scenario is given', 'name the one that was exported');
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

/** A bundle holds its scenario, resolved: an option that changes nothing would be believed. */
function refuseK6Options({ scenario, run, set, scale, duration, seed }: ReportFlags): void {
  const given = Object.entries({ scenario, run, scale, duration, seed }).find(
    ([, value]) => value !== undefined,
  );
  const name = given?.[0] ?? (set.length > 0 ? 'set' : null);
  if (name === null) return;
  throw badInput(`report: --${name} is for --from-k6 alone`, 'a bundle is judged by its own scenario.yaml');
}

async function reportBundle(host: Host, folder: string, flags: ReportFlags) {
  const { readBundle, refuseOtherOperations } = await import('../measurement/bundle.ts');
  const { NO_OVERRIDES } = await import('../scenario/overrides.ts');
  const { readScenario } = await import('../scenario/read-scenario.ts');
  const { scenarioHash } = await import('../scenario/resolved.ts');
  const { openFixedPaths } = await import('./publish.ts');
  const { publish } = await import('./publish.ts');
  const bundle = resolve(host.cwd, folder);
  const inputs = ['measurements.json', 'scenario.yaml'].map((name) => join(bundle, name));
  const fixed = await openFixedPaths(host, flags, inputs);
  const elsewhere = { out: flags.out ? resolve(host.cwd, flags.out) : null };
  const { measurements, scenarioFile, scenarioBytes } = await readBundle(bundle);
  // A resolved scenario has its claims written out: there is nothing to look up.
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
  const changed = `scenario.yaml is not the one that ran (${facts.scenarioHash.slice(0, 12)}): judged by what it says now`;
  host.stderr.write(`warning: ${changed}\n`);
  const noted = { ...facts, scenarioHash: judgedBy, errors: [...facts.errors, changed] };
  return publish(host, bundle, noted, scenario, flags, fixed, elsewhere);
}

import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Host } from '../host.ts';
import type { TellingFlags } from './publish.ts';

const EXAMPLES = `
Examples:
  $ capbench report reports/latest           judge and render the newest run again
  $ capbench report reports/latest --json | jq .outcome

The exit code is the verdict's; 104 when the bundle cannot be read.
`;

/** `capbench report`: from a bundle's measurements and scenario to the verdict and the reports, without a server. */
export const reportCommand = (host: Host): Command =>
  new Command('report')
    .description('judge a recorded run and render its reports again')
    .argument('<bundle>', 'a folder that `capbench run` left under reports/')
    .option('--quiet', 'the verdict alone on stdout')
    .option('--json', 'report.json on stdout instead of the summary')
    .option('--no-color', 'no colours, whatever the terminal')
    .addHelpText('after', EXAMPLES)
    .action(async (folder: string, flags: TellingFlags) => {
      const { checkBudgets } = await import('../judge/budget-check.ts');
      const { readBundle } = await import('../measurement/bundle.ts');
      const { NO_OVERRIDES } = await import('../scenario/overrides.ts');
      const { readScenario } = await import('../scenario/read-scenario.ts');
      const { scenarioHash } = await import('../scenario/resolved.ts');
      const { publish } = await import('./publish.ts');
      const bundle = resolve(host.cwd, folder);
      const { measurements, scenarioFile, scenarioBytes } = await readBundle(bundle);
      // A resolved scenario has its claims written out: there is nothing to look up.
      const read = readScenario(
        { file: scenarioFile, bytes: scenarioBytes },
        new Map(),
        NO_OVERRIDES,
        checkBudgets,
      );
      const judgedBy = scenarioHash(read);
      const scenario = host.redaction.data(read);
      const facts = host.redaction.data(measurements);
      if (judgedBy === facts.scenarioHash) {
        host.exitCode = await publish(host, bundle, facts, scenario, flags);
        return;
      }
      // R1: nothing is re-weighed unsaid. The reports carry the hash of what they were judged by.
      const changed = `scenario.yaml is not the one that ran (${facts.scenarioHash.slice(0, 12)}): judged by what it says now`;
      host.stderr.write(`warning: ${changed}\n`);
      const noted = { ...facts, scenarioHash: judgedBy, errors: [...facts.errors, changed] };
      host.exitCode = await publish(host, bundle, noted, scenario, flags);
    });

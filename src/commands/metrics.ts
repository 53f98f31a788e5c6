import { Command } from 'commander';
import type { Host } from '../host.ts';
import { type ScenarioFlags, scenarioOptions } from './options.ts';

interface MetricsFlags extends ScenarioFlags {
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  $ capbench metrics                        every path that a budget may name
  $ capbench metrics ./my-world.yaml        with its settings, stages and budgets
  $ capbench metrics --json | jq -r '.[] | select(.unit == "ms") | .path'
`;

/** `capbench metrics`: what a budget may be about. */
export const metricsCommand = (host: Host): Command =>
  scenarioOptions(
    new Command('metrics')
      .description('list every metric that a budget may name, with its unit and statistics')
      .argument('[scenario]', 'also what is named in this one: settings, stages, budgets'),
  )
    .option('--json', 'as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string | undefined, { json = false, ...flags }: MetricsFlags) => {
      const { metricsOf, metricsText } = await import('./metric-list.ts');
      const { scenario, metrics } = await metricsOf(host, reference, flags);
      host.stdout.write(json ? `${JSON.stringify(metrics, null, 2)}\n` : metricsText(scenario, metrics));
    });

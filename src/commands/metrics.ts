import { Command } from 'commander';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { type ScenarioFlags, scenarioOptions } from './options.ts';

interface MetricsFlags extends ScenarioFlags {
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  $ capbench metrics                     every metric
  $ capbench metrics ./my-world.yaml     with its settings, stages and budgets
  $ capbench metrics --json | jq -r '.[] | select(.unit == "ms") | .path'
`;

/** `capbench metrics`: the metrics that budgets may name. */
export const metricsCommand = (host: Host): Command =>
  scenarioOptions(
    new Command('metrics')
      .description('list every metric that a budget may name, with its unit and statistics')
      .argument('[scenario]', 'add the settings, stages and budgets of this scenario'),
  )
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string | undefined, { json = false, ...flags }: MetricsFlags) => {
      const { metricsOf, metricsText } = await import('./metric-list.ts');
      const { scenario, metrics } = await metricsOf(host, reference, flags);
      host.stdout.write(json ? jsonText(metrics) : metricsText(scenario, metrics, host.stdout.columns));
    });

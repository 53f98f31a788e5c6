import { Command, Option } from 'commander';
import type { Host } from '../host.ts';
import type { ExportK6Flags } from './execute-export-k6.ts';
import { withScenario } from './scenario-options.ts';

const EXAMPLES = `
Examples:
  $ capbench export k6 quickstart --out quickstart.js
  $ capbench serve quickstart --port 3001        in another terminal: something to load
  $ k6 run quickstart.js                         exit code 99 when a budget is breached
  $ k6 run -e BASE_URLS=http://127.0.0.1:3001,http://127.0.0.1:3002 quickstart.js
`;

/** `capbench export k6`: the load as a k6 script that stands alone. */
export const exportK6Command = (host: Host): Command =>
  withScenario(new Command('k6'))
    .description('a k6 script with the same schedule and, as thresholds, the budgets that k6 can see')
    .addOption(
      new Option('--target <url>', 'a world server, one for each; BASE_URLS names others at run time')
        .argParser((text: string, before: readonly string[]) => [...before, text])
        .default([], 'from http://127.0.0.1:3001 on'),
    )
    .option('--out <file>', 'where the script goes (default: stdout)')
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string, flags: ExportK6Flags) => {
      const { executeExportK6 } = await import('./execute-export-k6.ts');
      await executeExportK6(host, reference, flags);
    });

import { Command } from 'commander';
import type { Host } from '../host.ts';
import type { SearchFlags } from './execute-search.ts';
import {
  ALLOW_START,
  DASHBOARD,
  several,
  withAgents,
  withScenarioUnscaled,
  withTargets,
  withTier,
} from './options.ts';

const EXAMPLES = `
Examples:
  $ capbench search quickstart
  $ capbench search ./my-world.yaml --allow-start --precision 2% --most 5000
  $ capbench search ./my-world.yaml --from 500 --time-limit 15m --confirm 3
  $ capbench search quickstart --tier hetzner-cpx22
  $ capbench search quickstart --resume reports/quickstart-search-20261130T115756Z
  $ capbench search ./my-world.yaml --target ws://127.0.0.1:8080

Exit codes: 0 found, 90 bound not found, 92 acknowledged data was lost at a step,
93 the stack did not start, or the load was lost, 104 bad input, 105 interrupted (go on with --resume).
`;

/** `capbench search`: from a scenario to the largest number of players that keeps every budget. */
export const searchCommand = (host: Host): Command =>
  withTier(withAgents(withTargets(withScenarioUnscaled(new Command('search')))))
    .description('find the largest number of players, with their rates, that keeps every budget')
    .option('--precision <percent>', 'how near last pass and first fail have to be', '5%')
    .option('--confirm <number>', 'trials of the stated number, all of which have to pass', '5')
    .option('--from <players>', "the first number of players (default: the scenario's)")
    .option('--most <players>', 'try no more than these')
    .option('--time-limit <time>', 'what is known by then is stated as an interval', '25m')
    .option('--resume <folder>', 'go on with a search that was interrupted; no finished step is repeated')
    .option('--allow-module', 'load the player module that the scenario names (it is code)')
    .addOption(several('--module-env <name>', 'a variable that the player module gets; repeatable'))
    .option(...ALLOW_START)
    .option('--workers <number>', 'load processes, of each agent (default: by cores and players)')
    .option('--out <folder>', 'folder for the search, with a bundle for each step (default: reports)')
    .option('--summary <file>', 'write summary.md here, too: a comment for a pull request')
    .option('--report <file>', 'write search.html here, too')
    .option(...DASHBOARD)
    .option('--quiet', 'print no steps and no progress, only the result')
    .option('--json', 'print search.json instead of the ladder')
    .option('--no-color', 'print no colours')
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string, flags: SearchFlags) => {
      const { executeSearch } = await import('./execute-search.ts');
      host.exitCode = await executeSearch(host, reference, flags);
    });

import { Command } from 'commander';
import type { Host } from '../host.ts';
import type { SizeFlags } from './execute-size.ts';
import { several, tiersOption } from './options.ts';

const EXAMPLES = `
Examples:
  $ capbench search ./my-world.yaml
  $ capbench size --from reports/my-world-search-20261130T120000Z --players 300
  $ capbench size --from reports/my-world-* --players 300 --budget 25 --currency EUR --rate USD=0.9
  $ capbench size --from reports/latest --players 300 --tiers my-tiers.yaml --json

What is stated is the lower end of what is known. Without a search only "at least" is known of a machine.
The exit code is 0 where one machine or several hold the players, 99 where no number of them does, and 104 for what
cannot be used.
`;

/** `capbench size`: which machines hold so many players, and for how much. */
export const sizeCommand = (host: Host): Command =>
  new Command('size')
    .description('say which machine to rent for so many players, from what was measured, and for how much')
    .requiredOption('--from <bundles...>', 'folders of runs, of --trials and of searches of one scenario')
    .requiredOption('--players <number>', 'how many players at the peak')
    .option('--headroom <percent>', 'share of each machine that stays free at the peak', '30%')
    .option('--average <percent>', 'players on average over a month, of the peak: for the traffic', '100%')
    .option('--budget <amount>', 'leave out what costs more a month')
    .option('--currency <code>', 'in which prices are compared (default: EUR, or the only one of the tiers)')
    .addOption(several('--rate <CODE=rate>', 'what one unit of another currency is: USD=0.9; repeatable'))
    .addOption(tiersOption())
    .addOption(several('--scores <file>', 'scores of a machine that was measured; repeatable'))
    .addOption(several('--tier-scores <ID=file>', 'scores of a rented machine; repeatable'))
    .option('--players-per-session <number>', 'for AWS’s calculator (default: all players of a machine)')
    .option('--html <file>', 'write a page with a chart')
    .option('--csv <file>', 'write the ranked machines as CSV')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: SizeFlags) => {
      const { executeSize } = await import('./execute-size.ts');
      host.exitCode = await executeSize(host, flags);
    });

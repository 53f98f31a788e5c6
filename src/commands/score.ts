import { Command } from 'commander';
import type { Host } from '../host.ts';
import type { ScoreFlags } from './execute-score.ts';

const EXAMPLES = `
Examples:
  $ capbench score
  $ capbench score --out here.json
  $ capbench score --compare rented-box.json
  $ capbench size --from reports/latest --players 300 --scores here.json --tier-scores hetzner-cpx22=rented-box.json

It takes under a minute, on a machine that does nothing else. What a machine does not allow is unmeasured, with exit code 0.
`;

/** `capbench score`: how fast this machine is. */
export const scoreCommand = (host: Host): Command =>
  new Command('score')
    .description('measure how fast this machine is, to compare it with another one')
    .option('--json', 'print JSON')
    .option('--out <file>', 'write the JSON here')
    .option('--compare <file>', 'also print how this machine compares with the one of these scores')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ScoreFlags) => {
      const { executeScore } = await import('./execute-score.ts');
      await executeScore(host, flags);
    });

import { Command } from 'commander';
import type { Host } from '../host.ts';
import type { DuetFlags } from './execute-duet.ts';
import { ALLOW_START, several, withGate, withScenario, withTargets, withTier } from './options.ts';

const EXAMPLES = `
Examples:
  $ capbench duet ./my-world.yaml --allow-start --base-ref main
  $ capbench duet ./my-world.yaml --allow-start --base-ref v1.4.0 --prepare 'npm ci'
  $ capbench duet ./my-world.yaml --allow-start \\
      --base 'node old/server.mjs' --head 'node new/server.mjs' --time-limit 5m
  $ capbench duet ./my-world.yaml --allow-start --base-ref main \\
      --resume reports/my-world-duet-20261130T115756Z

Exit codes: 0 no regression, 91 regression, 90 no conclusion, 92 acknowledged
data was lost, 93 a version did not start, 104 bad input, 105 interrupted (go on
with --resume).
`;

/** `capbench duet`: two versions of a server on one machine, in turn, until the trials would show what the gate asks for. */
export const duetCommand = (host: Host): Command =>
  withGate(withTier(withTargets(withScenario(new Command('duet')))))
    .description('compare two versions of your server on this machine, by trials in turn')
    .option('--base-ref <ref>', 'the base is this branch, tag or commit; the head the working directory')
    .option('--base <command>', 'the base is what this command starts instead of stack.start')
    .option('--head <command>', 'the head is what this command starts')
    .option('--prepare <command>', 'with --base-ref: a shell runs it in both versions first: npm ci')
    .option('--most-trials <number>', 'trials of each version', '40')
    .option('--time-limit <time>', 'what is known by then decides', '15m')
    .option('--retry-invalid <number>', 'make a trial that has no conclusion (90) again, up to so often', '3')
    .option('--resume <folder>', 'go on with a duet that was interrupted; no finished trial is repeated')
    .option('--allow-module', 'load the player module that the scenario names (it is code)')
    .addOption(several('--module-env <name>', 'a variable that the player module gets; repeatable'))
    .option(...ALLOW_START)
    .option('--workers <number>', 'load processes (default: by cores and players)')
    .option('--out <folder>', 'folder for the duet, with a bundle for each trial (default: reports)')
    .option('--summary <file>', 'write summary.md here, too: a comment for a pull request')
    .option('--report <file>', 'write duet.html here, too')
    .option('--quiet', 'print no trials and no progress, only the result')
    .option('--json', 'print comparison.json instead of the summary')
    .option('--no-color', 'print no colours')
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string, flags: DuetFlags) => {
      const { executeDuet } = await import('./execute-duet.ts');
      host.exitCode = await executeDuet(host, reference, flags);
    });

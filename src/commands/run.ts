import { Command, Option } from 'commander';
import type { Host } from '../host.ts';
import { ENGINES } from '../load/engine.ts';
import type { RunFlags } from './execute-run.ts';
import { withFixedPaths, withScenario, withTargets } from './options.ts';

const EXAMPLES = `
Examples:
  $ capbench run quickstart
  $ capbench run m4pro-20k --scale 0.25 --duration 30s
  $ capbench run ./my-world.yaml --set load.players=500 --json
  $ capbench run quickstart --quiet --junit out/junit.xml --summary out/summary.md --report out/report.html
  $ capbench run ./my-world.yaml --allow-module          players of your own: capbench init writes them
  $ capbench run quickstart --target http://127.0.0.1:3001 --target http://127.0.0.1:3002
  $ capbench run quickstart --target http://game.example:3001 --i-own game.example
  $ capbench run quickstart --target wss://game.example --i-own game.example --ca-file ca.pem \\
      --header-env Cookie=GAME_COOKIE --probe-metrics https://game.example/metrics

Exit codes: 0 pass, 99 a budget was breached, 90 no conclusion, 92 acknowledged data was lost,
93 the stack did not start or a target cannot be reached, 104 bad input, 105 interrupted.
`;

/** `capbench run`: from a scenario to a verdict and a bundle of reports. */
export const runCommand = (host: Host): Command =>
  withFixedPaths(withTargets(withScenario(new Command('run'))))
    .description('start the stack, simulate the players, judge the budgets, leave a bundle of reports')
    .addOption(new Option('--engine <name>', 'who makes the load').choices(ENGINES).default('native'))
    .option('--allow-module', 'load the player module that the scenario names: it is code')
    .option('--workers <number>', 'processes that simulate players (default: by cores and players)')
    .option('--out <folder>', 'where the bundle goes (default: reports)')
    .option('--quiet', 'no progress; the verdict alone on stdout, and what keeps it from a pass')
    .option('--full', 'print every figure, and not only those that decide')
    .option('--json', 'print report.json instead of the summary')
    .option('--no-charts', 'leave out the PNG charts')
    .option('--no-color', 'no colours, whatever the terminal')
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string, flags: RunFlags) => {
      const { executeRun } = await import('./execute-run.ts');
      host.exitCode = await executeRun(host, reference, flags);
    });

import { Command, Option } from 'commander';
import type { Host } from '../host.ts';
import { ENGINES } from '../load/engine.ts';
import type { RunFlags } from './execute-run.ts';
import {
  ALLOW_START,
  DASHBOARD,
  several,
  withAgents,
  withFixedPaths,
  withGate,
  withScenario,
  withTargets,
  withTier,
} from './options.ts';

const EXAMPLES = `
Examples:
  $ capbench run quickstart
  $ capbench run m4pro-20k --scale 0.25 -d 30s --full
  $ capbench run ./my-world.yaml --allow-module --players 500
  $ capbench run ./my-world.yaml --allow-start --tier hetzner-cpx22
  $ capbench run ./my-world.yaml --target ws://127.0.0.1:8080
  $ capbench run ./my-world.yaml --target wss://game.example \\
      --i-own game.example --header-env Cookie=GAME_COOKIE \\
      --probe-metrics https://game.example/metrics
  $ capbench run ./my-world.yaml --target http://10.0.0.4:8080 --i-own 10.0.0.4 \\
      --agents 10.0.0.5:7400,10.0.0.6:7400 --agent-token-file token --agent-ca ca.pem
  $ capbench run ./my-world.yaml --allow-start --trials 10 --baseline main
  $ capbench run quickstart --quiet --junit junit.xml --summary summary.md
  $ capbench run quickstart --retry-invalid 2
  $ capbench run quickstart --out prometheus=/var/lib/node_exporter/capbench.prom
  $ capbench run quickstart --out prometheus=http://127.0.0.1:9090/api/v1/write

Exit codes: 0 pass, 99 a budget was breached, 90 no conclusion, 91 worse than the
baseline, 92 acknowledged data was lost, 93 the stack did not start or a target
cannot be reached, 104 bad input, 105 interrupted.
`;

/** `capbench run`: from a scenario to a verdict and a bundle of reports. */
export const runCommand = (host: Host): Command =>
  withGate(withFixedPaths(withTier(withAgents(withTargets(withScenario(new Command('run')))))))
    .description('start the servers, simulate the players, judge the budgets, write the reports')
    .addOption(new Option('--engine <name>', 'load generator').choices(ENGINES).default('native'))
    .option('--allow-module', 'load the player module that the scenario names (it is code)')
    .addOption(several('--module-env <name>', 'a variable that the player module gets; repeatable'))
    .option(...ALLOW_START)
    .option('--workers <number>', 'load processes, of each agent (default: by cores and players)')
    .option('--trials <number>', 'runs of the scenario, each on a fresh stack with a bundle of its own')
    .option('--retry-invalid <number>', 'make a run that has no conclusion (90) again, up to so often')
    .option('--baseline <folder>', 'compare with these recorded trials: a bundle, or a folder of them')
    .addOption(
      several(
        '--out <folder>',
        'folder for the bundle of reports (default: reports); prometheus=FILE or prometheus=URL: the series, too; repeatable',
      ),
    )
    .option(...DASHBOARD)
    .option('--quiet', 'print no progress, only the verdict and why it is no pass')
    .option('--full', 'print every figure, not only the most important ones')
    .option('--json', 'print report.json instead of the summary')
    .option('--no-charts', 'leave out the PNG charts')
    .option('--no-color', 'print no colours')
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string, flags: RunFlags) => {
      const { executeRun } = await import('./execute-run.ts');
      host.exitCode = await executeRun(host, reference, flags);
    });

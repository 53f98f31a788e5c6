import { Command } from 'commander';
import type { Host } from '../host.ts';
import type { ExportK6Flags, ExportK8sFlags } from './execute-export.ts';
import { several, withScenario } from './options.ts';

const K6_EXAMPLES = `
Examples:
  $ capbench export k6 quickstart --out quickstart.js
  $ capbench serve quickstart --port 3001        in another terminal: something to load
  $ k6 run quickstart.js                         exit code 99 when a budget is breached
  $ k6 run -e BASE_URLS=http://127.0.0.1:3001,http://127.0.0.1:3002 quickstart.js
`;

const K8S_EXAMPLES = `
Examples:
  $ capbench export k8s quickstart --target http://world-1:3001 --target http://world-2:3001
  $ capbench export k8s m4pro-20k --target http://world.game.svc:8080/1 ... --parallelism 4 --out k8s

Writes configmap.yaml (the k6 script), testrun.yaml (for the k6-operator) and GUIDE.md. Nothing is started.
`;

const EXAMPLES = `
Examples:
  $ capbench export k6 quickstart --out quickstart.js
  $ capbench export k8s quickstart --target http://world-1:3001 --target http://world-2:3001
`;

/** `capbench export`: a scenario's load for another tool. */
export function exportCommand(host: Host): Command {
  const command = new Command('export').description("a scenario's load, for another tool to make");
  const k6 = withScenario(new Command('k6'))
    .description('a k6 script with the same schedule and, as thresholds, the budgets that k6 can see')
    .addOption(
      several(
        '--target <url>',
        'a world server, one for each; BASE_URLS names others at run time',
        'from http://127.0.0.1:3001 on',
      ),
    )
    .option('--out <file>', 'where the script goes (default: stdout)')
    .addHelpText('after', K6_EXAMPLES)
    .action(async (reference: string, flags: ExportK6Flags) => {
      const { executeExportK6 } = await import('./execute-export.ts');
      await executeExportK6(host, reference, flags);
    });
  const k8s = withScenario(new Command('k8s'))
    .description('write what the k6-operator needs to make the load on a Kubernetes cluster')
    .addOption(
      several('--target <url>', 'a world server as the runners reach it; one for each server', 'none'),
    )
    .option('--parallelism <number>', 'runners of k6 (default: as many as the load needs)')
    .option('--namespace <name>', 'of the cluster', 'default')
    .option(
      '--prometheus <url>',
      'where Prometheus takes remote writes',
      'http://prometheus-operated.monitoring.svc:9090/api/v1/write',
    )
    .option('--out <folder>', 'where the files go (default: capbench-<scenario>-k8s)')
    .addHelpText('after', K8S_EXAMPLES)
    .action(async (reference: string, flags: ExportK8sFlags) => {
      const { executeExportK8s } = await import('./execute-export.ts');
      await executeExportK8s(host, reference, flags);
    });
  return command.addCommand(k6).addCommand(k8s).addHelpText('after', EXAMPLES);
}

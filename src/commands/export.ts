import { Command, Option } from 'commander';
import type { Host } from '../host.ts';
import type { ExportK6Flags, ExportK8sFlags } from './execute-export.ts';
import { several, withScenario } from './options.ts';

const K6_EXAMPLES = `
Examples:
  $ capbench export k6 quickstart --out quickstart.js
  $ capbench serve quickstart --port 3001        in another terminal
  $ k6 run quickstart.js                         99: a budget was breached
  $ k6 run -e BASE_URLS=http://10.0.0.1:3001,http://10.0.0.2:3001 quickstart.js
`;

const K8S_EXAMPLES = `
Examples:
  $ capbench export k8s quickstart --out k8s --parallelism 4 \\
      --target http://world-1:3001 --target http://world-2:3001

Writes configmap.yaml (the k6 script), testrun.yaml (for the k6-operator) and
GUIDE.md. It starts nothing.
`;

const EXAMPLES = `
Examples:
  $ capbench export k6 quickstart --out quickstart.js
  $ capbench export k8s quickstart --target http://world-1:3001 \\
      --target http://world-2:3001
`;

/** `capbench export`: a scenario's load for another tool. */
export function exportCommand(host: Host): Command {
  const command = new Command('export').description(
    'write the load of a scenario for k6, also on Kubernetes',
  );
  const k6 = withScenario(new Command('k6'))
    .description('write a k6 script with the same schedule; budgets become thresholds')
    .addOption(several('--target <url>', 'a world server, repeated for each (default: 127.0.0.1:3001, ...)'))
    .option('--out <file>', 'file for the script (default: stdout)')
    .addHelpText('after', K6_EXAMPLES)
    .action(async (reference: string, flags: ExportK6Flags) => {
      const { executeExportK6 } = await import('./execute-export.ts');
      await executeExportK6(host, reference, flags);
    });
  const k8s = withScenario(new Command('k8s'))
    .description('write manifests for the k6-operator on a Kubernetes cluster')
    .addOption(several('--target <url>', 'a world server as the runners reach it; repeated for each'))
    .option('--parallelism <number>', 'k6 runners (default: as many as the load needs)')
    .option('--namespace <name>', 'namespace in the cluster', 'default')
    .addOption(
      new Option('--prometheus <url>', 'remote write URL of Prometheus').default(
        'http://prometheus-operated.monitoring.svc:9090/api/v1/write',
        'prometheus-operated in namespace monitoring',
      ),
    )
    .option('--out <folder>', 'folder for the files (default: capbench-<scenario>-k8s)')
    .addHelpText('after', K8S_EXAMPLES)
    .action(async (reference: string, flags: ExportK8sFlags) => {
      const { executeExportK8s } = await import('./execute-export.ts');
      await executeExportK8s(host, reference, flags);
    });
  return command.addCommand(k6).addCommand(k8s).addHelpText('after', EXAMPLES);
}

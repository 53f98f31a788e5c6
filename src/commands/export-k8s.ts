import { Command, Option } from 'commander';
import type { Host } from '../host.ts';
import type { ExportK8sFlags } from './execute-export-k8s.ts';
import { withScenario } from './scenario-options.ts';

const EXAMPLES = `
Examples:
  $ capbench export k8s quickstart --target http://world-1:3001 --target http://world-2:3001
  $ capbench export k8s m4pro-20k --target http://world.game.svc:8080/1 ... --parallelism 4 --out k8s

Writes configmap.yaml (the k6 script), testrun.yaml (for the k6-operator) and GUIDE.md. Nothing is started.
`;

/** `capbench export k8s`: a scenario as what the k6-operator runs. */
export const exportK8sCommand = (host: Host): Command =>
  withScenario(new Command('k8s'))
    .description('write what the k6-operator needs to make the load on a Kubernetes cluster')
    .addOption(
      new Option('--target <url>', 'a world server as the runners reach it; one for each server')
        .argParser((text: string, before: readonly string[]) => [...before, text])
        .default([], 'none'),
    )
    .option('--parallelism <number>', 'runners of k6 (default: as many as the load needs)')
    .option('--namespace <name>', 'of the cluster', 'default')
    .option(
      '--prometheus <url>',
      'where Prometheus takes remote writes',
      'http://prometheus-operated.monitoring.svc:9090/api/v1/write',
    )
    .option('--out <folder>', 'where the files go (default: capbench-<scenario>-k8s)')
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string, flags: ExportK8sFlags) => {
      const { executeExportK8s } = await import('./execute-export-k8s.ts');
      await executeExportK8s(host, reference, flags);
    });

import { stringify } from 'yaml';
import { badInput } from '../../errors.ts';
import type { Deployment } from './deployment.ts';

/** The version for which the script is written and tested. */
const IMAGE = 'grafana/k6:2.2.0';
const SCRIPT_FILE = 'script.js';
/** Kubernetes takes 1 MiB of data in a ConfigMap; names and labels need a little. */
const MOST_SCRIPT_BYTES = 2 ** 20 - 4096;

/** The script then writes its summary as one line of stdout: a runner's files end with its pod. */
const SUMMARY_ON_STDOUT = 'CAPBENCH_SUMMARY=stdout';

const configMapOf = ({ name }: Deployment): string => `${name}-script`;

const labels = { 'app.kubernetes.io/managed-by': 'capbench' };

/** The ConfigMap that holds the script. @throws CapbenchError (104) when it does not fit into one */
export function configMap(deployment: Deployment, script: string): string {
  const bytes = Buffer.byteLength(script);
  if (bytes > MOST_SCRIPT_BYTES) {
    throw badInput(
      `the k6 script has ${bytes} bytes, and a ConfigMap holds ${MOST_SCRIPT_BYTES}`,
      'capbench export k6 writes the script alone: put it on a volume (spec.script.volumeClaim)',
    );
  }
  return yaml({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configMapOf(deployment), namespace: deployment.namespace, labels },
    data: { [SCRIPT_FILE]: script },
  });
}

/**
 * The TestRun: the operator starts as many runners, and gives each its `--execution-segment`. Arguments reach the
 * initializer too, which reads the script; it is not given the runners' environment. A runner's thresholds would judge
 * its own share as if it were the whole: several have none, and their summaries are judged together.
 */
export function testRun(deployment: Deployment): string {
  const { name, namespace, parallelism, targets, prometheus, cpuMillicores, memoryMegabytes } = deployment;
  const memory = `${memoryMegabytes}Mi`;
  return yaml({
    apiVersion: 'k6.io/v1alpha1',
    kind: 'TestRun',
    metadata: { name, namespace, labels },
    spec: {
      parallelism,
      script: { configMap: { name: configMapOf(deployment), file: SCRIPT_FILE } },
      arguments: [
        '--out experimental-prometheus-rw',
        `--tag testid=${name}`,
        `--env BASE_URLS=${targets.join(',')}`,
        `--env ${SUMMARY_ON_STDOUT}`,
        ...(parallelism === 1 ? [] : ['--no-thresholds']),
      ].join(' '),
      runner: {
        image: IMAGE,
        env: [
          { name: 'K6_PROMETHEUS_RW_SERVER_URL', value: prometheus },
          // Percentiles of several runners can be had of histograms alone.
          { name: 'K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM', value: 'true' },
        ],
        resources: { requests: { cpu: `${cpuMillicores}m`, memory }, limits: { memory } },
      },
    },
  });
}

const yaml = (document: object): string => stringify(document, { lineWidth: 0, blockQuote: 'literal' });

import { stringify } from 'yaml';
import { badInput } from '../../errors.ts';
import { type K6System, playerUsersOf } from '../../load/k6/k6-system.ts';
import { trendOf } from '../../load/k6/metrics.ts';
import { ofOperation } from '../../scenario/operations.ts';
import type { Workload } from '../../scenario/workload.ts';
import { micros, toSeconds } from '../../units.ts';

/** How a k6 script runs on a cluster, apart from the script. */
interface Deployment {
  /** Of the TestRun; the other names are made of it. */
  readonly name: string;
  readonly namespace: string;
  /** Runners of k6: each gets an equal segment of the virtual users. */
  readonly parallelism: number;
  /** World servers as the runners reach them. */
  readonly targets: readonly string[];
  /** Where Prometheus takes remote writes. */
  readonly prometheus: string;
  /** What there is to deal: in words. */
  readonly users: string;
  /** Of one runner. */
  readonly cpuMillicores: number;
  readonly memoryMegabytes: number;
}

/** What is given; the rest follows from the load. */
export interface DeploymentOptions extends Pick<Deployment, 'namespace' | 'targets' | 'prometheus'> {
  /** Null: as many as the load needs. */
  readonly parallelism: number | null;
}

/** What k6 2.2 took of us: CPU for a round trip, and memory for a virtual user that holds a WebSocket. */
const MICROS_PER_ROUND_TRIP = 180;
const MEGABYTES_PER_PLAYER = 0.4;
const MEGABYTES_OF_K6 = 200;
/** A runner is given no more than it holds without being late: some 0.8 cores' work. */
const MOST_ROUND_TRIPS = 4500;
const MOST_PLAYERS = 5000;
/** The script, with the name of the runner behind it, has to fit into a label of 63. */
const LONGEST_NAME = 48;

/** @throws CapbenchError (104) when there are more runners than virtual users of a kind to deal to them */
export function deploymentOf(
  scenario: string,
  system: K6System,
  workload: Workload,
  { parallelism, ...given }: DeploymentOptions,
): Deployment {
  const { players } = workload;
  const perRequest = system.perRequest(workload);
  const roundTrips = workload.operations.reduce(
    (sum, { id, perSecond }) => sum + perSecond / ofOperation(perRequest, id),
    0,
  );
  const others = system.others(workload);
  const kinds = [
    { count: playerUsersOf(workload), label: 'blocks of players' },
    ...(others === null ? [] : [others]),
  ];
  const fewest = kinds.reduce((least, kind) => (kind.count < least.count ? kind : least));
  const most = fewest.count;
  if (parallelism !== null && parallelism > most) {
    throw badInput(
      `--parallelism ${parallelism}: there are ${most} ${fewest.label} to deal, and a runner without any would have nothing to do`,
      `at most ${most}; what acts in order is not divided`,
    );
  }
  const needed = Math.max(1, Math.ceil(roundTrips / MOST_ROUND_TRIPS), Math.ceil(players / MOST_PLAYERS));
  const runners = parallelism ?? Math.min(most, needed);
  return {
    ...given,
    name: `capbench-${scenario}`.slice(0, LONGEST_NAME).replace(/-+$/, ''),
    parallelism: runners,
    users: kinds.map(({ label }) => label).join(' and '),
    cpuMillicores: Math.max(500, upTo(100, (roundTrips / runners) * (MICROS_PER_ROUND_TRIP / 1e3))),
    memoryMegabytes: upTo(64, MEGABYTES_OF_K6 + Math.ceil(players / runners) * MEGABYTES_PER_PLAYER),
  };
}

const upTo = (step: number, value: number): number => step * Math.ceil(value / step);

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
      'capbench export k6 writes only the script: put it on a volume (spec.script.volumeClaim)',
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
        ...(parallelism === 1 ? [] : ['--env CAPBENCH_THRESHOLDS=none']),
      ].join(' '),
      runner: {
        image: IMAGE,
        env: [
          { name: 'K6_PROMETHEUS_RW_SERVER_URL', value: prometheus },
          // Percentiles of several runners need histograms.
          { name: 'K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM', value: 'true' },
        ],
        resources: { requests: { cpu: `${cpuMillicores}m`, memory }, limits: { memory } },
      },
    },
  });
}

const yaml = (document: object): string => stringify(document, { lineWidth: 0, blockQuote: 'literal' });

export const FILES = { configMap: 'configmap.yaml', testRun: 'testrun.yaml', guide: 'GUIDE.md' } as const;

interface GuideSubject {
  readonly workload: Workload;
  /** As it was given to `capbench export`: a name, or a path. */
  readonly reference: string;
  /** The options that `capbench report` needs to judge the same scenario. */
  readonly flags: readonly string[];
}

/** What to do with the two files, for a reader who has a cluster and has not read capbench's README. */
export function guide(deployment: Deployment, subject: GuideSubject): string {
  const { name, namespace, parallelism, targets, prometheus, users } = deployment;
  const { players, operations, timeline } = subject.workload;
  const example = (operations.find(({ perSecond }) => perSecond > 0) ?? operations[0])?.id ?? '';
  const rate = operations.reduce((sum, { perSecond }) => sum + perSecond, 0);
  const inNamespace = `-n ${namespace}`;
  const scenario = [subject.reference, ...subject.flags].map(quoted).join(' ');
  const shares = parallelism === 1 ? 'one runner' : `${parallelism} runners`;
  return `# ${name}: k6 on Kubernetes

${players.toLocaleString('en-US')} players and ${Math.round(rate).toLocaleString('en-US')} operations a second for ${toSeconds(micros(timeline.end - timeline.measureStart))} s, by ${shares} of k6, against

${targets.map((target) => `    ${target}`).join('\n')}

## Before

- The [k6-operator](https://grafana.com/docs/k6/latest/set-up/set-up-distributed-k6/) in the cluster: it brings TestRun.
- Servers that the runners reach at these addresses, every one of the world, started for this scenario and scale.
- Prometheus that takes remote writes and native histograms (\`--web.enable-remote-write-receiver
  --enable-feature=native-histograms\`) at ${prometheus}.
- Room: each runner asks for ${deployment.cpuMillicores}m CPU and ${deployment.memoryMegabytes}Mi. Put them on nodes without a world server; \`spec.separate: true\`
  in ${FILES.testRun} demands a node for each.

## Run

    kubectl create namespace ${namespace} --dry-run=client -o yaml | kubectl apply -f -
    kubectl apply -f ${FILES.configMap} -f ${FILES.testRun}
    kubectl get testrun ${name} ${inNamespace} --watch        # until its stage is "finished"

## Judge

Each runner ends with its summary as a line of its log. All of them make the verdict:

    for pod in $(kubectl get pods ${inNamespace} -l k6_cr=${name},runner=true -o name); do
      kubectl logs $pod ${inNamespace} | grep '^{"capbench"' > summary-$(basename $pod).json
    done
    capbench report --scenario ${scenario} --from-k6 summary-*.json

Exit code 0 when every budget that a load generator can see was met, 99 when one was breached, 90 without a conclusion:
also when a runner's summary is missing.

    kubectl delete -f ${FILES.testRun} -f ${FILES.configMap}

## What to know

- Virtual users (${users}) are dealt by k6's execution segments: the script numbers them by
  \`exec.scenario.iterationInTest\`, which k6 keeps unique over all runners, so each player is played once. None of them
  is ever divided, so there can be no more runners than virtual users.
- Each runner fixes its own GO, and connects its own players before it. The operator starts them together, within a second
  or so: the ramp and the end of the measure phase are as much less sharp.
- A percentile of several runners is not the mean of theirs. The summaries hold histograms, which \`capbench report\` adds up:
  its percentiles are those of all operations. In Prometheus, add histograms, too:
  \`histogram_quantile(0.95, sum(rate(k6_${trendOf(example, 'due')}_seconds{testid="${name}"}[1m])))\`.
${
  parallelism === 1
    ? '- The budgets that k6 can see are thresholds of the script: the runner ends with exit code 99 when one is crossed.'
    : "- Thresholds are off (`CAPBENCH_THRESHOLDS=none`): a runner's would judge its own share as if it were the whole."
}
- Whether a runner was short of CPU shows in \`capbench_*_own_lag\` only. The rules of a run that need more than a summary
  (steady state, steal, the rows in the database) cannot be checked, and the verdict says so.
- Another count of runners, another target: edit ${FILES.testRun}, or export again. A ConfigMap holds 1 MiB.
`;
}

/** For a shell. */
const quoted = (word: string): string =>
  /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

import { trendOf } from '../../load/k6/metrics.ts';
import type { Workload } from '../../scenario/workload.ts';
import { micros, toSeconds } from '../../units.ts';
import type { Deployment } from './deployment.ts';

export const FILES = { configMap: 'configmap.yaml', testRun: 'testrun.yaml', guide: 'GUIDE.md' } as const;

interface GuideSubject {
  readonly workload: Workload;
  /** As it was given to `capbench export`: a name, or a path. */
  readonly reference: string;
  /** What has to be said again to `capbench report`, so that it judges the same scenario. */
  readonly flags: readonly string[];
}

/** What to do with the two files, for somebody who has a cluster and has not read our README. */
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
  is ever divided; more runners than there are of them make no sense.
- Each runner fixes its own GO, and connects its own players before it. The operator starts them together, within a second
  or so: the ramp and the end of the measure phase are as much less sharp.
- A percentile of several runners is not the mean of theirs. \`capbench report\` rules a latency budget by the share of
  all operations within its limit, which can be added up; other percentiles are known to lie between the lowest and the
  highest runner's, and a budget that falls in between is \`unmeasured\`. In Prometheus, add histograms:
  \`histogram_quantile(0.95, sum(rate(k6_${trendOf(example, 'due')}_seconds{testid="${name}"}[1m])))\`.
${
  parallelism === 1
    ? '- The budgets that k6 can see are thresholds of the script: the runner ends with exit code 99 when one is crossed.'
    : "- Thresholds are off (`--no-thresholds`): a runner's would judge its own share as if it were the whole."
}
- The operator's runners do not tell whether they were late for want of CPU, but for \`capbench_*_own_lag\`; the rules of a
  run that need more than a summary (steady state, steal, the rows in the database) cannot be checked, and the verdict
  says so.
- Another count of runners, another target: edit ${FILES.testRun}, or export again. A ConfigMap holds 1 MiB.
`;
}

/** For a shell. */
const quoted = (word: string): string =>
  /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

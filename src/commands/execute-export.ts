import { lstat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { targetUrl } from '../address/target-address.ts';
import { badInput, codeOf, messageOf } from '../errors.ts';
import { k6Script } from '../export/k6/script.ts';
import { configMap, deploymentOf, FILES, guide, testRun } from '../export/k8s/deployment.ts';
import type { Host } from '../host.ts';
import { type ScenarioFlags, wholeNumber } from './options.ts';
import { writeArtefacts } from './publish.ts';
import { k6ModulesOf, k6PlanOf, loadScenario } from './scenario-files.ts';
import { nearby } from './shown-path.ts';

/** The options of `capbench export k8s`, as given. */
export interface ExportK8sFlags extends ScenarioFlags {
  readonly target: readonly string[];
  readonly parallelism?: string;
  readonly namespace: string;
  readonly prometheus: string;
  readonly out?: string;
}

const MOST_RUNNERS = 1000;
/** RFC 1123. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Writes the three files; overwrites none. */
export async function executeExportK8s(host: Host, reference: string, flags: ExportK8sFlags): Promise<void> {
  const { scenario, system } = await loadScenario(host, reference, flags);
  const { part, workload } = k6PlanOf(system, scenario);
  const modules = await k6ModulesOf(host, system);
  const targets = targetsOf(flags.target);
  const deployment = deploymentOf(scenario.name, part, workload, {
    namespace: namespaceOf(flags.namespace),
    parallelism:
      flags.parallelism === undefined ? null : wholeNumber('--parallelism', flags.parallelism, MOST_RUNNERS),
    targets,
    prometheus: prometheusOf(flags.prometheus),
  });
  const folder = resolve(host.cwd, flags.out || `capbench-${scenario.name}-k8s`);
  const files = [
    [
      FILES.configMap,
      configMap(deployment, k6Script({ system: part, modules }, workload, scenario, targets)),
    ],
    [FILES.testRun, testRun(deployment)],
    [FILES.guide, guide(deployment, { workload, reference, flags: flagsOf(flags) })],
  ] as const;
  for (const [name] of files) await refuseToOverwrite(join(folder, name));
  await writeArtefacts(host, folder, files);
  const shown = nearby(host, folder);
  host.stdout.write(files.map(([name]) => `${join(shown, name)}\n`).join(''));
}

/** The options that change the scenario, and so its hash, as given. */
const flagsOf = ({ set, ...flags }: ExportK8sFlags): string[] => [
  ...set.flatMap((text) => ['--set', text]),
  ...(['players', 'scale', 'duration', 'seed'] as const).flatMap((name) => {
    const value = flags[name];
    return value === undefined ? [] : [`--${name}`, value];
  }),
];

function targetsOf(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) {
    throw badInput(
      'export k8s: --target is missing: the runners need the address of each world server',
      'name each as a pod of the cluster reaches it: --target http://world-1.game.svc:3001',
    );
  }
  return texts.map((text) => oneWord('--target', targetUrl(text)));
}

/** The operator splits arguments at spaces, and the script its targets at commas. */
function oneWord(option: string, url: string): string {
  if (/[\s,]/.test(url)) throw badInput(`${option}: got "${url}", expected a URL without spaces and commas`);
  return url;
}

/** It becomes part of a manifest: credentials belong in a secret of the cluster. */
function prometheusOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const whole = url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '';
  if (!whole || url.username !== '' || url.password !== '' || url.search !== '') {
    throw badInput(
      '--prometheus: expected an http or https URL without user, password and query',
      'such as http://prometheus.monitoring.svc:9090/api/v1/write; put credentials into the environment of spec.runner',
    );
  }
  return oneWord('--prometheus', url.href);
}

function namespaceOf(text: string): string {
  if (LABEL.test(text)) return text;
  throw badInput(
    `--namespace: got "${text}", expected a name of up to 63 lower-case letters, digits and '-'`,
  );
}

async function refuseToOverwrite(path: string): Promise<void> {
  const there = await lstat(path).catch(() => null);
  if (there === null) return;
  throw badInput(`${path} already exists`, 'name another folder (--out), or remove it');
}

/** The options of `capbench export k6`, as given. */
export interface ExportK6Flags extends ScenarioFlags {
  readonly target: readonly string[];
  readonly out?: string;
}

const FIRST_PORT = 3001;

/** The servers that the script uses without BASE_URLS. */
const baseUrlsOf = (targets: readonly string[], servers: number): readonly string[] =>
  targets.length > 0
    ? targets.map(targetUrl)
    : Array.from({ length: servers }, (_, index) => `http://127.0.0.1:${FIRST_PORT + index}`);

/** Writes the script to a file, or to stdout. */
export async function executeExportK6(host: Host, reference: string, flags: ExportK6Flags): Promise<void> {
  const { scenario, system } = await loadScenario(host, reference, flags);
  const urls = baseUrlsOf(flags.target, scenario.world.servers);
  const { part, workload } = k6PlanOf(system, scenario);
  const modules = await k6ModulesOf(host, system);
  const script = host.redaction.text(
    k6Script({ system: part, modules }, workload, scenario, urls),
    'document',
  );
  if (flags.out === undefined) {
    host.stdout.write(script);
    return;
  }
  const path = resolve(host.cwd, flags.out);
  try {
    // The user may have edited an earlier script.
    await writeFile(path, script, { flag: 'wx' });
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST') {
      throw badInput(
        `--out: ${flags.out} already exists, and is not overwritten`,
        'name another file, or remove it',
      );
    }
    throw badInput(
      `--out: ${flags.out} cannot be written: ${messageOf(thrown)}`,
      'name a file in an existing folder',
    );
  }
  const serve = flags.target.length === 0 ? `capbench serve ${reference} --port ${FIRST_PORT}, then ` : '';
  host.stderr.write(`${flags.out}: ${serve}k6 run ${flags.out}\n`);
}

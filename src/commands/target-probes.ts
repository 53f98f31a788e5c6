import { type ProbeUrl, parseProbeUrl } from '../address/probe-address.ts';
import { type ProcessAddress, parseProcess } from '../address/process-address.ts';
import type { Target } from '../address/target-address.ts';
import { badInput } from '../errors.ts';
import type { Host } from '../host.ts';

/** The addresses of a target's probes, as given. */
export interface ProbeFlags {
  readonly probePostgres?: string;
  readonly probeRedis?: string;
  readonly probeMetrics: readonly string[];
  readonly probeProcess: readonly string[];
}

const MOST_METRICS = 16;

/**
 * The addresses of a target's probes, from the options or else from the environment. Their secrets are registered with
 * the redaction. Bad input (104) for an invalid address, and without a target.
 */
export function readProbeUrls(
  host: Host,
  flags: Omit<ProbeFlags, 'probeProcess'>,
  hasTargets: boolean,
): readonly ProbeUrl[] {
  const given = [
    ...asGiven(host, 'postgres', flags.probePostgres === undefined ? [] : [flags.probePostgres]),
    ...asGiven(host, 'redis', flags.probeRedis === undefined ? [] : [flags.probeRedis]),
    ...asGiven(host, 'metrics', flags.probeMetrics),
  ];
  const [first] = given;
  if (first !== undefined && !hasTargets) throw withoutTarget(first.source);
  const metrics = given.filter(({ kind }) => kind === 'metrics');
  if (metrics.length > MOST_METRICS) {
    throw badInput(`got ${metrics.length} metrics pages, expected ${MOST_METRICS} at most`);
  }
  const urls = given.map(({ kind, text, source }) => parseProbeUrl(kind, text, source));
  const pages = urls.filter(({ kind }) => kind === 'metrics').map(({ url }) => url);
  const samePage = (a: URL, b: URL): boolean =>
    a.origin === b.origin && a.pathname === b.pathname && a.search === b.search;
  const twice = pages.find((page, i) => pages.findIndex((other) => samePage(page, other)) < i);
  if (twice !== undefined) {
    throw badInput(
      `the metrics page ${twice.origin}${twice.pathname} is given twice: its counts would be added up twice`,
      'name each page once',
    );
  }
  return urls;
}

const withoutTarget = (source: string): Error =>
  badInput(
    `${source} is given without --target`,
    'servers that capbench starts are probed anyway: name a server that runs already with --target, or remove the probe',
  );

const MOST_PROCESSES = 16;

/**
 * The processes to watch, from `--probe-process` or else from CAPBENCH_PROBE_PROCESS. Bad input (104) for an invalid or
 * repeated name, and unless every target is on this host. The component that a command starts is watched anyway.
 */
export function readProcesses(
  host: Host,
  { probeProcess }: ProbeFlags,
  targets: readonly Target[],
  component: string | null = null,
): readonly ProcessAddress[] {
  // Without /proc no process can be watched.
  const started: readonly ProcessAddress[] =
    component === null || host.machine.platform !== 'linux' ? [] : [{ name: component, by: 'component' }];
  const fromFlags = probeProcess.length > 0;
  const source = fromFlags ? '--probe-process' : 'CAPBENCH_PROBE_PROCESS';
  const texts = (fromFlags ? probeProcess : (host.env.CAPBENCH_PROBE_PROCESS ?? '').split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (texts.length === 0) return started;
  if (targets.length === 0) throw withoutTarget(source);
  const elsewhere = targets.find(({ onThisHost }) => !onThisHost);
  if (elsewhere !== undefined) {
    throw badInput(
      `${source}: the target ${elsewhere.host} is another host, and processes can only be watched on this one`,
      'run capbench on that host with a loopback --target, or watch its metrics with --probe-metrics',
    );
  }
  if (texts.length > MOST_PROCESSES) {
    throw badInput(`${source}: got ${texts.length} processes, expected ${MOST_PROCESSES} at most`);
  }
  const processes = [...started, ...texts.map((text) => parseProcess(text, source, host.cwd))];
  const names = processes.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    throw badInput(`${source}: the name ${twice} is given twice, expected once`, 'give each process its own');
  }
  return processes;
}

interface Given {
  readonly kind: ProbeUrl['kind'];
  readonly text: string;
  readonly source: string;
}

function asGiven(host: Host, kind: ProbeUrl['kind'], flags: readonly string[]): readonly Given[] {
  const variable = `CAPBENCH_PROBE_${kind.toUpperCase()}`;
  const value = host.env[variable] ?? '';
  const fromFlags = flags.length > 0;
  const texts = fromFlags ? flags : kind === 'metrics' ? value.split(',') : [value];
  const source = fromFlags ? `--probe-${kind}` : variable;
  const found = texts.map((text) => text.trim()).filter((text) => text !== '');
  for (const text of found) hide(host, kind, text, source);
  return found.map((text) => ({ kind, text, source }));
}

/** Registers user, password and other possible secrets, before the text is known to be an address. */
export function hide(
  { redaction }: Pick<Host, 'redaction'>,
  kind: ProbeUrl['kind'],
  text: string,
  source: string,
): void {
  redaction.learn(text, source);
  if (!URL.canParse(text)) return;
  const { username, password, searchParams } = new URL(text);
  for (const secret of [password, `${username}:${password}`])
    if (password !== '') redaction.add(secret, source);
  // On a metrics page a user without a password may be a token.
  if (kind === 'metrics' && password === '') redaction.add(username, source);
  for (const [name, value] of searchParams) {
    if (!/^(?:host|port|ssl.*|uselibpqcompat)$/.test(name)) redaction.add(value, source);
  }
}

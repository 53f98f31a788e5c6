import { z } from 'zod';
import { badInput } from '../errors.ts';
import { issueOf, jsonIn } from '../json-document.ts';
import { asBox, emulatedTierSchema } from '../measurement/emulated-tier.ts';
import { gateSchema } from '../scenario/gate.ts';

const number = z.number().nullable().catch(null);
const mean = z.object({ mean: number }).catch({ mean: null });
const text = z.string();

/** The parts of report.json that are compared. A figure that is not there reads as null, as one that was not measured. */
const trialSchema = z.object({
  schemaVersion: z.literal(1),
  capbench: text,
  scenario: text,
  // Reports of earlier versions do not say it.
  system: text.catch(''),
  outcome: z.enum(['pass', 'fail', 'invalid']),
  exitCode: z.int(),
  headline: text,
  startedAt: z.iso.datetime(),
  commit: text.nullable().catch(null),
  seed: z.number(),
  scenarioHash: text,
  conditions: z.record(text, text).optional(),
  gate: gateSchema.optional(),
  tier: emulatedTierSchema.optional(),
  load: z.object({
    requestedCcu: z.number(),
    scale: z.number(),
    colocated: z.boolean(),
    operations: z.record(
      text,
      z.object({
        ...{ scheduled: z.number(), ok: z.number(), rejected: z.number() },
        // Reports of earlier versions do not say it.
        idle: z.number().catch(0),
      }),
    ),
  }),
  latency: z.record(text, z.object({ due: z.object({ p95: number, p99: number }) })).catch({}),
  throughput: z.looseObject({ operationsPerSecond: number, rowWritesPerSecond: number }),
  network: z.object({ bytesPerSecond: number }),
  world: z.object({ servers: z.number(), cpuPercentTotal: mean, memoryTotalBytes: mean }),
  database: z.object({ cpuCores: mean, memoryBytes: mean, rowWritesPerSecond: number }),
  redis: z.object({ cpuCores: mean, memoryBytes: mean }),
  target: z.object({ process: z.record(text, z.object({ cpuPercentOfCore: mean, memoryBytes: mean })) }),
  limits: z
    .record(text, z.object({ cpus: number, memoryBytes: number }))
    .optional()
    .catch(undefined),
  generator: z.object({ engine: text, agents: z.array(z.unknown()).catch([]) }),
  host: z.object({
    ...{ cpuModel: text, cpus: z.number(), platform: text, arch: text, kernel: text },
    ...{ node: text, nodeMajor: z.number() },
  }),
  stack: z.object({ kind: text, applied: z.record(text, text) }),
});
type Reported = z.output<typeof trialSchema>;

/** One run as a comparison sees it. The unit of repetition is a freshly started stack. */
export interface Trial {
  /** Where it was read: the folder of its bundle, as it is shown. */
  readonly name: string;
  readonly scenario: string;
  readonly system: string;
  /** `invalid`: it has no conclusion, and no part in a comparison. */
  readonly outcome: Reported['outcome'];
  readonly exitCode: number;
  readonly headline: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly commit: string | null;
  readonly seed: number;
  /**
   * What two trials must have in common to be compared, each by a name for sentences (`CPU`, `setting shared_buffers`,
   * `scenario: load`): machine, limits, versions, settings, and the scenario but for its name, seed, budgets and rules, and
   * the command that starts the server.
   */
  readonly identity: Readonly<Record<string, string>>;
  /** What may differ and is said then: `capbench`, `Node`, `kernel`, `PostgreSQL release`. */
  readonly versions: Readonly<Record<string, string>>;
  /** By the names of metric.ts, in its units; what the run did not measure is not there. */
  readonly metrics: Readonly<Record<string, number>>;
  /** `gate:` of its scenario; null: it has none. */
  readonly gate: z.output<typeof gateSchema> | null;
}

const HINT = 'name a folder that `capbench run` wrote, or that of --trials';
/** The documents that capbench writes besides report.json, by their `kind`. */
const OTHER_KINDS: Readonly<Record<string, string>> = {
  search: 'of a search, whose steps have different loads',
  sizing: 'a sizing',
  comparison: 'a comparison',
  score: 'scores of a machine',
};

/**
 * Reads report.json.
 * @param where the file or its folder, for the messages and `Trial.name`
 * @throws CapbenchError (104) that says what is wrong with it, or what else it is
 */
export function readTrial(content: string | Uint8Array, where: string): Trial {
  const document = jsonIn(content, where, HINT);
  const kind = typeof document === 'object' && document !== null && 'kind' in document ? document.kind : null;
  if (typeof kind === 'string')
    throw badInput(`${where} is no run: it is ${OTHER_KINDS[kind] ?? `a document of kind ${kind}`}`, HINT);
  const read = trialSchema.safeParse(document);
  if (!read.success)
    throw badInput(`${where} is not of a run that this capbench can compare: ${issueOf(read.error)}`, HINT);
  const { scenario, system, outcome, exitCode, headline, startedAt, commit, seed, gate = null } = read.data;
  return {
    ...{ name: where, scenario, system, outcome, exitCode, headline, startedAt, commit, seed, gate },
    identity: identityOf(read.data),
    versions: versionsOf(read.data),
    metrics: metricsOf(read.data),
  };
}

/** A run without a conclusion says nothing of either version. */
export const isValid = ({ outcome }: Pick<Trial, 'outcome'>): boolean => outcome !== 'invalid';

/** The CPU of a component in microseconds for each acknowledged operation, and so on: means of the measure phase. */
function metricsOf(report: Reported): Readonly<Record<string, number>> {
  const { load, latency, throughput, network, world, database, redis, target } = report;
  const { operationsPerSecond } = throughput;
  const processes = Object.entries(target.process);
  const perOperation = (perSecond: number | null): number | null =>
    perSecond === null || !operationsPerSecond ? null : perSecond / operationsPerSecond;
  const perPlayer = (bytes: number | null): number | null =>
    bytes === null || load.requestedCcu === 0 ? null : bytes / load.requestedCcu;
  const serverPercent = world.cpuPercentTotal.mean;
  const cores: readonly (readonly [component: string, cores: number | null])[] = [
    ['servers', serverPercent === null ? null : (serverPercent / 100) * world.servers],
    ['database', database.cpuCores.mean],
    ['redis', redis.cpuCores.mean],
    ...processes.map(
      ([name, { cpuPercentOfCore: of }]) => [name, of.mean === null ? null : of.mean / 100] as const,
    ),
  ];
  const memory: readonly (readonly [component: string, bytes: number | null])[] = [
    ['servers', world.memoryTotalBytes.mean],
    ['database', database.memoryBytes.mean],
    ['redis', redis.memoryBytes.mean],
    ...processes.map(([name, { memoryBytes: of }]) => [name, of.mean] as const),
  ];
  const operations = Object.values(load.operations);
  const due = operations.reduce((sum, { scheduled, idle }) => sum + scheduled - idle, 0);
  const answered = operations.reduce((sum, { ok, rejected }) => sum + ok + rejected, 0);
  const all: readonly (readonly [name: string, value: number | null])[] = [
    ...cores.map(([name, used]) => [`cpuPerOperation.${name}`, perOperation(used && 1e6 * used)] as const),
    ['answeredPercent', due === 0 ? null : (100 * answered) / due],
    // What PostgreSQL counts comes before what the servers say of themselves.
    ['rowWritesPerOperation', perOperation(database.rowWritesPerSecond ?? throughput.rowWritesPerSecond)],
    ['bytesPerOperation', perOperation(network.bytesPerSecond)],
    ...memory.map(([name, bytes]) => [`memoryPerPlayer.${name}`, perPlayer(bytes)] as const),
    ['operationsPerSecond', operationsPerSecond],
    ...Object.entries(latency).flatMap(([operation, { due }]) => [
      [`latencyP95.${operation}`, due.p95] as const,
      [`latencyP99.${operation}`, due.p99] as const,
    ]),
  ];
  return Object.fromEntries(
    all.flatMap(([name, value]) => (value === null || !Number.isFinite(value) ? [] : [[name, value]])),
  );
}

/** Settings that the scenario's own conditions cover, or that say which version is run. */
const OF_THE_SCENARIO = /^(?:startCommand$|world[A-Z])/;

function identityOf(report: Reported): Readonly<Record<string, string>> {
  const { host, generator, load, stack, tier, limits = {}, conditions, scenarioHash } = report;
  const settings = Object.entries(stack.applied).filter(([name]) => !OF_THE_SCENARIO.test(name));
  const agents = generator.agents.length;
  return {
    ...machineIdentity(host),
    tier: tier === undefined ? 'none' : `${tier.id}, ${asBox(tier)}`,
    ...Object.fromEntries(
      Object.entries(limits).map(([component, { cpus, memoryBytes }]) => [
        `limits of ${component}`,
        `${cpus ?? 'no limit of'} cores, ${memoryBytes ?? 'no limit of'} bytes`,
      ]),
    ),
    system: report.system,
    stack: stack.kind,
    engine: generator.engine,
    'load from':
      agents > 0 ? `${agents} agents` : load.colocated ? 'the host of the servers' : 'another host',
    scale: String(load.scale),
    players: String(load.requestedCcu),
    // A minor release of PostgreSQL changes no format and no planner: it is among the versions.
    ...Object.fromEntries(
      settings.flatMap(([name, value]) =>
        name === 'postgresRelease' ? [] : [[settingName(name), value] as const],
      ),
    ),
    ...(conditions === undefined
      ? { [WHOLE_SCENARIO]: scenarioHash.slice(0, SHOWN_HASH) }
      : scenarioIdentity(conditions)),
  };
}

/** The part of a trial's identity that is the machine's. */
export const machineIdentity = ({
  cpuModel,
  cpus,
  platform,
  arch,
  nodeMajor,
}: Pick<Reported['host'], 'cpuModel' | 'cpus' | 'platform' | 'arch' | 'nodeMajor'>): Readonly<
  Record<string, string>
> => ({
  ...{ CPU: cpuModel, cores: String(cpus), platform: `${platform} ${arch}`, 'Node major': String(nodeMajor) },
});

/** Before the key of a section of the scenario. */
export const SECTION = 'scenario: ';

/** The part of it that is the scenario's. @param conditions scenario/resolved.ts */
export const scenarioIdentity = (
  conditions: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(conditions).map(([key, hash]) => [`${SECTION}${key}`, hash]));

const versionsOf = ({ capbench, host, stack }: Reported): Readonly<Record<string, string>> => {
  const { postgresRelease } = stack.applied;
  return {
    ...{ capbench, Node: host.node, kernel: host.kernel },
    ...(postgresRelease === undefined ? {} : { 'PostgreSQL release': postgresRelease }),
  };
};

/** Of a report that has no hash of each section. */
export const WHOLE_SCENARIO = 'scenario of an earlier capbench';
const SHOWN_HASH = 12;
const settingName = (name: string): string =>
  name === 'postgresVersion' ? 'PostgreSQL version' : `setting ${name}`;

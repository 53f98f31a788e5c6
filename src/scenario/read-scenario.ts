import type { z } from 'zod';
import { formatDuration, type Micros, micros, seconds } from '../units.ts';
import { canonicalOf } from './aliases.ts';
import { alterations } from './alterations.ts';
import type { Budget } from './budget.ts';
import { checkBudgets } from './budget-check.ts';
import { readBudgets } from './budget-entry.ts';
import { type Metrics, metricReader } from './budget-metric.ts';
import type { Claims } from './claims.ts';
import { crossCheck } from './cross-check.ts';
import { readYaml, startFrom } from './document.ts';
import { type Finding, findingsOf, found, located, MOST_UNKNOWN, unknownKey, valueAt } from './finding.ts';
import { mapOperations, type PerOperation, perOperation } from './operations.ts';
import { applySettings, type Overrides } from './overrides.ts';
import { type Path, pathText, ScenarioError, shown } from './problem.ts';
import type { Load, OperationLoad, Scenario } from './scenario.ts';
import {
  budgetSchema,
  contradictedSchema,
  headSchemas,
  type LoadEntry,
  resolvedSchemas,
  scenarioSchemas,
  untestableSchema,
} from './schema.ts';
import { lengthOf, type Stage, scaledChurn, stretched } from './stages.ts';
import { budgetReturnFindings, budgetStageFindings } from './stages-check.ts';
import type { SystemScenario } from './system-scenario.ts';
import type { SystemTraits } from './system-traits.ts';

/** A scenario file as it was read from wherever it stands. */
export interface ScenarioFile {
  /** As errors name it. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** The systems that a scenario may name. */
export interface KnownSystems {
  readonly names: readonly [string, ...string[]];
  /** The one that a document is about, by its keys; undefined where it names none of them. */
  of(document: object): SystemScenario | undefined;
  /** What budgets of a system's scenarios may name. */
  metricsOf(system: Pick<SystemScenario, 'name' | 'operations'>): Metrics;
}

/** What reading a scenario depends on, beside the file itself. */
export interface Reading {
  readonly systems: KnownSystems;
  readonly claims: Claims;
}

/**
 * A file and the command line's changes to it, resolved: `--set` is applied to the document before it is
 * checked; `--duration`, `--seed` and `--scale` to what came out. Reads a scenario of the user's own as well as
 * the resolved one of a bundle. Throws a ScenarioError with all that is wrong.
 */
export function readScenario(
  source: ScenarioFile,
  { systems, claims }: Reading,
  overrides: Overrides,
): Scenario {
  const document = readYaml(source.file, source.bytes);
  const overridden = applySettings(document.value, overrides.set);
  const { value: written, findings: refused, flagAt } = overridden;
  const problems = [...refused.flatMap((finding) => located([finding], () => finding.flag))];

  if (typeof written !== 'object' || written === null || Array.isArray(written)) {
    const there =
      written === null || written === undefined ? 'the file is empty' : `${shown(written)} is there`;
    throw new ScenarioError([
      {
        where: document.place([], 'value'),
        path: '',
        message: `${there}, expected a map of a scenario's keys`,
        hint: startFrom,
      },
    ]);
  }
  const system = systems.of(written) ?? NO_SYSTEM;
  const canonical = canonicalOf(written, system.aliases ?? {}, (path) => flagAt(path) !== undefined);
  const root = canonical.value;
  const place = ({ path, of }: Finding) => {
    const at = canonical.written(path);
    return flagAt(at) ?? document.place(at, of);
  };
  const findings: Finding[] = [...canonical.findings];
  const metrics = system === NO_SYSTEM ? null : systems.metricsOf(system);
  const file: Entries = { root, system, names: systems.names, metrics, overrides, findings };
  const read = Object.hasOwn(root, 'resolved') ? readResolved(file) : readEntries(file, claims);
  problems.push(
    ...located(findings, place).map((problem) => ({
      ...problem,
      path: pathText(canonical.written(problem.path.split('.'))),
    })),
  );
  if (read === undefined || problems.length > 0) throw new ScenarioError(problems);

  const altered = alterations(document.value, overridden, read.altered, system);
  const scenario = adjust({ ...read, altered }, overrides, system);
  const misfits = crossCheck(scenario, system);
  if (misfits.length > 0) throw new ScenarioError(located(misfits, (finding) => cause(finding, overrides)));
  return { ...scenario, traits: traitsOf(scenario, system) };
}

/** A system's own traits; what it leaves out it has not. */
function traitsOf(scenario: Read, system: SystemScenario): SystemTraits {
  const components = system.components(scenario).map(({ name }) => name);
  return {
    needsTarget: components.length === 0,
    probes: components,
    serversTell: 'no',
    counts: 'its servers do not count what is sent',
    histograms: [],
    table: null,
    entities: system.workload(scenario).entities,
    playerCode: null,
    atOnce: {},
    ...system.traits?.(scenario),
  };
}

/** Which of the command line's changes made something misfit that fits in the file. */
function cause({ path }: Finding, { scale, duration }: Overrides): string {
  const isOfTime = path[0] === 'faults' || path[1] === 'duration' || path[1] === 'stages';
  return duration !== null && (isOfTime || scale === null)
    ? `after --duration ${formatDuration(duration)}`
    : `with --scale ${scale}`;
}

/** Of a file that names no system: what is wrong with the rest of it is said all the same. */
const NO_SYSTEM: SystemScenario = {
  name: '',
  operations: [],
  components: () => [],
  workload: ({ load }) => ({ entities: load.players, own: null }),
};

/** A document that is being read, and what is wrong with it so far. */
interface Entries {
  readonly root: object;
  readonly system: SystemScenario;
  readonly names: KnownSystems['names'];
  /** Null where it is not known of which system. */
  readonly metrics: Metrics | null;
  readonly overrides: Overrides;
  readonly findings: Finding[];
}

type Checked = Parameters<typeof crossCheck>[0];

/** What misfits in the file and still does after the command line's changes, which may be there to mend it. */
function misfitsOf(checked: Checked, overrides: Overrides, system: SystemScenario): readonly Finding[] {
  const inFile = new Set(crossCheck(checked, system).map(({ path }) => pathText(path)));
  const after = { ...checked, load: changed(checked.load, checked.world.servers, overrides, system) };
  return crossCheck(after, system).filter(({ path }) => inFile.has(pathText(path)));
}

type Output<S extends z.ZodType> = z.output<S> | undefined;

/** Reads a map key by key; what a key held is undefined when it was refused. */
function sections<const S extends Readonly<Record<string, z.ZodType>>>(
  root: object,
  schemas: S,
  findings: Finding[],
) {
  return <K extends keyof S & string>(key: K): Output<S[K]> => {
    const value = valueAt(root, [key]);
    // A key with nothing after it is as good as none, so that `budgets:` may be left empty.
    const result = schemas[key]?.safeParse(value === null ? undefined : value);
    if (result?.success) return result.data as z.output<S[K]>;
    findings.push(...findingsOf(result?.error.issues ?? [], root, [key]));
    return undefined;
  };
}

function unknownKeys(
  { root, system, names }: Entries,
  schemas: Readonly<Record<string, z.ZodType>>,
): readonly Finding[] {
  const known = [headSchemas(system, names), system.sections ?? {}, schemas].flatMap(Object.keys);
  return Object.keys(root)
    .filter((key) => !known.includes(key))
    .slice(0, MOST_UNKNOWN)
    .map((key) => unknownKey([], key, known));
}

/** The elements of a list, one by one; undefined for one that was refused. */
function elements<S extends z.ZodType>(
  list: readonly unknown[] | undefined,
  schema: S,
  key: string,
  root: object,
  findings: Finding[],
) {
  return (list ?? []).map((element, i): Output<S> => {
    const result = schema.safeParse(element);
    if (result.success) return result.data;
    const path: Path = [key, i];
    findings.push(...findingsOf(result.error.issues, root, path));
    return undefined;
  });
}

type Read = Omit<Scenario, 'traits'>;
type Common = Omit<Read, 'budgets' | 'scale' | 'altered'>;

function readHead({ root, system, names, overrides, findings }: Entries): Common | undefined {
  const take = sections(root, headSchemas(system, names), findings);
  take('version');
  const [name, description, named, seed] = [take('name'), take('description'), take('system'), take('seed')];
  const [loadEntry, world, postgres] = [take('load'), take('world'), take('postgres')];
  const [deviations, ceilings, rules] = [take('deviations'), take('ceilings'), take('rules')];
  const [calibration, faults] = [take('calibration'), take('faults')];
  const before = findings.length;
  const takeOwn = sections(root, system.sections ?? {}, findings);
  const own = Object.fromEntries(
    Object.keys(system.sections ?? {}).flatMap((key) => {
      const value = takeOwn(key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
  const ownFailed = findings.length > before;
  const load = loadEntry && loadOf(loadEntry, system);
  if (load !== undefined && world !== undefined) {
    findings.push(...misfitsOf({ load, world, faults: faults ?? [], sections: own }, overrides, system));
  }
  if (name === undefined || description === undefined || named === undefined || seed === undefined)
    return undefined;
  if (load === undefined || world === undefined || postgres === undefined || ownFailed) return undefined;
  if (deviations === undefined || ceilings === undefined || rules === undefined) return undefined;
  if (calibration === undefined || faults === undefined) return undefined;
  return {
    ...{ name, description, system: named, operations: system.operations, seed, load, world, postgres },
    ...{ deviations, ceilings, calibration, faults, rules },
    ...(Object.keys(own).length === 0 ? {} : { sections: own }),
  };
}

/** Budgets that no run of the system can rule, because their metric, statistic or unit makes no sense. */
const budgetFindings = (
  budgets: readonly Budget[],
  { metrics }: Entries,
  paths: ReadonlyMap<string, Path>,
): readonly Finding[] =>
  metrics === null
    ? []
    : checkBudgets(budgets, metrics).map(({ id, message }) => found(paths.get(id) ?? ['budgets'], message));

const readerOf = ({ system, metrics }: Entries) => metricReader(system.operations, metrics ?? new Map());

function readEntries(file: Entries, claims: Claims): Read | undefined {
  const { root, findings } = file;
  findings.push(...unknownKeys(file, scenarioSchemas));
  const shared = readHead(file);
  const take = sections(root, scenarioSchemas, findings);
  const {
    budgets,
    paths,
    findings: more,
  } = readBudgets(
    {
      budgets: elements(take('budgets'), budgetSchema, 'budgets', root, findings),
      contradicted: elements(take('contradicted'), contradictedSchema, 'contradicted', root, findings),
      untestable: elements(take('untestable'), untestableSchema, 'untestable', root, findings),
    },
    claims,
    readerOf(file),
  );
  findings.push(...more, ...budgetFindings(budgets, file, paths));
  if (shared !== undefined) {
    findings.push(...budgetStageFindings(budgets, shared.load.stages, paths));
    findings.push(...budgetReturnFindings(budgets, shared, paths));
  }
  return shared && { ...shared, scale: 1, altered: [], budgets };
}

function readResolved(file: Entries): Read | undefined {
  const { root, findings } = file;
  findings.push(...unknownKeys(file, resolvedSchemas));
  const shared = readHead(file);
  const take = sections(root, resolvedSchemas, findings);
  const [resolved, scale, altered] = [take('resolved'), take('scale'), take('altered')];
  const written = take('budgets');
  if (resolved === undefined || scale === undefined || altered === undefined) return undefined;
  if (written === undefined) return undefined;
  const readMetric = readerOf(file);
  const budgets: readonly Budget[] = written.map((one) =>
    one.state === 'measured' ? { ...one, metric: readMetric(one.metric, one.stat) } : one,
  );
  const paths = new Map<string, Path>();
  for (const [i, { id }] of budgets.entries()) {
    if (paths.has(id)) findings.push(found(['budgets', i], `${id} is there twice, expected once`));
    paths.set(id, ['budgets', i]);
  }
  findings.push(...budgetFindings(budgets, file, paths));
  if (shared !== undefined) findings.push(...budgetStageFindings(budgets, shared.load.stages, paths));
  return shared && { ...shared, scale, altered, budgets };
}

const loadOf = ({ operations, ...entry }: LoadEntry, system: SystemScenario): Load => ({
  ...entry,
  operations: operationLoads(operations, entry.players, system),
  duration: entry.duration ?? (entry.stages === undefined ? seconds(60) : lengthOf(entry.stages)),
});

const operationLoads = (
  given: LoadEntry['operations'],
  players: number,
  system: SystemScenario,
): PerOperation<OperationLoad> =>
  perOperation(system.operations, (id) => ({
    perSecond: given[id]?.perSecond ?? system.defaultPerSecond?.(id, { players }) ?? 0,
  }));

/** Duration, seed and scale. Players and all rates are scaled together, and no server is left without a player. */
const adjust = (scenario: Read, overrides: Overrides, system: SystemScenario): Read => ({
  ...scenario,
  seed: overrides.seed ?? scenario.seed,
  scale: scenario.scale * (overrides.scale ?? 1),
  load: changed(scenario.load, scenario.world.servers, overrides, system),
});

function changed(load: Load, servers: number, { scale, duration }: Overrides, system: SystemScenario): Load {
  const factor = scale ?? 1;
  const players = Math.round(load.players * factor);
  const scaled: Load = {
    ...load,
    players: factor === 1 ? load.players : Math.max(servers, players),
    operations: mapOperations(load.operations, ({ perSecond }) => ({ perSecond: perSecond * factor })),
    duration: micros(duration ?? load.duration) satisfies Micros,
    ...(load.churn === undefined ? {} : { churn: scaledChurn(load.churn, factor) }),
    ...(load.stages === undefined ? {} : { stages: shapeOf(load.stages, factor, duration) }),
  };
  return system.scale?.(scaled, factor) ?? scaled;
}

/** The stages at another scale and length; their rates are multiples, and stay. */
function shapeOf(stages: readonly Stage[], factor: number, duration: Micros | null): readonly Stage[] {
  const long = duration === null ? stages : stretched(stages, duration);
  return long.map(({ churn, ...one }) =>
    churn === undefined ? one : { ...one, churn: scaledChurn(churn, factor) },
  );
}

import { z } from 'zod';
import { formatDuration, type Micros, micros, seconds } from '../units.ts';
import { canonicalOf } from './aliases.ts';
import { alterations } from './alterations.ts';
import { type Budget, type Metrics, metricReader } from './budget.ts';
import { checkBudgets, readBudgets } from './budget-entry.ts';
import type { Claims } from './claims.ts';
import {
  budgetOutageFindings,
  budgetReconnectFindings,
  budgetStageFindings,
  crossCheck,
} from './cross-check.ts';
import { readYaml, startFrom } from './document.ts';
import {
  type Finding,
  findingAt,
  findingsOf,
  located,
  MOST_UNKNOWN,
  unknownKey,
  valueAt,
} from './finding.ts';
import { addedKinds, kindFindings } from './kinds.ts';
import { mapOperations, type OperationSpec, type PerOperation, perOperation } from './operations.ts';
import { applySettings, type Overrides } from './overrides.ts';
import { type OwnFigures, ownFigures } from './own-figures.ts';
import { type Plan, readPlan } from './plan.ts';
import { type Path, pathText, ScenarioError, shown } from './problem.ts';
import type { Load, OperationLoad, Scenario, SystemTraits } from './scenario.ts';
import { headSchemas, type LoadEntry, resolvedSchemas, scenarioSchemas } from './schema.ts';
import { budgetSchema, contradictedSchema, untestableSchema } from './sections.ts';
import { withStagePlayers } from './stage-players.ts';
import { lengthOf, type Stage, scaledChurn, stretched } from './stages.ts';
import type { SystemScenario } from './system-scenario.ts';

/** The content of a scenario file. */
interface ScenarioFile {
  /** Its name in errors. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** The systems that a scenario may name. */
export interface KnownSystems {
  readonly names: readonly [string, ...string[]];
  /** The system of a document; undefined where it names none of them. */
  of(document: object): SystemScenario | undefined;
  /** The forms of a system's scenarios: without and with the user's own players. */
  formsOf(name: string): readonly SystemScenario[];
  /** The metrics that budgets of a system's scenarios may name. */
  metricsOf(system: Pick<SystemScenario, 'name' | 'operations'>): Metrics;
}

const SECOND = 1e6;

type Names = KnownSystems['names'];
const heads = new WeakMap<Names, WeakMap<SystemScenario, ReturnType<typeof headSchemas>>>();

/** Built once for a system: to build them takes longer than to read a scenario with them. */
function headOf(system: SystemScenario, names: Names): ReturnType<typeof headSchemas> {
  const known = heads.get(names) ?? new WeakMap<SystemScenario, ReturnType<typeof headSchemas>>();
  const head = known.get(system) ?? headSchemas(system, names);
  heads.set(names, known.set(system, head));
  return head;
}

/** What reading a scenario needs besides the file. */
export interface ReadContext {
  readonly systems: KnownSystems;
  readonly claims: Claims;
  /**
   * By claim: the arithmetic with which a plan contradicts it (the room `audit`). Absent for a bundle's scenario, whose
   * budgets are as they were judged.
   */
  disputesOf?(plan: Plan, own: OwnFigures): ReadonlyMap<string, string>;
}

/**
 * Reads and resolves a scenario: `--set` is applied to the document before it is checked; `--duration`, `--seed` and
 * `--scale` to the result. Reads users' scenarios and the resolved ones of bundles. Throws a ScenarioError with all errors.
 */
export function readScenario(source: ScenarioFile, context: ReadContext, overrides: Overrides): Scenario {
  try {
    return readAs(source, context, overrides, 'text');
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError) || overrides.set.length === 0) throw thrown;
    // Where a text is given a map in braces, only the schema tells which of the two is meant.
    const { overText } = applySettings(readYaml(source.file, source.bytes).value, overrides.set);
    const paths = overText.map(pathText);
    const isRefused = ({ problems }: ScenarioError): boolean =>
      problems.some(({ path }) => paths.includes(path));
    if (!isRefused(thrown)) throw thrown;
    try {
      return readAs(source, context, overrides, 'map');
    } catch (again) {
      throw again instanceof ScenarioError && isRefused(again) ? thrown : again;
    }
  }
}

function readAs(
  source: ScenarioFile,
  { systems, claims, disputesOf }: ReadContext,
  overrides: Overrides,
  mapsOverText: 'text' | 'map',
): Scenario {
  const document = readYaml(source.file, source.bytes);
  const overridden = applySettings(document.value, overrides.set, mapsOverText);
  const { findings: refused, flagAt } = overridden;
  const written = withStagePlayers(document.value, overridden.value, overridden.paths);
  const problems = [...refused.flatMap((finding) => located([finding], () => finding.flag))];

  if (typeof written !== 'object' || written === null || Array.isArray(written)) {
    const got = written === null || written === undefined ? 'the file is empty' : `got ${shown(written)}`;
    throw new ScenarioError([
      {
        where: document.where([], 'value'),
        path: '',
        message: `${got}, expected a map of a scenario's keys`,
        hint: startFrom,
      },
    ]);
  }
  const known = systems.of(written);
  const system = known ?? ofAny(systems);
  const canonical = canonicalOf(written, system.aliases ?? {}, overridden.orderOf);
  const asWritten = (findings: readonly Finding[]): readonly Finding[] =>
    findings.map((finding) => ({ ...finding, path: canonical.written(finding.path) }));
  const file: Entries = {
    ...{ root: withServers(canonical.value as object, overrides), system, overrides, claims },
    head: headOf(system, systems.names),
    metrics: known === undefined ? null : systems.metricsOf(known),
    findings: [...canonical.findings],
  };
  if (system.kinds !== undefined) {
    const general = systems.metricsOf({ ...system, operations: [] });
    file.findings.push(
      ...kindFindings(file.root, system.operations, (path) => general.has(path)),
      ...addedKinds(document.value, system.operations, overridden.paths),
    );
  }
  const read = Object.hasOwn(file.root, 'resolved') ? readResolved(file) : readEntries(file, disputesOf);
  problems.push(
    ...located(asWritten(file.findings), ({ path, of }) => flagAt(path) ?? document.where(path, of)),
  );
  if (read === undefined || problems.length > 0) throw new ScenarioError(problems);

  const altered = alterations(document.value, canonical.value, overridden.paths, read.altered, system);
  const adjusted = adjust({ ...read, altered }, overrides, system);
  // A bundle's scenario is as it was run.
  const isResolved = Object.hasOwn(file.root, 'resolved');
  const scenario = isResolved ? adjusted : { ...adjusted, load: onWholeSeconds(adjusted.load) };
  const conflicts = crossCheck(scenario, system);
  if (conflicts.length > 0)
    throw new ScenarioError(located(asWritten(conflicts), (finding) => cause(finding, overrides)));
  return { ...scenario, traits: traitsOf(scenario, system) };
}

/** The document with a server for each target, where it does not say how many servers there are. */
function withServers(root: object, { targets = 0 }: Overrides): object {
  const world = valueAt(root, ['world']) ?? {};
  const isNamed = typeof world !== 'object' || valueAt(world, ['servers']) !== undefined;
  return targets === 0 || isNamed ? root : { ...root, world: { ...world, servers: targets } };
}

/** The traits of a scenario's system, with defaults for what it leaves out. */
export function traitsOf(scenario: Read, system: SystemScenario): SystemTraits {
  const components = system.components(scenario).map(({ name }) => name);
  const own = system.traits?.(scenario) ?? {};
  const { entities, ledger } = system.workload(scenario);
  return {
    needsTarget: components.length === 0,
    probes: components.filter((name) => name === 'postgres' || name === 'redis'),
    hasServerMetrics: 'no',
    counts: 'its servers do not count what is sent',
    histograms: [],
    table: null,
    keptIn: own.table === undefined || own.table === null ? null : 'postgres',
    ...{ entities, acknowledgesTwice: ledger !== undefined },
    playerCode: null,
    playerFigures: (own.playerCode ?? null) !== null,
    playerData: null,
    playerEnvironment: [],
    groupSizes: {},
    versionSections: [],
    ...own,
  };
}

/** Which flag caused a conflict that the file does not have. */
function cause({ path }: Finding, { scale, duration }: Overrides): string {
  const isOfTime = path[0] === 'faults' || path[1] === 'duration' || path[1] === 'stages';
  return duration !== null && (isOfTime || scale === null)
    ? `after --duration ${formatDuration(duration)}`
    : `with --scale ${scale}`;
}

/** For a file without a valid `system:`: accepts the keys of all systems, so that only other errors are reported. */
function ofAny({ names, of }: KnownSystems): SystemScenario {
  const all = names.flatMap((system) => of({ system }) ?? []);
  const keys = (part: 'load' | 'world' | 'sections'): Schemas => {
    const entries = all.flatMap((one) => Object.entries(one[part] ?? {}));
    const isOfOne = (key: string): boolean => entries.filter(([other]) => other === key).length === 1;
    // The schema of a key is known only if one system has it.
    return Object.fromEntries(
      entries.map(([key, schema]) => [key, (isOfOne(key) ? schema : z.unknown()).optional()]),
    );
  };
  return {
    name: '',
    operations: all.flatMap(({ operations }) => operations),
    load: keys('load'),
    world: keys('world'),
    sections: keys('sections'),
    redis: true,
    edge: true,
    aliases: Object.assign({}, ...all.map(({ aliases }) => aliases)),
    components: () => [],
    workload: ({ load }) => ({ entities: load.players, own: null }),
  };
}

/** A document that is being read, and the findings so far. */
interface Entries {
  readonly root: object;
  readonly system: SystemScenario;
  readonly head: ReturnType<typeof headSchemas>;
  /** Null where the system is unknown. */
  readonly metrics: Metrics | null;
  readonly overrides: Overrides;
  readonly claims: Claims;
  readonly findings: Finding[];
}

type Checked = Parameters<typeof crossCheck>[0];

/** Conflicts of the file that remain after the command line's changes, which may resolve them. */
function conflictsOf(checked: Checked, overrides: Overrides, system: SystemScenario): readonly Finding[] {
  const inFile = new Set(crossCheck(checked, system).map(({ path }) => pathText(path)));
  const after = { ...checked, load: changedLoad(checked.load, checked.world.servers, overrides, system) };
  return crossCheck(after, system).filter(({ path }) => inFile.has(pathText(path)));
}

type Schemas = Readonly<Record<string, z.ZodType>>;
type Outputs<S extends Schemas> = { readonly [K in keyof S]: z.output<NonNullable<S[K]>> };

/** The values of a map; `all` is null if any key was invalid, and `each` lacks invalid ones. */
interface ReadKeys<S extends Schemas> {
  readonly each: Partial<Outputs<S>>;
  readonly all: Outputs<S> | null;
}

/** Reads a map key by key, so that all errors are found. */
function readKeys<const S extends Schemas>(root: object, schemas: S, findings: Finding[]): ReadKeys<S> {
  const before = findings.length;
  const values: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(schemas)) {
    const value = valueAt(root, [key]);
    // A key without a value counts as absent, so that `budgets:` may be left empty.
    const result = schema.safeParse(value === null ? undefined : value);
    if (!result.success) findings.push(...findingsOf(result.error.issues, root, [key]));
    else if (result.data !== undefined) values[key] = result.data;
  }
  const each = values as Partial<Outputs<S>>;
  return { each, all: findings.length > before ? null : (each as Outputs<S>) };
}

function unknownKeys({ root, system, head }: Entries, schemas: Schemas): readonly Finding[] {
  const known = [head, system.sections ?? {}, schemas].flatMap(Object.keys);
  return Object.keys(root)
    .filter((key) => !known.includes(key))
    .slice(0, MOST_UNKNOWN)
    .map((key) => unknownKey([], key, known));
}

/** The elements of a list, each parsed separately; undefined for an invalid one. */
function elements<S extends z.ZodType>(
  list: readonly unknown[] | undefined,
  schema: S,
  key: string,
  { root, findings }: Entries,
): readonly (z.output<S> | undefined)[] {
  return (list ?? []).map((element, i) => {
    const result = schema.safeParse(element);
    if (result.success) return result.data;
    findings.push(...findingsOf(result.error.issues, root, [key, i]));
    return undefined;
  });
}

type Read = Omit<Scenario, 'traits'>;
type Common = Omit<Read, 'budgets' | 'scale' | 'altered'>;

function readHead(file: Entries): Common | undefined {
  const { root, system, head: schemas, overrides, claims, findings } = file;
  const head = readKeys(root, schemas, findings);
  const own = readKeys(root, system.sections ?? {}, findings);
  const { load: entry, world, postgres, redis, edge, limits, faults = [] } = head.each;
  const load = entry && loadOf(entry, system);
  if (load !== undefined && world !== undefined && system.name !== '') {
    const checked = { load, world, postgres, redis, edge, limits, faults, sections: own.each };
    findings.push(...conflictsOf(checked, overrides, system));
  }
  const planned = head.each.plan === undefined ? null : readPlan(head.each.plan, claims);
  findings.push(...(planned?.findings ?? []));
  if (head.all === null || own.all === null || load === undefined) return undefined;
  const { version: _, plan: __, ...rest } = head.all;
  const sections = Object.keys(own.all).length === 0 ? {} : { sections: own.all };
  const plan = planned === null ? {} : { plan: planned.plan };
  return { ...rest, operations: system.operations, load, ...sections, ...plan };
}

function readEntries(file: Entries, disputesOf: ReadContext['disputesOf']): Read | undefined {
  const { root, findings, claims } = file;
  findings.push(...unknownKeys(file, scenarioSchemas));
  const shared = readHead(file);
  const lists = readKeys(root, scenarioSchemas, findings).each;
  const plan = findings.length > 0 ? undefined : shared?.plan;
  const {
    budgets,
    paths,
    findings: more,
  } = readBudgets(
    {
      budgets: elements(lists.budgets, budgetSchema, 'budgets', file),
      contradicted: elements(lists.contradicted, contradictedSchema, 'contradicted', file),
      untestable: elements(lists.untestable, untestableSchema, 'untestable', file),
    },
    claims,
    readerOf(file),
    shared === undefined || plan === undefined ? undefined : disputesOf?.(plan, ownFigures(shared)),
  );
  findings.push(...more, ...budgetFindings(file, shared, budgets, paths));
  if (shared !== undefined) {
    findings.push(...budgetReconnectFindings(budgets, shared, paths));
    findings.push(...budgetOutageFindings(budgets, shared, file.system, paths));
  }
  return shared && { ...shared, scale: 1, altered: [], budgets };
}

function readResolved(file: Entries): Read | undefined {
  const { root, findings } = file;
  findings.push(...unknownKeys(file, resolvedSchemas));
  const shared = readHead(file);
  const { all } = readKeys(root, resolvedSchemas, findings);
  if (all === null) return undefined;
  const readMetric = readerOf(file);
  const budgets: readonly Budget[] = all.budgets.map((one) =>
    one.state === 'measured' ? { ...one, metric: readMetric(one.metric, one.stat) } : one,
  );
  const paths = new Map<string, Path>();
  for (const [i, { id }] of budgets.entries()) {
    if (paths.has(id)) findings.push(findingAt(['budgets', i], `${id} is used twice, expected once`));
    paths.set(id, ['budgets', i]);
  }
  findings.push(...budgetFindings(file, shared, budgets, paths));
  const { scale, altered } = all;
  return shared && { ...shared, scale, altered, budgets };
}

const readerOf = ({ system, metrics }: Entries) => metricReader(system.operations, metrics ?? new Map());

/** Budgets that no run can judge, or of an unknown stage. */
const budgetFindings = (
  { metrics }: Entries,
  shared: Common | undefined,
  budgets: readonly Budget[],
  paths: ReadonlyMap<string, Path>,
): readonly Finding[] => [
  ...(metrics === null ? [] : checkBudgets(budgets, metrics)).map(({ id, message }) =>
    findingAt(paths.get(id) ?? ['budgets'], message),
  ),
  ...(shared === undefined ? [] : budgetStageFindings(budgets, shared.load.stages, paths)),
];

/** Applies seed, scale and duration. */
const adjust = (scenario: Read, overrides: Overrides, system: SystemScenario): Read => ({
  ...scenario,
  seed: overrides.seed ?? scenario.seed,
  scale: scenario.scale * (overrides.scale ?? 1),
  load: changedLoad(scenario.load, scenario.world.servers, overrides, system),
});

/** A system's operation that never has a schedule. */
const begunOnly = (operation: OperationSpec | undefined): 'answer' | undefined =>
  operation?.due === 'answer' ? 'answer' : undefined;

/** A scenario's `load:` with the derived values. */
export const loadOf = ({ operationsPerSecond, ...entry }: LoadEntry, system: SystemScenario): Load => ({
  ...entry,
  operations: operationLoads(entry, operationsPerSecond ?? entry.players, system),
  duration: entry.duration ?? (entry.stages === undefined ? seconds(60) : lengthOf(entry.stages)),
});

/** The rate of each operation: its own, its share of the total by weight, or the system's default. */
function operationLoads(
  { operations, players }: Pick<LoadEntry, 'operations' | 'players'>,
  total: number,
  { operations: all, defaultPerSecond }: SystemScenario,
): PerOperation<OperationLoad> {
  const weights = Object.values(operations).reduce((sum, one) => sum + (one?.weight ?? 0), 0);
  return perOperation(all, (id, index) => {
    const { perSecond, weight, due = begunOnly(all[index]) } = operations[id] ?? {};
    if (due !== undefined) return { perSecond: 0, due };
    if (weight !== undefined) return { perSecond: (total * weight) / weights };
    return { perSecond: perSecond ?? defaultPerSecond?.(id, { players }) ?? 0 };
  });
}

/** The load at another scale and duration: players and rates are scaled together, and every server keeps a player. */
function changedLoad(
  load: Load,
  servers: number,
  { scale, duration }: Overrides,
  system: SystemScenario,
): Load {
  const factor = scale ?? 1;
  const players = Math.round(load.players * factor);
  const scaled: Load = {
    ...load,
    players: factor === 1 ? load.players : Math.max(servers, players),
    operations: mapOperations(load.operations, (one) => ({ ...one, perSecond: one.perSecond * factor })),
    duration: micros(duration ?? load.duration) satisfies Micros,
    ...(load.churn === undefined ? {} : { churn: scaledChurn(load.churn, factor) }),
    ...(load.stages === undefined ? {} : { stages: shapeOf(load.stages, factor, duration, servers) }),
  };
  return system.scale?.(scaled, factor) ?? scaled;
}

/**
 * The generator's counts are known at whole seconds, so the measure phase begins and ends at one: the warm-up takes up to a
 * second more. Stages have counts of their own.
 */
function onWholeSeconds(load: Load): Load {
  const { ramp, warmUp, duration, stages } = load;
  const whole = (time: number): number => Math.ceil(time / SECOND) * SECOND;
  return {
    ...load,
    warmUp: micros(whole(ramp + warmUp) - ramp),
    duration: stages === undefined ? micros(whole(duration)) : duration,
  };
}

/** The stages at another scale and duration; their rates are multiples and stay. */
function shapeOf(
  stages: readonly Stage[],
  factor: number,
  duration: Micros | null,
  servers: number,
): readonly Stage[] {
  const long = duration === null ? stages : stretched(stages, duration);
  return long.map(({ churn, players, ...one }) => ({
    ...one,
    ...(players === undefined
      ? {}
      : { players: factor === 1 ? players : Math.max(servers, Math.round(players * factor)) }),
    ...(churn === undefined ? {} : { churn: scaledChurn(churn, factor) }),
  }));
}

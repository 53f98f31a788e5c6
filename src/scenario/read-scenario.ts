import type { z } from 'zod';
import { formatDuration, type Micros, micros, seconds } from '../units.ts';
import { alterations } from './alterations.ts';
import type { Budget } from './budget.ts';
import { readBudgets } from './budget-entry.ts';
import type { Claims } from './claims.ts';
import { crossCheck } from './cross-check.ts';
import { readYaml, startFrom } from './document.ts';
import { type Finding, findingsOf, found, located, MOST_UNKNOWN, unknownKey, valueAt } from './finding.ts';
import { applySettings, type Overrides } from './overrides.ts';
import { playersCheck, worldFor } from './players-check.ts';
import { type Path, pathText, ScenarioError, shown } from './problem.ts';
import type { Fault, Load, Scenario, WorldSettings } from './scenario.ts';
import {
  budgetSchema,
  contradictedSchema,
  headSchemas,
  type LoadEntry,
  resolvedSchemas,
  scenarioSchemas,
  untestableSchema,
  type WorldEntry,
} from './schema.ts';
import { lengthOf, type Stage, scaledChurn, stretched } from './stages.ts';
import { budgetReturnFindings, budgetStageFindings } from './stages-check.ts';

/** A scenario file as it was read from wherever it stands. */
export interface ScenarioFile {
  /** As errors name it. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Says which budgets no run can rule, because their metric, statistic or unit makes no sense. */
export type BudgetCheck = (
  budgets: readonly Budget[],
) => readonly { readonly id: string; readonly message: string }[];

/**
 * A file and the command line's changes to it, resolved: `--set` is applied to the document before it is
 * checked; `--duration`, `--seed` and `--scale` to what came out. Reads a scenario of the user's own as well as
 * the resolved one of a bundle. Throws a ScenarioError with all that is wrong.
 */
export function readScenario(
  source: ScenarioFile,
  claims: Claims,
  overrides: Overrides,
  checkBudgets: BudgetCheck,
): Scenario {
  const document = readYaml(source.file, source.bytes);
  const overridden = applySettings(document.value, overrides.set);
  const { value: root, findings: refused, flagAt } = overridden;
  const place = ({ path, of }: Finding) => flagAt(path) ?? document.place(path, of);
  const problems = [...refused.flatMap((finding) => located([finding], () => finding.flag))];

  if (typeof root !== 'object' || root === null || Array.isArray(root)) {
    const there = root === null || root === undefined ? 'the file is empty' : `${shown(root)} is there`;
    throw new ScenarioError([
      {
        where: document.place([], 'value'),
        path: '',
        message: `${there}, expected a map of a scenario's keys`,
        hint: startFrom,
      },
    ]);
  }
  const findings: Finding[] = [];
  const read = Object.hasOwn(root, 'resolved')
    ? readResolved(root, overrides, checkBudgets, findings)
    : readEntries(root, overrides, claims, checkBudgets, findings);
  problems.push(...located(findings, place));
  if (read === undefined || problems.length > 0) throw new ScenarioError(problems);

  const altered = alterations(document.value, overridden, read.altered);
  const scenario = adjust({ ...read, altered }, overrides);
  const misfits = crossCheck(scenario.load, worldFor(scenario.players, scenario.world), scenario.faults);
  if (misfits.length > 0) throw new ScenarioError(located(misfits, (finding) => cause(finding, overrides)));
  return scenario;
}

/** Which of the command line's changes made something misfit that fits in the file. */
function cause({ path }: Finding, { scale, duration }: Overrides): string {
  const isOfTime = path[0] === 'faults' || path[1] === 'duration' || path[1] === 'stages';
  return duration !== null && (isOfTime || scale === null)
    ? `after --duration ${formatDuration(duration)}`
    : `with --scale ${scale}`;
}

/** What misfits in the file and still does after the command line's changes, which may be there to mend it. */
function misfitsOf(
  load: Load,
  world: WorldSettings | undefined,
  faults: readonly Fault[],
  servers: number,
  overrides: Overrides,
): readonly Finding[] {
  const inFile = new Set(crossCheck(load, world, faults).map(({ path }) => pathText(path)));
  return crossCheck(changed(load, servers, overrides), world, faults).filter(({ path }) =>
    inFile.has(pathText(path)),
  );
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

function unknownKeys(root: object, schemas: Readonly<Record<string, z.ZodType>>): readonly Finding[] {
  const known = [...Object.keys(headSchemas), ...Object.keys(schemas)];
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

type Common = Omit<Scenario, 'budgets' | 'scale' | 'altered'>;

function readHead(root: object, overrides: Overrides, findings: Finding[]): Common | undefined {
  const take = sections(root, headSchemas, findings);
  const [name, description, system, seed] = [take('name'), take('description'), take('system'), take('seed')];
  const [loadEntry, worldEntry, postgres] = [take('load'), take('world'), take('postgres')];
  const [deviations, ceilings, rules] = [take('deviations'), take('ceilings'), take('rules')];
  const [calibration, faults, players] = [take('calibration'), take('faults'), take('players')];
  const load = loadEntry && loadOf(loadEntry);
  const world = worldEntry && worldOf(worldEntry);
  if (load !== undefined)
    findings.push(
      ...misfitsOf(load, worldFor(players, world), faults ?? [], world?.servers ?? 1, overrides),
      ...playersCheck(players, load),
    );
  if (name === undefined || description === undefined || system === undefined || seed === undefined)
    return undefined;
  if (load === undefined || world === undefined || postgres === undefined) return undefined;
  if (deviations === undefined || ceilings === undefined || rules === undefined) return undefined;
  if (calibration === undefined || faults === undefined) return undefined;
  return {
    ...{ name, description, system, seed, load, world, postgres, deviations },
    ...{ ceilings, calibration, faults, rules },
    ...(players === undefined ? {} : { players }),
  };
}

function readEntries(
  root: object,
  overrides: Overrides,
  claims: Claims,
  checkBudgets: BudgetCheck,
  findings: Finding[],
): Scenario | undefined {
  findings.push(...unknownKeys(root, scenarioSchemas));
  const shared = readHead(root, overrides, findings);
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
  );
  findings.push(...more);
  for (const { id, message } of checkBudgets(budgets))
    findings.push(found(paths.get(id) ?? ['budgets'], message));
  if (shared !== undefined) {
    findings.push(...budgetStageFindings(budgets, shared.load.stages, paths));
    findings.push(...budgetReturnFindings(budgets, shared, paths));
  }
  return shared && { ...shared, scale: 1, altered: [], budgets };
}

function readResolved(
  root: object,
  overrides: Overrides,
  checkBudgets: BudgetCheck,
  findings: Finding[],
): Scenario | undefined {
  findings.push(...unknownKeys(root, resolvedSchemas));
  const shared = readHead(root, overrides, findings);
  const take = sections(root, resolvedSchemas, findings);
  const [resolved, scale, altered] = [take('resolved'), take('scale'), take('altered')];
  const budgets = take('budgets');
  if (resolved === undefined || scale === undefined || altered === undefined) return undefined;
  if (budgets === undefined) return undefined;
  const paths = new Map<string, Path>();
  for (const [i, { id }] of budgets.entries()) {
    if (paths.has(id)) findings.push(found(['budgets', i], `${id} is there twice, expected once`));
    paths.set(id, ['budgets', i]);
  }
  for (const { id, message } of checkBudgets(budgets))
    findings.push(found(paths.get(id) ?? ['budgets'], message));
  if (shared !== undefined) findings.push(...budgetStageFindings(budgets, shared.load.stages, paths));
  return shared && { ...shared, scale, altered, budgets: budgets satisfies readonly Budget[] };
}

const loadOf = (entry: LoadEntry): Load => ({
  ...entry,
  intentsPerSecond: entry.intentsPerSecond ?? entry.players,
  duration: entry.duration ?? (entry.stages === undefined ? seconds(60) : lengthOf(entry.stages)),
});

const worldOf = ({ batch, heap, ...world }: WorldEntry): WorldSettings => ({
  ...world,
  batchOperations: batch.operations,
  batchInterval: batch.interval,
  heapMegabytes: heap,
});

/**
 * Duration, seed and scale. Players and both rates are scaled together, and no world server is left without a
 * player. The monsters stay, and with them the size of the database: a cache that holds a quarter of the rows
 * would say nothing of one that holds them all.
 */
const adjust = (scenario: Scenario, overrides: Overrides): Scenario => ({
  ...scenario,
  seed: overrides.seed ?? scenario.seed,
  scale: scenario.scale * (overrides.scale ?? 1),
  load: changed(scenario.load, scenario.world.servers, overrides),
});

function changed(load: Load, servers: number, { scale, duration }: Overrides): Load {
  const factor = scale ?? 1;
  const players = Math.round(load.players * factor);
  return {
    ...load,
    players: factor === 1 ? load.players : Math.max(servers, players),
    intentsPerSecond: load.intentsPerSecond * factor,
    monsterCommandsPerSecond: load.monsterCommandsPerSecond * factor,
    duration: micros(duration ?? load.duration) satisfies Micros,
    ...(load.churn === undefined ? {} : { churn: scaledChurn(load.churn, factor) }),
    ...(load.stages === undefined ? {} : { stages: shapeOf(load.stages, factor, duration) }),
  };
}

/** The stages at another scale and length; their rates are multiples, and stay. */
function shapeOf(stages: readonly Stage[], factor: number, duration: Micros | null): readonly Stage[] {
  const long = duration === null ? stages : stretched(stages, duration);
  return long.map(({ churn, ...one }) =>
    churn === undefined ? one : { ...one, churn: scaledChurn(churn, factor) },
  );
}

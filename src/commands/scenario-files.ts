import { open, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { disputesOf } from '../audit/audit.ts';
import { badInput, CapbenchError, codeOf, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import type { PlayerModule } from '../load/fleet/messages.ts';
import type { EmulatedTier } from '../measurement/emulated-tier.ts';
import { withBox } from '../scenario/box.ts';
import { type ClaimDocument, type Claims, readClaims, readDocuments } from '../scenario/claims.ts';
import { LARGEST_SCENARIO, readYaml } from '../scenario/document.ts';
import { nearest } from '../scenario/nearest.ts';
import {
  applySettings,
  NO_OVERRIDES,
  type Overrides,
  parseDurationFlag,
  parsePlayers,
  parseScale,
  parseSeed,
} from '../scenario/overrides.ts';
import { type Path, ScenarioError } from '../scenario/problem.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import type { Load, Scenario } from '../scenario/scenario.ts';
import { MOST_SERVERS } from '../scenario/schema.ts';
import { withoutSecrets } from '../scenario/without-secrets.ts';
import { workloadOf } from '../scenario/workload.ts';
import type { System, Systems } from '../systems/system.ts';
import { type ChosenTier, nothingToConfine } from './chosen-tier.ts';
import type { ScenarioFlags } from './options.ts';

/** A scenario as it will run, and its origin. */
export interface LoadedScenario {
  readonly scenario: Scenario;
  /** The system that the scenario names. */
  readonly system: System;
  /** The machine as which its stack is run; absent: as this host. */
  readonly tier?: EmulatedTier;
  /** The file, absolute. */
  readonly path: string;
  /** The place of a key as errors name it: a line of the file, or a --set. */
  readonly where: (path: Path) => string;
}

const EXTENSION = /\.ya?ml$/;

/** The scenarios that come with capbench: name -> absolute path, by name. */
export async function shippedScenarios(host: Host): Promise<ReadonlyMap<string, string>> {
  const folder = join(host.root, 'scenarios');
  const files = (await readdir(folder)).filter((file) => EXTENSION.test(file));
  const named = files.map((file) => [file.replace(EXTENSION, ''), join(folder, file)] as const);
  return new Map(named.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The documents, each with its claims. */
export const loadDocuments = async (host: Host): Promise<readonly ClaimDocument[]> =>
  readDocuments(await claimsFile(host));

/** The documented claims that budgets may refer to. */
export const loadClaims = async (host: Host): Promise<Claims> => readClaims(await claimsFile(host));

const claimsFile = ({ root }: Host): Promise<string> =>
  readFile(join(root, 'fixtures', 'claims.json'), 'utf8');

/** A name from `capbench list`, or a path: it has a slash, or ends in .yaml or .yml. */
async function locate(host: Host, reference: string): Promise<string> {
  if (/[/\\]/.test(reference) || EXTENSION.test(reference)) return resolve(host.cwd, reference);
  const shipped = await shippedScenarios(host);
  const path = shipped.get(reference);
  if (path !== undefined) return path;
  const meant = nearest(reference, [...shipped.keys()]);
  // A file of another format, such as README.md, has no scenario file beside it.
  const own = reference.includes('.') ? 'the path of a .yaml file' : `its path: ./${reference}.yaml`;
  throw badInput(
    `there is no scenario named "${reference}"; capbench comes with ${[...shipped.keys()].join(', ')}`,
    meant === undefined
      ? `name a file of your own by ${own}`
      : `did you mean ${meant}? Name a file of your own by ${own}`,
  );
}

/** The first bytes of a file: one more than a scenario may have, so that a larger file is refused without reading it. */
async function readStart(path: string, shown: string): Promise<Uint8Array> {
  try {
    // Opening a pipe without a writer would block, and could not be interrupted.
    if (!(await stat(path)).isFile()) throw badInput(`${shown} is not a file, expected a scenario file`);
    const file = await open(path, 'r');
    try {
      const buffer = new Uint8Array(LARGEST_SCENARIO + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return buffer.subarray(0, length);
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (thrown instanceof CapbenchError) throw thrown;
    if (codeOf(thrown) === 'ENOENT')
      throw badInput(
        `there is no file ${shown}`,
        'capbench list names the scenarios that come with capbench',
      );
    throw badInput(`the scenario ${shown} cannot be read: ${messageOf(thrown)}`);
  }
}

/** Flags over `CAPBENCH_SCALE`, `CAPBENCH_DURATION` and `CAPBENCH_SEED`. An empty variable is none. */
function overridesOf(host: Host, flags: ScenarioFlags, targets: number): Overrides {
  const pick = <T>(
    flag: string | undefined,
    name: string,
    parse: (text: string, source: string) => T,
  ): T | null => {
    if (flag !== undefined) return parse(flag, `--${name}`);
    const variable = `CAPBENCH_${name.toUpperCase()}`;
    const value = host.env[variable];
    return value === undefined || value === '' ? null : parse(value, variable);
  };
  return {
    // The last one wins.
    set:
      flags.players === undefined ? flags.set : [...flags.set, `load.players=${parsePlayers(flags.players)}`],
    scale: pick(flags.scale, 'scale', parseScale),
    duration: pick(flags.duration, 'duration', parseDurationFlag),
    seed: pick(flags.seed, 'seed', parseSeed),
    targets: Math.min(targets, MOST_SERVERS),
  };
}

/** The shorter of the relative and the absolute path. */
function shownPath(host: Host, path: string): string {
  const near = relative(host.cwd, path);
  return near.length < path.length && !near.startsWith('..') ? near : path;
}

/** A scenario's file, read once: whatever happens to it later, all runs of it are of one scenario. */
interface OpenScenario {
  readonly base: LoadedScenario;
  /** The same with another scale, duration or seed. @throws ScenarioError where that cannot be run */
  readonly with: (change: Partial<Pick<Overrides, 'scale' | 'duration' | 'seed'>>) => LoadedScenario;
}

/**
 * Finds, reads and resolves a scenario. Throws a CapbenchError (104) that lists every problem in it. A secret in its
 * prose is removed, with a warning.
 * @param targets how many servers of the user's own the run has
 * @param chosen the machine as which its stack is to run
 */
export async function openScenario(
  host: Host,
  reference: string,
  flags: ScenarioFlags,
  targets = 0,
  chosen: ChosenTier | null = null,
): Promise<OpenScenario> {
  const given = overridesOf(host, flags, targets);
  const path = await locate(host, reference);
  const file = shownPath(host, path);
  const [bytes, claims] = await Promise.all([readStart(path, file), loadClaims(host)]);
  const systems = await host.systems();
  const where = (at: Path): string => {
    const document = readYaml(file, bytes);
    return applySettings(document.value, given.set).flagAt(at) ?? document.where(at, 'value');
  };
  const load = (overrides: Overrides) => {
    const read = readScenario({ file, bytes }, { systems, claims, disputesOf }, overrides);
    const { scenario, removed } = withoutSecrets(read, file, host.redaction);
    const system = systems.systemOf(read);
    const loaded: LoadedScenario = { scenario, system, path, where };
    return { loaded: chosen === null ? loaded : asTier(loaded, chosen, systems), removed };
  };
  const { loaded, removed } = load(given);
  for (const what of removed)
    host.stderr.write(
      `warning: the scenario holds a secret, which is left out of every report; remove it: ${what}\n`,
    );
  const { note } = loaded.system.scenario;
  // With --set the user chose the system just now.
  if (note !== undefined && !where(['system']).startsWith('--set')) host.stderr.write(`note: ${note}\n`);
  return { base: loaded, with: (change) => load({ ...given, ...change }).loaded };
}

/** @throws CapbenchError (104) where nothing is started that could be confined */
function asTier(loaded: LoadedScenario, { tier, box }: ChosenTier, systems: Systems): LoadedScenario {
  const { scenario, system } = loaded;
  if (system.scenario.components(scenario).length === 0) throw nothingToConfine(tier.id);
  return { ...loaded, tier, scenario: withBox(scenario, box, system.scenario, systems) };
}

/** The same of a scenario that is run as it is. */
export const loadScenario = async (...given: Parameters<typeof openScenario>): Promise<LoadedScenario> =>
  (await openScenario(...given)).base;

/** A scenario that comes with capbench, without overrides. */
export async function loadShipped(host: Host, path: string, claims: Claims): Promise<Scenario> {
  const bytes = await readStart(path, path);
  return readScenario(
    { file: path, bytes },
    { systems: await host.systems(), claims, disputesOf },
    NO_OVERRIDES,
  );
}

/**
 * The user's player module, found beside the scenario; null where the scenario names none. Throws exit code 104 where it
 * is missing, or --allow-module is. Only the load workers load it.
 */
export async function playerModuleOf(
  loaded: LoadedScenario,
  { allowModule = false }: { readonly allowModule?: boolean },
): Promise<PlayerModule | null> {
  const { playerCode } = loaded.scenario.traits;
  if (playerCode !== null && !allowModule) {
    throw badInput(
      `the scenario names a player module, ${playerCode}: it is code, and is loaded only with --allow-module`,
      'read it, and if you trust it, add --allow-module',
    );
  }
  return findModule(loaded);
}

/** The path of the player module, allowed or not. @throws ScenarioError where there is no such file */
export async function findModule({ scenario, path, where }: LoadedScenario): Promise<PlayerModule | null> {
  const { playerCode: name } = scenario.traits;
  if (name === null) return null;
  const file = resolve(dirname(path), name);
  const found = await stat(file).catch(() => null);
  if (found?.isFile() === true) return { path: file, name };
  throw new ScenarioError([
    {
      where: where(['players', 'module']),
      path: 'players.module',
      message: `there is no file ${name}, expected a JavaScript module`,
      hint: 'the path is relative to the folder of the scenario file; capbench init writes a module to start from',
    },
  ]);
}

/** Some scenarios have no server that capbench could start. */
export function refuseWithoutTarget({ scenario }: LoadedScenario, targets: number): void {
  if (!scenario.traits.needsTarget || targets > 0) return;
  throw badInput(
    `the players of this scenario (system: ${scenario.system}) need a server of yours, and no --target is given`,
    'start your server, and name it with --target http://127.0.0.1:8080',
  );
}

/** The scenario's load for k6; `by` names the command in errors. @throws CapbenchError (104) why k6 cannot make it */
export function k6PartOf(system: System, scenario: Scenario, by: string) {
  const part = system.engines?.k6;
  if (part === undefined) {
    const players = scenario.sections?.players === undefined ? '' : ' with players: of its own';
    throw badInput(
      `system: ${system.name}${players} has no part for k6`,
      'use --engine native of capbench run',
    );
  }
  refuseShapes(scenario.load, by);
  return { part, workload: workloadOf(scenario, system.scenario) };
}

/** The same for a new run, which may have faults. */
export function k6PlanOf(system: System, scenario: Scenario) {
  // What the system cannot do comes before what the scenario could do without.
  const plan = k6PartOf(system, scenario, 'the k6 script');
  const [fault] = scenario.faults;
  if (fault !== undefined) {
    throw badInput(
      `faults: ${fault.action} of ${fault.of}: players of k6 do not reconnect, and capbench cannot cut their sockets`,
      'use --engine native, or run without faults: --set "faults=[]"',
    );
  }
  if (scenario.edge !== undefined) {
    throw badInput(
      'edge: players of k6 would connect past the edge proxy',
      'use --engine native, or leave out edge',
    );
  }
  return plan;
}

/** The modules of a system's k6 script, as one (bin/k6-scripts.js). */
export const k6ModulesOf = ({ root }: Pick<Host, 'root'>, { name }: System): Promise<string> =>
  readFile(join(root, 'dist', `${name}-k6.js`), 'utf8');

/** Only the native engine has stages and churn; a run without them must not pass for one that had them. */
export function refuseShapes({ stages, churn }: Load, by: string): void {
  if (stages === undefined && churn === undefined) return;
  const key = stages === undefined ? 'churn' : 'stages';
  throw badInput(
    `load.${key}: ${by} supports only one rate and players who stay connected`,
    `use --engine native, or remove load.${key}`,
  );
}

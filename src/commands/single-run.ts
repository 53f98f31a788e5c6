import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { badInput } from '../errors.ts';
import { k6Script } from '../export/k6/script.ts';
import type { Host } from '../host.ts';
import type { AgentAccess } from '../load/agent/remote-agent.ts';
import type { Engine, EngineName } from '../load/engine.ts';
import { dealEvenly } from '../load/fleet/deal.ts';
import { findK6 } from '../load/k6/binary.ts';
import { createK6Engine } from '../load/k6/engine.ts';
import { createNativeEngine, type NativeEngineOptions } from '../load/native.ts';
import type { PlayerInputs } from '../load/player-data.ts';
import { readLogTail, remakeBundle, writeArtefact } from '../measurement/bundle.ts';
import type { EarlierAttempt } from '../measurement/earlier-attempts.ts';
import type { HostFacts, Measurements } from '../measurement/measurements.ts';
import { probeNames } from '../probe/target-probes.ts';
import { expectedLength } from '../run/expected-length.ts';
import { type RunPlan, run } from '../run/run.ts';
import type { Observer, StopSignals } from '../run/steps.ts';
import { scenarioHash, writeScenario } from '../scenario/resolved.ts';
import { workloadOf } from '../scenario/workload.ts';
import { type FaultProcess, withFaultProcesses } from '../stack/fault-processes.ts';
import { openNullServers } from '../stack/null-servers.ts';
import { commitOf } from '../supervision/commit.ts';
import { openWatchdog, type Watchdog } from '../supervision/watchdog.ts';
import { agentsLine, readAgents, UNCALIBRATED } from './agent-access.ts';
import { readFaultProcesses, refuseUnreachableFaults } from './fault-processes.ts';
import { type AgentFlags, type ScenarioFlags, type TargetFlags, wholeNumber } from './options.ts';
import { dataNote, type InputFlags, readPlayerInputs } from './player-inputs.ts';
import type { LiveProgress } from './progress.ts';
import { type FixedPath, type Published, publish } from './publish.ts';
import {
  k6ModulesOf,
  k6PlanOf,
  type LoadedScenario,
  playerModuleOf,
  refuseShapes,
  refuseWithoutTarget,
} from './scenario-files.ts';
import type { SendSeries } from './series-out.ts';
import {
  checkTemporaryFolder,
  idleLimitsNote,
  refuseTooManyCpus,
  refuseWithoutMemory,
  refuseWithoutPackages,
  stackOpener,
} from './stack-opener.ts';
import { readVariables, requirePermission, type StartFlags } from './start-permission.ts';
import { consentLine, type RunTargets, readingLine, readTargets, redisLine } from './targets.ts';

/** The options that decide how each run of a command is made, as given. */
export interface SingleRunFlags extends ScenarioFlags, TargetFlags, InputFlags, StartFlags, AgentFlags {
  readonly engine: EngineName;
  readonly allowModule?: boolean;
  readonly workers?: string;
  /** False for `--no-charts`. */
  readonly charts: boolean;
}

const MOST_WORKERS = 64;

/** `--workers` or `CAPBENCH_WORKERS`; null leaves the number to the engine. */
export function workersOf(host: Host, flag: string | undefined): number | null {
  const source = flag === undefined ? 'CAPBENCH_WORKERS' : '--workers';
  const text = flag ?? host.env.CAPBENCH_WORKERS ?? '';
  return text === '' && flag === undefined ? null : wholeNumber(source, text, MOST_WORKERS);
}

/** The machine on which a command runs. */
export const hostFacts = ({ machine }: Host): HostFacts => ({
  cpuModel: os.cpus()[0]?.model ?? 'unknown',
  cpus: machine.cpus,
  memoryBytes: machine.memoryBytes,
  kernel: os.release(),
  platform: machine.platform,
  arch: machine.arch,
  node: machine.node,
});

/** An uncaught error ends the run like any other error, and what was measured is kept. */
async function runWatched(host: Host, plan: RunPlan, progress: Observer, signals: StopSignals) {
  let forget = (): void => {};
  const crash = new Promise<unknown>((resolve) => {
    forget = host.onCrash(resolve);
  });
  try {
    return await run(plan, progress, { stop: signals.stop, abort: signals.abort, crash });
  } finally {
    forget();
  }
}

/** What runs of one command line share. */
export interface PreparedRun {
  readonly loaded: LoadedScenario;
  readonly module: Awaited<ReturnType<typeof playerModuleOf>>;
  readonly inputs: PlayerInputs;
  readonly reached: RunTargets;
  /** The processes that faults may hit by consent. */
  readonly faulty: readonly FaultProcess[];
  readonly workers: number | null;
  /** The other machines that the load comes from; null: this one makes it. */
  readonly agents: AgentAccess | null;
  readonly openEngine: Awaited<ReturnType<typeof chooseEngine>>;
  readonly flags: SingleRunFlags;
}

/** Where a run goes, and what ends it. */
export interface RunPlace extends StopSignals {
  readonly bundle: string;
  readonly startedAt: Date;
  readonly fixed: readonly FixedPath[];
  /** Attempts at this run that had no conclusion; absent of a first attempt. */
  readonly earlierAttempts?: readonly EarlierAttempt[];
  /** Where the code under test is, whose commit is recorded; absent: the working directory. */
  readonly codeFolder?: string;
  /** Where the series go beside the bundle. */
  readonly sendSeries?: SendSeries;
  /** Called once nothing of it is left to be stopped. */
  readonly complete: () => void;
}

/**
 * Checks all that a run needs, before anything is started or contacted: bad input is reported before a bundle exists, and
 * names are resolved only here.
 *
 * @throws CapbenchError (104) for bad input, (93) for what this host lacks
 */
export async function prepareRun(
  host: Host,
  loaded: LoadedScenario,
  flags: SingleRunFlags,
  workers: number | null,
): Promise<PreparedRun> {
  const module = await playerModuleOf(loaded, flags);
  const inputs = await readPlayerInputs(host, loaded, flags);
  refuseWithoutTarget(loaded, flags.target.length);
  const reached = await readTargets(host, loaded, flags);
  const { targets, starts } = reached;
  requirePermission(starts, flags);
  readVariables(host, loaded, starts);
  const faulty = readFaultProcesses(host, flags, targets);
  refuseUnreachableFaults(loaded, reached, faulty);
  const agents = await readAgents(host, flags, flags.engine, reached, loaded.tier);
  const openEngine = await chooseEngine(host, loaded, flags, reached);
  await checkTemporaryFolder(host);
  if (targets.length === 0 || starts !== null) refuseTooManyCpus(host, loaded);
  if (targets.length === 0) {
    refuseWithoutPackages(loaded);
    refuseWithoutMemory(loaded);
  }
  return { loaded, module, inputs, reached, faulty, workers, agents, openEngine, flags };
}

/** The same run of another load of the same scenario. @throws CapbenchError (93) where this host lacks the memory */
export async function prepareAgain(
  host: Host,
  prepared: PreparedRun,
  loaded: LoadedScenario,
): Promise<PreparedRun> {
  const { flags, reached } = prepared;
  if (reached.targets.length === 0) refuseWithoutMemory(loaded);
  return { ...prepared, loaded, openEngine: await chooseEngine(host, loaded, flags, reached) };
}

/** Each run has the same running server; false: a fresh stack. */
export const isSameServer = ({ reached: { targets, starts } }: PreparedRun): boolean =>
  targets.length > 0 && starts === null;

/** One run into its bundle; `whenKept` is called once its measurements are there. */
export async function runInto(
  host: Host,
  { loaded, module, inputs, reached, faulty, workers, agents, openEngine, flags }: PreparedRun,
  {
    bundle,
    startedAt,
    fixed,
    sendSeries,
    earlierAttempts,
    codeFolder = host.cwd,
    complete,
    ...signals
  }: RunPlace,
  progress: LiveProgress,
  whenKept: () => Promise<void>,
): Promise<Published> {
  const { scenario, system, tier } = loaded;
  const { targets, access, probes, redis } = reached;
  let watchdog: Watchdog | null = null;
  try {
    const write = async (name: string, content: string): Promise<void> => {
      const warning = await writeArtefact(bundle, name, content, host.redaction);
      if (warning !== null) progress.say(`warning: ${warning}`);
    };
    const begin = (): Promise<void> => write('scenario.yaml', writeScenario(scenario, system.scenario));
    let kept = false;
    const keep = async (facts: Measurements): Promise<void> => {
      if (await remakeBundle(bundle)) {
        progress.say(`warning: ${bundle} was removed during the run and created again`);
        await begin();
      }
      await write('measurements.json', JSON.stringify(host.redaction.data(facts)));
      kept = true;
    };
    await begin();
    const { figures } = system;
    progress.begin?.({ scenario: host.redaction.data(scenario), figures, engine: flags.engine });

    const consent = consentLine(targets, scenario);
    for (const line of [consent, readingLine(probes), redisLine(redis), agentsLine(agents)])
      if (line !== null) progress.say(line);
    progress.expect(
      expectedLength(
        scenario,
        workloadOf(scenario, system.scenario),
        flags.engine,
        targets.length > 0 ? 'target' : 'local',
      ),
    );
    const guard = await openWatchdog(host.env);
    watchdog = guard;
    // Keeps other users of this host from posting to the servers of the run.
    const token = randomBytes(24).toString('base64url');
    host.redaction.add(token, 'the token of the run');
    const { nullServers } = system;
    const plan: RunPlan = {
      scenario,
      system,
      identity: {
        capbench: host.version,
        scenarioHash: scenarioHash(scenario),
        commit: await commitOf(codeFolder),
        startedAt: startedAt.toISOString(),
        stackKind: targets.length > 0 ? 'target' : 'local',
        colocated: [...targets, probes.postgres, probes.redis, redis].every(
          (one) => one?.onThisHost !== false,
        ),
        ...(tier === undefined ? {} : { tier }),
        ...(earlierAttempts === undefined ? {} : { earlierAttempts }),
        ...(targets.length === 0 ? {} : { targets: targets.length, probesAsked: probeNames(probes) }),
        engine: flags.engine,
        host: hostFacts(host),
      },
      openStack: async (signal) => {
        const stack = await stackOpener(host, loaded, reached, guard, token)(signal);
        try {
          return withFaultProcesses(stack, faulty, guard);
        } catch (thrown) {
          await stack.close();
          throw thrown;
        }
      },
      engine: openEngine({
        ...{ workers, agents, watchdog: guard, onConnecting: progress.connecting, module, inputs },
      }),
      watched:
        targets.length === 0
          ? null
          : { addresses: probes, ca: access.ca, onThisHost: targets.every((one) => one.onThisHost) },
      remarks: [dataNote(inputs), idleLimitsNote(loaded, reached)].filter((one) => one !== null),
      openNullServers:
        nullServers === undefined || agents !== null
          ? null
          : (workload, servers, signal) =>
              openNullServers(nullServers(workload, targets.length || servers, token, module), {
                ...{ token, watchdog: guard, signal },
              }),
      ...(agents === null ? {} : { uncalibrated: UNCALIBRATED }),
      readLog: readLogTail,
      keep,
    };
    try {
      const { measurements: facts, logs, warnings, bug } = await runWatched(host, plan, progress, signals);
      const measurements = host.redaction.data(facts);
      progress.end();
      complete();
      for (const warning of warnings) progress.say(`warning: ${warning}`);
      await keep(measurements);
      for (const [name, text] of logs) await write(`logs/${name}.log`, text);
      await whenKept();
      if (bug !== null) throw bug.thrown;
      if (measurements.ending.state === 'stackFailed') {
        const { because, hint } = measurements.ending;
        progress.say(`error: ${because}\nhint: ${hint}`);
      }
      const shown = host.redaction.data(scenario);
      const published = await publish(host, bundle, measurements, shown, flags, fixed);
      progress.judged?.(published.report, measurements, shown, published.page);
      await sendSeries?.(measurements, published.report, progress.say, signals.abort);
      return published;
    } catch (thrown) {
      progress.end();
      if (kept) progress.say(`the measurements are kept: capbench report ${bundle} judges them again`);
      throw thrown;
    }
  } finally {
    progress.end();
    const warning = await watchdog?.close();
    if (warning != null) progress.say(`warning: ${warning}`);
  }
}

/** The options of a run that concern its engine, as given. */
interface EngineFlags {
  readonly engine: EngineName;
  readonly workers?: string;
}

/** What a run passes to its engine. */
type EngineOptions = Omit<NativeEngineOptions, 'system' | 'name'>;

/**
 * The engine that `--engine` names. Before a bundle exists: bad input (104) where it cannot make this load, and 93 where
 * it is not installed.
 */
async function chooseEngine(
  { env, root }: Pick<Host, 'env' | 'root'>,
  { scenario, system }: Pick<LoadedScenario, 'scenario' | 'system'>,
  flags: EngineFlags,
  reached: RunTargets,
): Promise<(options: EngineOptions) => Engine> {
  const byFleet = (name: EngineName) => (options: EngineOptions) =>
    createNativeEngine({
      ...options,
      name,
      system: { workerModule: system.workerModule(scenario), deal: system.deal },
    });
  switch (flags.engine) {
    case 'native':
      return byFleet('native');
    case 'autocannon': {
      refuseShapes(scenario.load, '--engine autocannon');
      const refusal =
        system.engines?.autocannon === undefined
          ? `the system ${system.name} has no part for autocannon`
          : system.engines.autocannon(workloadOf(scenario, system.scenario), reached.targets);
      if (refusal !== null) throw badInput(`--engine autocannon: ${refusal}`, 'use --engine native');
      return byFleet('autocannon');
    }
    case 'k6': {
      refuseFlags(flags, reached);
      const { part } = k6PlanOf(system, scenario);
      const k6 = await findK6(env);
      const { deal = dealEvenly } = system;
      const modules = await k6ModulesOf({ root }, system);
      return ({ watchdog, onConnecting = () => {} }) =>
        createK6Engine({
          ...{ k6, system: part, deal, watchdog, onConnecting },
          script: (workload, urls) => k6Script({ system: part, modules }, workload, scenario, urls),
        });
    }
  }
}

/** Refuses options that k6 does not support. */
function refuseFlags({ workers }: EngineFlags, { access }: RunTargets): void {
  if (workers !== undefined) {
    throw badInput('--workers: k6 is always one process', 'leave --workers out, or use --engine native');
  }
  if (access.ca !== undefined || access.headers !== undefined) {
    throw badInput(
      `${access.ca === undefined ? '--header' : '--ca-file'}: --engine k6 sends no headers and only trusts the CA certificates of the system`,
      'use --engine native',
    );
  }
}

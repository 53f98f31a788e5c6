import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { resolve } from 'node:path';
import { badInput, type ExitCode } from '../errors.ts';
import type { Host } from '../host.ts';
import { createAutocannonEngine, refuseForAutocannon } from '../load/autocannon/engine.ts';
import type { Engine } from '../load/engine.ts';
import { findK6, type K6Binary } from '../load/k6/binary.ts';
import { createK6Engine } from '../load/k6/engine.ts';
import { unsupportedByK6 } from '../load/k6/unsupported.ts';
import { createNativeEngine, type NativeEngineOptions } from '../load/native.ts';
import { makeBundle, pointLatest, readLogTail, writeArtefact } from '../measurement/bundle.ts';
import type { HostFacts } from '../measurement/measurements.ts';
import { commitOf } from '../probe/commit.ts';
import { probeNames } from '../probe/target-probes.ts';
import { type RunPlan, run } from '../run/run.ts';
import { scenarioHash, writeScenario } from '../scenario/resolved.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { workloadOf } from '../scenario/workload.ts';
import { attachAny, isFluxWorld } from '../stack/any-server.ts';
import { openLocalStack } from '../stack/local.ts';
import { openNullWorld } from '../stack/null-world.ts';
import { attachTargets } from '../stack/remote.ts';
import type { Stack } from '../stack/stack.ts';
import { openWatchdog, type Watchdog } from '../stack/watchdog.ts';
import { consentLine, readingLine } from './consent.ts';
import { playerModuleOf, refuseWithoutTarget } from './player-module.ts';
import { openProgress } from './progress.ts';
import { publish } from './publish.ts';
import { refuseShapes } from './refuse-shapes.ts';
import type { RunFlags } from './run.ts';
import { loadScenario } from './scenario-files.ts';
import { stopSignals } from './stop-signals.ts';
import { type RunTargets, readTargets } from './targets.ts';

const MOST_WORKERS = 64;

/** `--workers`, or `CAPBENCH_WORKERS`; null leaves the number to the engine. */
function workersOf(host: Host, flag: string | undefined): number | null {
  const source = flag === undefined ? 'CAPBENCH_WORKERS' : '--workers';
  const text = flag ?? host.env.CAPBENCH_WORKERS ?? '';
  if (text === '' && flag === undefined) return null;
  const workers = Number(text);
  if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
    throw badInput(`${source}: "${text}" is there, expected a whole number of 1 to ${MOST_WORKERS}`);
  }
  return workers;
}

const hostFacts = ({ machine }: Host): HostFacts => ({
  cpuModel: os.cpus()[0]?.model ?? 'unknown',
  cpus: machine.cpus,
  memoryBytes: machine.memoryBytes,
  kernel: os.release(),
  platform: machine.platform,
  arch: machine.arch,
  node: machine.node,
});

/** A target's processes are not ours to kill: a run that left such a fault out would pass for one that had it. */
function refuseProcessFaults({ faults }: Scenario): void {
  const fault = faults.find(({ action }) => action !== 'drop');
  if (fault === undefined) return;
  throw badInput(
    `faults: ${fault.action} of ${fault.of} needs a stack that capbench started, and --target names one that it did not`,
    'leave --target out, or only drop sockets: --set "faults=[]" runs without faults',
  );
}

/** One run, from the command line to the bundle; resolves with the verdict's exit code. */
export async function executeRun(host: Host, reference: string, flags: RunFlags): Promise<ExitCode> {
  const progress = openProgress(host, flags.quiet === true);
  const signals = stopSignals(host, progress);
  let watchdog: Watchdog | null = null;
  try {
    const workers = workersOf(host, flags.workers);
    const loaded = await loadScenario(host, reference, flags);
    const { scenario } = loaded;
    const module = await playerModuleOf(loaded, flags);
    refuseWithoutTarget(loaded, flags.target.length);
    if (flags.engine !== 'native') refuseShapes(scenario.load, `--engine ${flags.engine}`);
    // Bad addresses are bad input: said before there is a bundle. Names are not resolved again after this.
    const reached = await readTargets(host, flags);
    const { targets, access, probes } = reached;
    if (targets.length > 0) refuseProcessFaults(scenario);
    if (flags.engine === 'autocannon') refuseForAutocannon(workloadOf(scenario), targets);
    const k6 = flags.engine === 'k6' ? await k6For(host, scenario, flags, reached) : null;
    const startedAt = new Date();
    const out = resolve(host.cwd, flags.out || host.env.CAPBENCH_OUT || 'reports');
    const bundle = await makeBundle(out, scenario.name, startedAt);
    const write = async (name: string, content: string): Promise<void> => {
      const warning = await writeArtefact(bundle, name, content, host.redaction);
      if (warning !== null) progress.say(`warning: ${warning}`);
    };
    await write('scenario.yaml', writeScenario(scenario));

    const consent = consentLine(targets, scenario.load);
    for (const line of [consent, readingLine(probes)]) if (line !== null) progress.say(line);
    const guard = await openWatchdog(host.env);
    watchdog = guard;
    const plan: RunPlan = {
      scenario,
      identity: {
        capbench: host.version,
        scenarioHash: scenarioHash(scenario),
        commit: await commitOf(host.cwd),
        startedAt: startedAt.toISOString(),
        stackKind: targets.length > 0 ? 'target' : 'local',
        colocated: [...targets, probes.postgres, probes.redis].every((one) => one?.onThisHost !== false),
        ...(targets.length === 0 ? {} : { probesAsked: probeNames(probes) }),
        engine: flags.engine,
        host: hostFacts(host),
      },
      openStack: stackOpener(host, scenario, reached, guard),
      engine: engineOf(flags, scenario, k6, {
        ...{ workers, watchdog: guard, onConnecting: progress.connecting, module },
      }),
      watched: targets.length === 0 ? null : { addresses: probes, ca: access.ca },
      openNullWorld: (size, signal) => openNullWorld({ ...size, watchdog: guard, signal }),
      readLog: readLogTail,
    };
    const { measurements: facts, logs } = await run(plan, progress, signals);
    const measurements = host.redaction.data(facts);
    progress.end();
    signals.complete();
    await write('measurements.json', JSON.stringify(measurements));
    for (const [name, text] of logs) await write(`logs/${name}.log`, text);
    if (measurements.ending.state === 'stackFailed') {
      const { because, hint } = measurements.ending;
      progress.say(`error: ${because}\nhint: ${hint}`);
    }
    const exitCode = await publish(host, bundle, measurements, scenario, flags);
    const warning = await pointLatest(bundle);
    if (warning !== null) progress.say(`warning: ${warning}`);
    return exitCode;
  } finally {
    progress.end();
    const warning = await watchdog?.close();
    if (warning != null) progress.say(`warning: ${warning}`);
    signals.dispose();
  }
}

/** The k6 of this machine, for a scenario that it can do: said before there is a bundle. */
async function k6For(
  host: Host,
  scenario: Scenario,
  { workers }: RunFlags,
  { access }: RunTargets,
): Promise<K6Binary> {
  if (workers !== undefined) {
    throw badInput(
      '--workers: k6 is one process, whatever its players',
      'leave --workers out, or use --engine native',
    );
  }
  if (access.ca !== undefined || access.headers !== undefined) {
    throw badInput(
      `${access.ca === undefined ? '--header' : '--ca-file'}: --engine k6 sends no headers and trusts what the system trusts`,
      'use --engine native',
    );
  }
  const unsupported = unsupportedByK6(scenario);
  if (unsupported !== null) throw badInput(unsupported.message, unsupported.hint);
  return findK6(host.env);
}

/** The engine that `--engine` names. */
function engineOf(
  { engine }: RunFlags,
  scenario: Scenario,
  k6: K6Binary | null,
  options: NativeEngineOptions,
): Engine {
  const { watchdog, onConnecting = () => {} } = options;
  if (k6 !== null) return createK6Engine({ k6, scenario, watchdog, onConnecting });
  return engine === 'autocannon' ? createAutocannonEngine(options) : createNativeEngine(options);
}

/** Players of one's own may drive any server; a module may drive the flux world as well, and is judged as there. */
async function attach(
  { players }: Scenario,
  { targets, access, probes }: RunTargets,
  signal: AbortSignal,
): Promise<Stack> {
  const any =
    players !== undefined && !(players.protocol === 'module' && (await isFluxWorld(targets, access, signal)));
  return (any ? attachAny : attachTargets)(targets, { signal, access, database: probes.postgres });
}

function stackOpener(
  host: Host,
  scenario: Scenario,
  { targets, access, probes }: RunTargets,
  watchdog: Watchdog,
): RunPlan['openStack'] {
  if (targets.length > 0) {
    return async (signal) => {
      const stack = await attach(scenario, { targets, access, probes }, signal);
      // The load's processes are ours, and guarded, also where the stack is somebody else's.
      return { ...stack, failure: Promise.race([stack.failure, watchdog.lost]) };
    };
  }
  // Made here, so that it is known as a secret before anybody could tell it.
  const password = randomBytes(24).toString('base64url');
  host.redaction.add(password, "the database's password");
  const postgresBin = host.env.CAPBENCH_POSTGRES_BIN || null;
  return (signal) => openLocalStack(scenario, { watchdog, signal, postgresBin, password });
}

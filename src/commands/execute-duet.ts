import os from 'node:os';
import { basename, join, resolve } from 'node:path';
import { monotonic } from '../clock.ts';
import type { Duet, DuetAttempt } from '../compare/duet.ts';
import { type Gate, gateOf } from '../compare/gate.ts';
import { type DuetOptions, isDuetResult, nextTrial, type PlannedTrial } from '../compare/next-trial.ts';
import { readTrial, type Trial } from '../compare/trial.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import type { Host } from '../host.ts';
import { makeBundle, makeFreshFolder, pointLatest } from '../measurement/bundle.ts';
import { stepFactsOf } from '../report/ladder-step.ts';
import type { StopSignals } from '../run/steps.ts';
import { parseDurationFlag } from '../scenario/overrides.ts';
import { scenarioHash } from '../scenario/resolved.ts';
import { faultsOf } from '../scenario/workload.ts';
import { seconds as toMicros, toSeconds } from '../units.ts';
import { MOST_RETRIES } from './attempts.ts';
import {
  comparisonOf,
  duetPrinter,
  PAGE,
  readDuetFolder,
  readMeasured,
  writeDuet,
  writeFacts,
} from './duet-folder.ts';
import { type DuetPlan, openVersions, planDuet, startedIn, type VersionFlags } from './duet-versions.ts';
import { type GateFlags, readGateFlags } from './gate-flags.ts';
import { type TierFlags, wholeNumber } from './options.ts';
import { openProgress } from './progress.ts';
import { openFixedPaths, type TellingFlags } from './publish.ts';
import { refuseOtherConditions } from './resumed.ts';
import { nearby } from './shown-path.ts';
import { prepareAgain, runInto, type SingleRunFlags, workersOf } from './single-run.ts';
import { ownSignals, stopSignals } from './stop-signals.ts';
import { chooseTier } from './tiers.ts';

/** The options of `capbench duet`, as given. */
export interface DuetFlags
  extends Omit<SingleRunFlags, 'engine' | 'charts'>,
    VersionFlags,
    TierFlags,
    GateFlags,
    TellingFlags {
  readonly mostTrials: string;
  readonly timeLimit: string;
  readonly retryInvalid: string;
  readonly resume?: string;
  readonly out?: string;
  readonly summary?: string;
  readonly report?: string;
}

const MOST_TRIALS = 200;
/** The measure phase of each trial, unless --duration says otherwise: more and shorter trials show more of how they differ. */
const SHORT_SECONDS = 10;

/** What the trials of a duet share. */
interface Stage {
  readonly plan: DuetPlan;
  readonly folders: Awaited<ReturnType<typeof openVersions>>['folders'];
  readonly root: string;
  readonly quiet: boolean;
}

/** A duet, from the command line to its folder; resolves with the exit code of its verdict. */
export async function executeDuet(host: Host, reference: string, given: DuetFlags): Promise<ExitCode> {
  // Pictures of every trial's charts would take longer than a short trial.
  const flags = { ...given, engine: 'native', charts: false } as const;
  const lines = openProgress(host, true);
  const signals = stopSignals(host, lines);
  let open: Awaited<ReturnType<typeof openVersions>> | null = null;
  const close = async (): Promise<void> => {
    const closing = open;
    open = null;
    for (const warning of (await closing?.close()) ?? []) lines.say(`warning: ${warning}`);
  };
  try {
    const fixed = await openFixedPaths(host, given, [reference]);
    const options: DuetOptions = {
      mostTrials: wholeNumber('--most-trials', flags.mostTrials, MOST_TRIALS),
      timeLimitSeconds: toSeconds(parseDurationFlag(flags.timeLimit, '--time-limit')),
      retries:
        flags.retryInvalid === '0' ? 0 : wholeNumber('--retry-invalid', flags.retryInvalid, MOST_RETRIES),
    };
    const asked = readGateFlags(flags);
    const workers = workersOf(host, flags.workers);
    const plan = await planDuet(host, { reference, flags, workers, tier: await chooseTier(host, flags) });
    const fresh = newDuet(host, flags, plan, asked);
    const resumed = flags.resume === undefined ? null : resolve(host.cwd, flags.resume);
    const earlier = resumed === null ? null : await readDuetFolder(resumed);
    if (earlier !== null) refuseOther(earlier, fresh, flags.resume ?? '');
    let duet: Duet = earlier === null ? fresh : { ...earlier, result: null };
    const versions = await openVersions(host, plan, signals.stop);
    open = versions;
    const out = resolve(host.cwd, flags.out || host.env.CAPBENCH_OUT || 'reports');
    const root =
      resumed ?? (await makeBundle(out, `${duet.scenario}-duet`, new Date(Date.parse(duet.startedAt))));
    if (resumed === null) {
      const warning = await pointLatest(root);
      if (warning !== null) lines.say(`warning: ${warning}`);
    }
    if (plan.checkout !== null && duet.base.commit === duet.head.commit && duet.head.changes === null)
      lines.say('note: base and head are the same commit, and no tracked file is changed');
    await versions.prepare(root);
    const trials = new Map(await readMeasured(root, duet));
    const shown = duetPrinter(host, flags, nearby(host, join(root, PAGE)));
    shown.head(duet, options);
    for (const attempt of duet.attempts) shown.attempt(duet, attempt, trials.get(attempt.attempt) ?? null);
    await writeFacts(host, root, duet);
    const stage: Stage = { plan, folders: versions.folders, root, quiet: flags.quiet === true };
    let comparison = comparisonOf(duet, trials);
    for (;;) {
      const next = nextTrial(duet, options, comparison);
      if (isDuetResult(next)) {
        duet = { ...duet, result: next };
        break;
      }
      if (signals.stop.aborted) break;
      const made = await makeTrial(host, stage, next, duet, signals);
      if (made === null) break;
      trials.set(made.attempt.attempt, made.trial);
      duet = {
        ...duet,
        seconds: made.isTooShort ? duet.fullSeconds : duet.seconds,
        attempts: [...duet.attempts, made.attempt],
      };
      await writeFacts(host, root, duet);
      shown.attempt(duet, made.attempt, made.trial);
      comparison = comparisonOf(duet, trials);
      if (made.attempt.trial % 2 === 0 && comparison !== null) shown.pairs(duet, comparison);
    }
    await close();
    const unwritten = await writeDuet(host, root, duet, comparison, fixed);
    const exitCode = shown.end(duet, comparison);
    if (duet.result === null)
      lines.say(
        `the finished trials are kept: --resume ${nearby(host, root)} goes on, with the same options`,
      );
    return exitCode === EXIT.pass ? (unwritten ?? exitCode) : exitCode;
  } finally {
    await close();
    lines.end();
    signals.dispose();
  }
}

function newDuet(
  host: Host,
  flags: DuetFlags,
  { base, head }: DuetPlan,
  asked: ReturnType<typeof readGateFlags>,
): Duet {
  const { scenario } = head.opened.base;
  const fullSeconds = toSeconds(scenario.load.duration);
  const isGiven = flags.duration !== undefined || Boolean(host.env.CAPBENCH_DURATION);
  const isWhole = isGiven || scenario.load.stages !== undefined || faultsOf(scenario).length > 0;
  return {
    ...{ schemaVersion: 1, kind: 'duet', capbench: host.version },
    ...{ scenario: scenario.name, system: scenario.system, scenarioHash: scenarioHash(scenario) },
    ...{ gate: withServer(gateOf(scenario.gate ?? null, asked), head), seed: scenario.seed },
    ...{ seconds: isWhole ? fullSeconds : Math.min(fullSeconds, SHORT_SECONDS), fullSeconds },
    startedAt: new Date().toISOString(),
    host: { name: os.hostname(), cpuModel: os.cpus()[0]?.model ?? 'unknown', cpus: host.machine.cpus },
    ...{ base: base.facts, head: head.facts, attempts: [], result: null },
  };
}

/**
 * Names the server that both versions are, where CPU or memory decide: a metric that is named and was not measured is no pass, while
 * of a family what a system lacks is left out.
 */
function withServer(gate: Gate, { prepared }: DuetPlan['head']): Gate {
  const { starts } = prepared.reached;
  const named = OF_THE_SERVER.filter((family) => gate.metrics.includes(family));
  return { ...gate, metrics: [...gate.metrics, ...named.map((family) => `${family}.${starts?.name}`)] };
}
const OF_THE_SERVER = ['cpuPerOperation', 'memoryPerPlayer'];

/** @throws CapbenchError (104) where the earlier duet is another one */
function refuseOther(earlier: Duet, fresh: Duet, shown: string): void {
  const differences = [
    ['scenario', earlier.scenario, fresh.scenario],
    ['scenario hash', earlier.scenarioHash.slice(0, 12), fresh.scenarioHash.slice(0, 12)],
    ['length of its trials', `${earlier.fullSeconds} s`, `${fresh.fullSeconds} s`],
    ['gate', JSON.stringify(earlier.gate), JSON.stringify(fresh.gate)],
    ['host', earlier.host.name, fresh.host.name],
    ['CPU', `${earlier.host.cpus} x ${earlier.host.cpuModel}`, `${fresh.host.cpus} x ${fresh.host.cpuModel}`],
    ...(['base', 'head'] as const).flatMap((version) => [
      [`command of ${version}`, earlier[version].command, fresh[version].command] as const,
      [`commit of ${version}`, earlier[version].commit ?? 'none', fresh[version].commit ?? 'none'] as const,
      [
        `state of ${version}`,
        earlier[version].changes?.slice(0, 12) ?? 'unchanged',
        fresh[version].changes?.slice(0, 12) ?? 'unchanged',
      ] as const,
    ]),
  ] as const;
  refuseOtherConditions('duet', shown, differences, 'scenario, versions and options');
}

interface MadeTrial {
  readonly attempt: DuetAttempt;
  readonly trial: Trial;
  /** It had too few answers to judge, and could have had more. */
  readonly isTooShort: boolean;
}

/** One trial, as a whole run; null where it was interrupted. */
async function makeTrial(
  host: Host,
  { plan, folders, root, quiet }: Stage,
  { trial, version, seed }: PlannedTrial,
  { attempts, seconds, fullSeconds }: Duet,
  signals: StopSignals,
): Promise<MadeTrial | null> {
  const { opened, prepared } = plan[version];
  const folder = folders[version];
  const loaded = startedIn(opened.with({ seed, duration: toMicros(seconds) }), folder);
  const bundle = await makeFreshFolder(root, `trial-${String(trial).padStart(2, '0')}-${version}`);
  const began = monotonic();
  const startedAt = new Date();
  const progress = openProgress(host, quiet);
  const stopping = ownSignals(signals);
  try {
    const { report, verdict } = await runInto(
      host,
      await prepareAgain(host, prepared, loaded),
      {
        ...{ bundle, startedAt, fixed: [], complete: () => {}, ...stopping },
        ...(folder === null ? {} : { codeFolder: folder }),
      },
      progress,
      async () => {},
    );
    const { exitCode, outcome, headline, invalidBecause } = report;
    if (exitCode === EXIT.interrupted) return null;
    return {
      attempt: {
        ...{ attempt: attempts.length + 1, trial, version, seed, seconds, bundle: basename(bundle) },
        ...{ outcome, exitCode, because: invalidBecause[0] ?? headline, startedAt: startedAt.toISOString() },
        tookSeconds: Math.round((monotonic() - began) / 1e5) / 10,
      },
      trial: readTrial(JSON.stringify(report), basename(bundle)),
      isTooShort:
        exitCode === EXIT.invalid && seconds < fullSeconds && stepFactsOf(report, verdict).gaveOut === null,
    };
  } catch (thrown) {
    if (attempts.length > 0)
      progress.say(`the trials before it are kept: --resume ${nearby(host, root)} goes on`);
    throw thrown;
  } finally {
    progress.end();
    stopping.dispose();
  }
}

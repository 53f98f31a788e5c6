import os from 'node:os';
import { basename, join, resolve } from 'node:path';
import { monotonic } from '../clock.ts';
import type { Dashboard, LastWords } from '../dashboard/dashboard.ts';
import { badInput, CapbenchError, EXIT, type ExitCode, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { makeBundle, makeFreshFolder, pointLatest } from '../measurement/bundle.ts';
import type { Ladder, LadderStep } from '../model/ladder.ts';
import { isResult, nextStep, type Planned, type SearchOptions } from '../model/next-step.ts';
import { latencyLimitOf, stepFactsOf } from '../report/ladder-step.ts';
import { loadedFrom, searchVerdict } from '../report/ladder-text.ts';
import { streamSeed } from '../rng.ts';
import type { StopSignals } from '../run/steps.ts';
import { parseDurationFlag } from '../scenario/overrides.ts';
import { withOwnLoad } from '../scenario/own-load.ts';
import { scenarioHash } from '../scenario/resolved.ts';
import { MOST_PLAYERS } from '../scenario/schema.ts';
import { faultsOf } from '../scenario/workload.ts';
import { grouped, seconds as toMicros, toSeconds } from '../units.ts';
import { type DashboardFlags, openLiveView, withView } from './live-view.ts';
import { percentOf, type TierFlags, wholeNumber } from './options.ts';
import { openProgress } from './progress.ts';
import { openFixedPaths, type TellingFlags } from './publish.ts';
import { type Condition, refuseOtherConditions } from './resumed.ts';
import { type LoadedScenario, openScenario } from './scenario-files.ts';
import { PAGE, readSearch, searchPrinter, writeFacts, writeSearch } from './search-folder.ts';
import { nearby } from './shown-path.ts';
import {
  isSameServer,
  type PreparedRun,
  prepareAgain,
  prepareRun,
  runInto,
  type SingleRunFlags,
  workersOf,
} from './single-run.ts';
import { refuseWithoutMemory } from './stack-opener.ts';
import { ownSignals, stopSignals } from './stop-signals.ts';
import { chooseTier } from './tiers.ts';

/** The options of `capbench search`, as given. */
export interface SearchFlags
  extends Omit<SingleRunFlags, 'engine' | 'charts' | 'scale'>,
    TierFlags,
    TellingFlags,
    DashboardFlags {
  readonly precision: string;
  readonly confirm: string;
  readonly from?: string;
  readonly most?: string;
  readonly timeLimit: string;
  readonly resume?: string;
  readonly out?: string;
  readonly summary?: string;
  readonly report?: string;
}

const MOST_CONFIRMATIONS = 50;
/** As of --scale. */
const LARGEST_SCALE = 100;
/** A measure phase far from the answer: this share of the scenario's, and at least so many seconds. */
const [SHORT_SHARE, SHORTEST_SECONDS] = [0.25, 8];

type Opened = Awaited<ReturnType<typeof openScenario>>;

/** A search, from the command line to its folder; resolves with the exit code of its verdict. */
export async function executeSearch(host: Host, reference: string, given: SearchFlags): Promise<ExitCode> {
  // Pictures of every step's charts would take longer than a short step.
  const flags = { ...given, engine: 'native', charts: false } as const;
  const lines = openProgress(host, true);
  const signals = stopSignals(host, lines);
  let live: Dashboard | null = null;
  let words: Omit<LastWords, 'over'> = {};
  try {
    const fixed = await openFixedPaths(host, given, [reference]);
    const precisionPercent = percentOf('--precision', flags.precision, 0.5, 50);
    const confirm = wholeNumber('--confirm', flags.confirm, MOST_CONFIRMATIONS);
    const timeLimitSeconds = toSeconds(parseDurationFlag(flags.timeLimit, '--time-limit'));
    if (host.env.CAPBENCH_SCALE) {
      throw badInput(
        'CAPBENCH_SCALE is set, and a search chooses the scale of each step itself',
        'unset it; --from PLAYERS says where the search begins',
      );
    }
    const workers = workersOf(host, flags.workers);
    const opened = await openScenario(host, reference, flags, 0, await chooseTier(host, flags));
    const { base } = opened;
    const prepared = await prepareRun(host, base, flags, workers);
    const { options, most } = optionsOf(flags, opened, prepared, { confirm, timeLimitSeconds });
    const startedAt = new Date();
    const resumed = flags.resume === undefined ? null : resolve(host.cwd, flags.resume);
    let ladder: Ladder = {
      ...{ schemaVersion: 1, kind: 'search', capbench: host.version, scenario: base.scenario.name },
      ...{ system: base.scenario.system, scenarioHash: scenarioHash(base.scenario), precisionPercent },
      ...{ basePlayers: base.scenario.load.players, seed: base.scenario.seed },
      ...(base.tier === undefined ? { tier: null } : { tier: base.tier.id, tierFacts: base.tier }),
      ...(prepared.agents === null ? {} : { agents: prepared.agents.agents.map(({ shown }) => shown) }),
      ...{ startedAt: startedAt.toISOString(), sameServer: isSameServer(prepared), latencyLimit: null },
      host: { name: os.hostname(), cpuModel: os.cpus()[0]?.model ?? 'unknown', cpus: host.machine.cpus },
      ...{ steps: [], result: null },
    };
    if (resumed !== null) {
      const earlier = await readSearch(resumed);
      refuseOther(earlier, ladder, flags.resume ?? '');
      ladder = { ...earlier, result: null };
    }
    live = await openLiveView(host, flags, lines.say);
    const out = resolve(host.cwd, flags.out || host.env.CAPBENCH_OUT || 'reports');
    const root = resumed ?? (await makeBundle(out, `${base.scenario.name}-search`, startedAt));
    if (resumed === null) {
      const warning = await pointLatest(root);
      if (warning !== null) lines.say(`warning: ${warning}`);
    }
    const shown = searchPrinter(host, flags, nearby(host, join(root, PAGE)));
    const save = (): Promise<void> => writeFacts(host, root, ladder);
    shown.head(ladder, options, most);
    for (const step of ladder.steps) shown.step(step);
    await save();
    for (;;) {
      const next = nextStep(ladder, options);
      if (isResult(next)) {
        ladder = { ...ladder, result: next };
        break;
      }
      if (signals.stop.aborted) break;
      const taken = await takeStep(
        host,
        { opened, prepared, root, quiet: flags.quiet === true, live },
        next,
        ladder,
        signals,
      );
      if (taken === null) break;
      const { step, latencyLimit } = taken;
      ladder = {
        ...ladder,
        latencyLimit: ladder.latencyLimit ?? latencyLimit,
        steps: [...ladder.steps, step],
      };
      await save();
      shown.step(step);
    }
    const unwritten = await writeSearch(host, root, ladder, fixed);
    shown.end(ladder);
    if (ladder.result === null)
      lines.say(`the finished steps are kept: --resume ${nearby(host, root)} goes on, with the same options`);
    const { exitCode: verdict } = searchVerdict(ladder);
    const exitCode = verdict === EXIT.pass ? (unwritten ?? verdict) : verdict;
    words = { exitCode };
    return exitCode;
  } catch (thrown) {
    words = { because: messageOf(thrown) };
    throw thrown;
  } finally {
    lines.end();
    await live?.close({ over: 'the search', ...words });
    signals.dispose();
  }
}

/** The limits of a search, and why it cannot go beyond its most players; null where that was asked for. */
function optionsOf(
  flags: SearchFlags,
  opened: Opened,
  prepared: PreparedRun,
  given: Pick<SearchOptions, 'confirm' | 'timeLimitSeconds'>,
): { readonly options: SearchOptions; readonly most: string | null } {
  const { scenario } = opened.base;
  const { load } = scenario;
  const whole = (name: string, text: string | undefined, byDefault: number): number =>
    text === undefined ? byDefault : wholeNumber(name, text, MOST_PLAYERS);
  const asked = whole('--most', flags.most, Math.min(MOST_PLAYERS, LARGEST_SCALE * load.players));
  /** Why so many players cannot be tried here. */
  const refusal = (players: number): CapbenchError | null => {
    try {
      const loaded = opened.with({ scale: players / load.players });
      if (prepared.reached.targets.length === 0) refuseWithoutMemory(loaded);
      return null;
    } catch (thrown) {
      if (thrown instanceof CapbenchError) return thrown;
      throw thrown;
    }
  };
  const playersAt = (players: number): number =>
    opened.with({ scale: players / load.players }).scenario.load.players;
  // Where the fewest are refused, the number between them and the scenario's own from which on they are not.
  const fewest = refusal(1) === null ? 1 : boundary(load.players, 0, (players) => refusal(players) === null);
  const least = playersAt(fewest);
  const largest =
    refusal(asked) === null
      ? asked
      : boundary(Math.min(asked, load.players), asked, (players) => refusal(players) === null);
  const grain = grainOf(least, playersAt);
  const most = Math.max(least, grain * Math.floor(largest / grain));
  const from = whole('--from', flags.from, Math.min(load.players, most));
  if (from > most || from < least) {
    throw badInput(
      `--from: got ${from}, expected ${grouped(least)} to ${grouped(most)} players`,
      'more than 100 times the players of the scenario, or than --most, are not tried',
    );
  }
  const fullSeconds = toSeconds(load.duration);
  const isWhole = load.stages !== undefined || faultsOf(scenario).length > 0;
  const shortSeconds = isWhole
    ? fullSeconds
    : Math.min(fullSeconds, Math.max(SHORTEST_SECONDS, Math.ceil(SHORT_SHARE * fullSeconds)));
  const why = largest < asked ? refusal(largest + 1) : null;
  return {
    options: { ...given, from, least, most, grain, shortSeconds, fullSeconds },
    most: why?.message ?? null,
  };
}

/** The last number from `good` towards `bad` that is allowed. */
function boundary(good: number, bad: number, isAllowed: (players: number) => boolean): number {
  let [allowed, refused] = [good, bad];
  while (Math.abs(refused - allowed) > 1) {
    const middle = Math.trunc((allowed + refused) / 2);
    if (isAllowed(middle)) allowed = middle;
    else refused = middle;
  }
  return allowed;
}

/** Of the numbers from the least on, how far apart those are that a system can have: 2 where players play in pairs. */
function grainOf(least: number, playersAt: (players: number) => number): number {
  const some = Array.from({ length: 9 }, (_, i) => playersAt(least + i));
  const steps = some.flatMap((players, i) => {
    const step = players - (some[i - 1] ?? players);
    return step > 0 ? [step] : [];
  });
  return Math.max(1, Math.min(...steps, 8));
}

/** @throws CapbenchError (104) where the earlier search is another one */
function refuseOther(ladder: Ladder, fresh: Ladder, shown: string): void {
  const differences: readonly Condition[] = [
    ['scenario', ladder.scenario, fresh.scenario],
    ['tier', ladder.tier ?? 'none', fresh.tier ?? 'none'],
    ['source of the load', loadedFrom(ladder), loadedFrom(fresh)],
    ['scenario hash', ladder.scenarioHash.slice(0, 12), fresh.scenarioHash.slice(0, 12)],
    ['precision', `${ladder.precisionPercent}%`, `${fresh.precisionPercent}%`],
    ['host', ladder.host.name, fresh.host.name],
    ['CPU', `${ladder.host.cpus} x ${ladder.host.cpuModel}`, `${fresh.host.cpus} x ${fresh.host.cpuModel}`],
    ['kind of server', String(ladder.sameServer), String(fresh.sameServer)],
  ];
  refuseOtherConditions('search', shown, differences, 'scenario and options');
}

/** What the steps of a search share. */
interface Search {
  readonly opened: Opened;
  readonly prepared: PreparedRun;
  readonly root: string;
  readonly quiet: boolean;
  readonly live: Dashboard | null;
}

/** One step, as a whole run; null where it was interrupted. */
async function takeStep(
  host: Host,
  { opened, prepared, root, quiet, live }: Search,
  { players, seconds, purpose }: Planned,
  { steps, basePlayers, seed }: Ladder,
  signals: StopSignals,
): Promise<{ readonly step: LadderStep; readonly latencyLimit: Ladder['latencyLimit'] } | null> {
  const step = steps.length + 1;
  const scale = players / basePlayers;
  const own = streamSeed(seed, step);
  const isFull = seconds === toSeconds(opened.base.scenario.load.duration);
  const read = opened.with({
    ...{ scale, seed: own },
    ...(isFull ? {} : { duration: toMicros(seconds) }),
  });
  const loaded: LoadedScenario = { ...read, scenario: withOwnLoad(read.scenario, opened.base.scenario) };
  const bundle = await makeFreshFolder(root, `step-${String(step).padStart(2, '0')}`);
  const began = monotonic();
  const progress = openProgress(host, quiet);
  const stopping = ownSignals(signals);
  try {
    const { report, verdict } = await runInto(
      host,
      await prepareAgain(host, prepared, loaded),
      { bundle, startedAt: new Date(), fixed: [], complete: () => {}, ...stopping },
      withView(progress, live?.run(`step ${step}: ${grouped(loaded.scenario.load.players)} players`)),
      async () => {},
    );
    if (report.exitCode === EXIT.interrupted) return null;
    return {
      step: {
        ...{ step, players: loaded.scenario.load.players, scale, purpose, seconds, seed: own },
        bundle: basename(bundle),
        ...stepFactsOf(report, verdict),
        tookSeconds: Math.round((monotonic() - began) / 1e5) / 10,
      },
      latencyLimit: latencyLimitOf(report),
    };
  } catch (thrown) {
    if (step > 1) progress.say(`the steps before it are kept: --resume ${nearby(host, root)} goes on`);
    throw thrown;
  } finally {
    progress.end();
    stopping.dispose();
  }
}

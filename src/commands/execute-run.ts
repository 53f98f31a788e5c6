import { resolve } from 'node:path';
import type { Dashboard, LastWords } from '../dashboard/dashboard.ts';
import { type ExitCode, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { makeBundle, pointLatest } from '../measurement/bundle.ts';
import { MOST_RETRIES, runAttempts } from './attempts.ts';
import { type BaselineFlags, foreseenDifferences, openBaseline, tellCompared } from './baseline.ts';
import { executeTrials } from './execute-trials.ts';
import { type DashboardFlags, openLiveView, withView } from './live-view.ts';
import { type FixedPathFlags, type TierFlags, wholeNumber } from './options.ts';
import { openProgress } from './progress.ts';
import { openFixedPaths, type TellingFlags } from './publish.ts';
import { loadScenario } from './scenario-files.ts';
import { checkDestinations, readOut, seriesSender } from './series-out.ts';
import {
  isSameServer,
  prepareRun,
  type RunPlace,
  runInto,
  type SingleRunFlags,
  workersOf,
} from './single-run.ts';
import { stopSignals } from './stop-signals.ts';
import { chooseTier } from './tiers.ts';

/** The options of `capbench run`, as given. */
export interface RunFlags
  extends SingleRunFlags,
    FixedPathFlags,
    TierFlags,
    BaselineFlags,
    TellingFlags,
    DashboardFlags {
  readonly trials?: string;
  readonly retryInvalid?: string;
  readonly out: readonly string[];
}

const MOST_TRIALS = 50;

/** One run, or several trials, from the command line to the bundle; resolves with the exit code of the verdict. */
export async function executeRun(host: Host, reference: string, flags: RunFlags): Promise<ExitCode> {
  const progress = openProgress(host, flags.quiet === true);
  const signals = stopSignals(host, progress);
  let live: Dashboard | null = null;
  let words: Omit<LastWords, 'over'> = {};
  try {
    const baseline = await openBaseline(host, flags);
    const fixed = await openFixedPaths(host, flags, [reference, ...(baseline?.arm.files ?? [])]);
    const { folder: out, destinations } = readOut(host, flags.out);
    await checkDestinations(destinations);
    const sendSeries = seriesSender(host, destinations);
    const workers = workersOf(host, flags.workers);
    const trials = flags.trials === undefined ? null : wholeNumber('--trials', flags.trials, MOST_TRIALS);
    const retries =
      flags.retryInvalid === undefined ? 0 : wholeNumber('--retry-invalid', flags.retryInvalid, MOST_RETRIES);
    const attempts = { retries, say: progress.say };
    const loaded = await loadScenario(host, reference, flags, 0, await chooseTier(host, flags));
    const prepared = await prepareRun(host, loaded, flags, workers);
    if (baseline !== null)
      for (const one of foreseenDifferences(host, baseline, loaded.scenario)) progress.say(`warning: ${one}`);
    live = await openLiveView(host, flags, progress.say);
    const bundles = resolve(host.cwd, out ?? (host.env.CAPBENCH_OUT || 'reports'));
    const startedAt = new Date();
    const folder = await makeBundle(bundles, loaded.scenario.name, startedAt);
    const latest = async (): Promise<void> => {
      const warning = await pointLatest(folder);
      if (warning !== null) progress.say(`warning: ${warning}`);
    };
    const runOne = (attempt: RunPlace, whenKept: () => Promise<void>, name: string | null) => {
      const { earlierAttempts: earlier = [] } = attempt;
      const number = retries === 0 ? [] : [`attempt ${earlier.length + 1}`];
      const names = [...(name === null ? [] : [name]), ...number];
      const view = live?.run(names.length === 0 ? null : names.join(', '));
      const shown = withView(openProgress(host, flags.quiet === true), view);
      return runInto(host, prepared, attempt, shown, whenKept);
    };
    if (trials === null) {
      progress.end();
      const first = { bundle: folder, startedAt, fixed, sendSeries, ...signals };
      const judged = await runAttempts(first, attempts, (attempt) => runOne(attempt, latest, null));
      const exitCode = await tellCompared(host, baseline, folder, judged, flags);
      words = { exitCode };
      return exitCode;
    }
    await latest();
    progress.end();
    const sameServer = isSameServer(prepared);
    const plan = { root: folder, requested: trials, sameServer, flags, fixed, baseline };
    const exitCode = await executeTrials(
      host,
      plan,
      signals,
      progress.say,
      (bundle, { stop, abort }, trial) =>
        runAttempts(
          { bundle, startedAt: new Date(), fixed: [], sendSeries, stop, abort, complete: () => {} },
          attempts,
          (attempt) => runOne(attempt, async () => {}, `trial ${trial} of ${trials}`),
        ),
    );
    words = { exitCode };
    return exitCode;
  } catch (thrown) {
    words = { because: messageOf(thrown) };
    throw thrown;
  } finally {
    progress.end();
    await live?.close({ over: 'the run', ...words });
    signals.dispose();
  }
}

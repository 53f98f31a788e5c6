import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, type ExitCode } from '../errors.ts';
import type { Host } from '../host.ts';
import { unwritable } from '../measurement/bundle.ts';
import type { StopSignals } from '../run/steps.ts';
import type { Published } from './publish.ts';
import { folderOf } from './recorded-trials.ts';
import { ownSignals } from './stop-signals.ts';
import { openTrials, type TrialsPlan } from './trials-folder.ts';

/** One run into a bundle. */
type RunOne = (bundle: string, signals: StopSignals, trial: number) => Promise<Published>;

/**
 * Runs a scenario several times, each time on a fresh stack and into a bundle of its own. A stop signal ends the trial that
 * is in progress, and no other is begun. The exit code is the worst of all.
 */
export async function executeTrials(
  host: Host,
  plan: TrialsPlan,
  signals: StopSignals,
  say: (text: string) => void,
  runOne: RunOne,
): Promise<ExitCode> {
  const { root, requested } = plan;
  const trials = openTrials(host, plan, true);
  for (let trial = 1; trial <= requested && !signals.stop.aborted; trial++) {
    say(`trial ${trial} of ${requested}${plan.sameServer ? ', of the same server' : ''}`);
    const bundle = join(root, folderOf(trial));
    await mkdir(bundle, { recursive: true }).catch((error) => {
      throw unwritable(bundle, error);
    });
    const own = ownSignals(signals);
    try {
      await trials.ended(trial, await runOne(bundle, own, trial));
    } catch (thrown) {
      if (trial > 1) say(`the trials before it are kept: capbench report ${root} prints them`);
      throw thrown;
    } finally {
      own.dispose();
    }
  }
  return (await trials.end()) ?? EXIT.interrupted;
}

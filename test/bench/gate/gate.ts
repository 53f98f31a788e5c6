/**
 * `npm run bench:gate`: the error rates of the gate. Short trials of a server against itself and against versions of it
 * that use more CPU for each operation are made in turn, and drawn in blocks into decisions; then some decisions are made
 * for real, by `capbench duet`. Each trial is kept, so that it can be done in slices.
 */

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readTrial, type Trial } from '../../../src/compare/trial.ts';
import { EXIT, type ExitCode } from '../../../src/errors.ts';
import { timeoutSignal } from '../../../src/supervision/time-limit.ts';
import { root, runBench, say } from '../capbench.ts';
import { ARMS, ROUNDS, SAME } from './arm.ts';
import { faultsOf, findingsOf, pairsByArm, sensitivitiesOf } from './findings.ts';
import { decideLive, liveMissing, MOST_LIVE_MINUTES, readLive } from './live.ts';
import { invalidTrials, measureTrials, trialsMissing, trialText } from './measure.ts';
import { tablesOf } from './table.ts';

const FOREIGN_PERCENT = 10;

const HELP = `npm run bench:gate -- [--most-minutes N] [--out FOLDER] [--foreign PERCENT] [--markdown] [--no-measuring]

${ROUNDS} short trials of each of ${ARMS.length} arms in turn (some 42 minutes), then 8 decisions by \`capbench duet\` of at most ${MOST_LIVE_MINUTES} minutes each,
on a machine on which nothing else runs. What is made is kept in FOLDER (reports/bench-gate) and not repeated: --most-minutes
stops after so long, and the next call goes on. --no-measuring prints the tables of what there is. --foreign: CPU of other
processes beside which a trial still counts (${FOREIGN_PERCENT}% of the host). Exit code 0 when all aims are met, 99 when one is not, 90 while
measurements are missing, 105 after Ctrl-C.
`;

function readOptions(words: readonly string[]) {
  const { values } = parseArgs({
    args: [...words],
    options: {
      'most-minutes': { type: 'string', default: '600' },
      out: { type: 'string', default: `${root}/reports/bench-gate` },
      foreign: { type: 'string', default: String(FOREIGN_PERCENT) },
      markdown: { type: 'boolean', default: false },
      'no-measuring': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values['most-minutes']);
  const foreignPercent = Number.parseFloat(values.foreign);
  if (values.help || !(minutes > 0) || !(foreignPercent >= 0 && foreignPercent <= 100)) return null;
  return {
    ...{ minutes, foreignPercent, folder: resolve(values.out), isMarkdown: values.markdown },
    isMeasuring: !values['no-measuring'],
  };
}
type Options = NonNullable<ReturnType<typeof readOptions>>;

async function measureAll(
  { folder, minutes, foreignPercent, isMeasuring }: Options,
  stop: AbortSignal,
): Promise<void> {
  if (!isMeasuring) return;
  const signal = AbortSignal.any([stop, timeoutSignal(minutes * 60e3)]);
  const bench = { folder, foreignPercent, signal, say };
  await measureTrials(bench);
  if (trialsMissing(folder) === 0) await decideLive(bench);
}

function report({ folder, isMarkdown }: Options): ExitCode {
  const trialOf = (round: number, arm: string): Trial | null => {
    const found = trialText(folder, round, { name: arm });
    if (found === null) return null;
    const trial = readTrial(found.text, found.file);
    // The hash of the whole scenario, in reports that have none of its sections: each round has another seed.
    const { scenario: _, ...identity } = trial.identity;
    return { ...trial, identity };
  };
  const pairs = pairsByArm(
    trialOf,
    ROUNDS,
    ARMS.map(({ name }) => name),
  );
  const findings = findingsOf(pairs);
  const live = readLive(folder);
  const tables = tablesOf(findings, sensitivitiesOf(pairs.get(SAME.name) ?? []), live, isMarkdown);
  if (tables !== '') process.stdout.write(`${tables}\n\n`);
  const [missing, undecided] = [trialsMissing(folder), liveMissing(folder)];
  process.stdout.write(
    `${ARMS.length * ROUNDS - missing} trials, ${missing} missing, ${invalidTrials(folder).length} without a conclusion; ${live.length} live decisions, ${undecided} missing.\n`,
  );
  if (missing > 0 || undecided > 0) return EXIT.invalid;
  const faults = faultsOf(findings, live);
  for (const sentence of faults) say(sentence);
  return faults.length === 0 ? EXIT.pass : EXIT.breached;
}

await runBench(async (stop) => {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(HELP);
    return EXIT.badInput;
  }
  await measureAll(options, stop);
  return stop.aborted ? EXIT.interrupted : report(options);
});

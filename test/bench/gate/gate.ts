/**
 * `npm run bench:gate`: the error rates of the gate. Short trials of a server against itself and against versions of it
 * that use more CPU for each operation are made in turn, and drawn in blocks into decisions; then some decisions are made
 * for real, by `capbench duet`. Each trial is kept, so that it can be done in slices.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, type ExitCode, messageOf } from '../../../src/errors.ts';
import { STOP_SIGNALS } from '../../../src/host.ts';
import { ROUNDS, root, SLOWER } from './arm.ts';
import { invalidTrials, measureTrials, trialsMissing } from './measure.ts';

const FOREIGN_PERCENT = 10;
const ARMS = 2 + SLOWER.length;

const HELP = `npm run bench:gate -- [--most-minutes N] [--out FOLDER] [--foreign PERCENT] [--markdown] [--no-measuring]

${ROUNDS} short trials of each of ${ARMS} arms in turn (some 42 minutes), then 8 decisions by \`capbench duet\` of at most 5 minutes each,
on a machine on which nothing else runs. What is made is kept in FOLDER (reports/bench-gate) and not repeated: --most-minutes
stops after so long, and the next call goes on. --no-measuring prints the table of what there is. --foreign: CPU of other
processes beside which a trial still counts (${FOREIGN_PERCENT}% of the host). Exit code 0 when all aims are met, 99 when one is not, 90 while
measurements are missing, 105 after Ctrl-C.
`;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

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
    ...{ minutes, foreignPercent, folder: resolve(values.out), markdown: values.markdown },
    isMeasuring: !values['no-measuring'],
  };
}
type Options = NonNullable<ReturnType<typeof readOptions>>;

async function measureAll(
  { folder, minutes, foreignPercent, isMeasuring }: Options,
  stop: AbortSignal,
): Promise<void> {
  if (!isMeasuring) return;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(minutes * 60e3)]);
  await measureTrials({ folder, foreignPercent, signal, say });
}

function report({ folder }: Options): ExitCode {
  const missing = trialsMissing(folder);
  process.stdout.write(
    `${ARMS * ROUNDS - missing} trials, ${missing} missing, ${invalidTrials(folder).length} without a conclusion.\n`,
  );
  return EXIT.invalid;
}

const stop = new AbortController();
for (const name of STOP_SIGNALS) process.on(name, () => stop.abort());
let code: ExitCode = EXIT.badInput;
try {
  const options = readOptions(process.argv.slice(2));
  if (options === null) process.stdout.write(HELP);
  else {
    await measureAll(options, stop.signal);
    code = stop.signal.aborted ? EXIT.interrupted : report(options);
  }
} catch (thrown) {
  say(messageOf(thrown));
  code = EXIT.bug;
}
process.exitCode = code;

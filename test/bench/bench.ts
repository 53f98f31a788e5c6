/**
 * `npm run bench`: capbench beside bare loops that do as little as can be done, interleaved, as ratios. They are
 * comparable where the figures are not: on another machine, or on one that is busy with something else.
 */
import { EXIT, type ExitCode, messageOf } from '../../src/errors.ts';
import { STOP_SIGNALS } from '../../src/host.ts';
import { type BenchRun, withRun } from './bench-run.ts';
import { type Comparison, lineOf, tableOf } from './comparison.ts';
import { compareMonsterPosts } from './monster-posts.ts';
import { compareRoundTrips } from './round-trips.ts';
import { compareRowWrites } from './row-writes.ts';
import { compareStartUp } from './start-up.ts';

const PARTS: Readonly<Record<string, (run: BenchRun) => Promise<Comparison[]>>> = {
  'round-trips': compareRoundTrips,
  'row-writes': compareRowWrites,
  'monster-posts': compareMonsterPosts,
  'start-up': compareStartUp,
};

const HELP = `npm run bench -- [--json] [part...]

Times capbench beside bare loops, interleaved in one run, and prints ratios: medians over the rounds, with the
smallest and the largest. Parts: ${Object.keys(PARTS).join(', ')}; all of them in about four minutes.
`;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** Runs the parts one after another. A part that cannot be timed is reported and left out; the result is then false. */
async function compareAll(run: BenchRun, parts: readonly string[], json: boolean): Promise<boolean> {
  const comparisons: Comparison[] = [];
  let whole = true;
  for (const part of parts) {
    try {
      comparisons.push(...((await PARTS[part]?.(run)) ?? []));
    } catch (thrown) {
      run.signal.throwIfAborted();
      say(`${part}: ${messageOf(thrown)}`);
      whole = false;
    }
  }
  const lines = comparisons.map(lineOf);
  const notes = comparisons.flatMap(({ note }) => (note === undefined ? [] : ['', note]));
  const text = json ? JSON.stringify(lines, null, 2) : [tableOf(lines), ...notes].join('\n');
  process.stdout.write(`${text}\n`);
  return whole;
}

async function exitCodeOf(words: readonly string[], signal: AbortSignal): Promise<ExitCode> {
  const named = words.filter((word) => word !== '--json');
  if (named.some((name) => !(name in PARTS))) {
    process.stdout.write(HELP);
    return named.includes('--help') ? EXIT.pass : EXIT.badInput;
  }
  const parts = named.length === 0 ? Object.keys(PARTS) : named;
  try {
    const whole = await withRun(signal, say, (run) => compareAll(run, parts, words.includes('--json')));
    return whole ? EXIT.pass : EXIT.bug;
  } catch (thrown) {
    if (signal.aborted) return EXIT.interrupted;
    say(messageOf(thrown));
    return EXIT.bug;
  }
}

const stop = new AbortController();
for (const name of STOP_SIGNALS) process.on(name, () => stop.abort());
const code = await exitCodeOf(process.argv.slice(2), stop.signal);
// A run of the engine that was given up may still have a timer.
process.stdout.write('', () => process.exit(code));

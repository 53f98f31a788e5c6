/**
 * `npm run bench`: capbench beside bare loops that do as little as can be done, interleaved, as ratios. They are
 * comparable where the figures are not: on another machine, or on one that is busy with something else.
 */
import { tmpdir } from 'node:os';
import { EXIT, messageOf } from '../../src/errors.ts';
import { STOP_SIGNALS } from '../../src/host.ts';
import { openRunFolder } from '../../src/stack/run-folder.ts';
import { openWatchdog } from '../../src/stack/watchdog.ts';
import type { BenchRun } from './bench-run.ts';
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

Times capbench beside bare loops, interleaved in one run, and prints ratios. Parts: ${Object.keys(PARTS).join(', ')};
all of them without a name, in about three minutes.`;

const words = process.argv.slice(2);
const json = words.includes('--json');
const named = words.filter((word) => word !== '--json');

async function main(signal: AbortSignal): Promise<void> {
  const watchdog = await openWatchdog(process.env);
  try {
    const folder = await openRunFolder(watchdog, [tmpdir(), '/tmp']);
    try {
      const progress = (text: string): void => void process.stderr.write(`${text}\n`);
      const comparisons: Comparison[] = [];
      for (const [name, compare] of Object.entries(PARTS)) {
        if (named.length > 0 && !named.includes(name)) continue;
        comparisons.push(...(await compare({ watchdog, folder, signal, progress })));
      }
      const lines = comparisons.map(lineOf);
      process.stdout.write(`${json ? JSON.stringify(lines, null, 2) : tableOf(lines)}\n`);
    } finally {
      await folder.remove();
    }
  } finally {
    await watchdog.close();
  }
}

const stop = new AbortController();
for (const name of STOP_SIGNALS) process.on(name, () => stop.abort());
if (named.some((name) => !(name in PARTS))) {
  process.stdout.write(`${HELP}\n`);
  process.exit(named.includes('--help') ? EXIT.pass : EXIT.badInput);
}
try {
  await main(stop.signal);
} catch (thrown) {
  if (!stop.signal.aborted) process.stderr.write(`${messageOf(thrown)}\n`);
  process.exitCode = stop.signal.aborted ? EXIT.interrupted : EXIT.bug;
}

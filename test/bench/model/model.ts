/**
 * `npm run bench:model`: what the model of `capbench size` is worth. One host is made into several machines, costs are
 * measured with small loads, and larger loads and the capacity of other machines are predicted from them; then these are
 * measured, too. Each measurement is kept, so that it can be done in slices.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, type ExitCode } from '../../../src/errors.ts';
import { timeoutSignal } from '../../../src/supervision/time-limit.ts';
import { root, runBench, say } from '../capbench.ts';
import { jobsOf, nameOf } from './job.ts';
import { measure } from './measure.ts';
import { type Measurement, readMeasurement, type Way } from './measurement.ts';
import { checksOf, faultsOf, summaryOf } from './prediction-check.ts';
import { markdownOf, summaryText, textOf } from './table.ts';
import { WORLDS } from './world.ts';

const FOREIGN_PERCENT = 10;

const HELP = `npm run bench:model -- [--most-minutes N] [--out FOLDER] [--world NAME]... [--foreign PERCENT]
                       [--markdown] [--no-measuring]

Measures small loads, predicts larger ones and other machines, and measures those; tens of minutes in all, on a machine
on which nothing else runs. Machines are made by limits of the whole stack: by quota of a control group where CAPBENCH_CGROUP
names one, else by one CPU beside a process of known duty. Each measurement is a JSON file in FOLDER (reports/bench-model),
and is not repeated: --most-minutes stops after so long, and the next call goes on. An interrupted search is resumed.
--no-measuring prints the table of what there is. --foreign: CPU of other processes beside which a run still counts (${FOREIGN_PERCENT}%
of the host); with more, what is measured is that of a busy machine.
Worlds: ${WORLDS.map(({ name }) => name).join(', ')}. Exit code 0 when all aims are met, 99 when one is not, 90 while measurements are
missing, 105 after Ctrl-C.
`;

/** An attempt that came to nothing is repeated once in a slice. */
const ATTEMPTS = 2;

function readOptions(words: readonly string[]) {
  const { values } = parseArgs({
    args: [...words],
    options: {
      'most-minutes': { type: 'string', default: '600' },
      out: { type: 'string', default: join(root, 'reports', 'bench-model') },
      world: { type: 'string', multiple: true, default: WORLDS.map(({ name }) => name) },
      foreign: { type: 'string', default: String(FOREIGN_PERCENT) },
      markdown: { type: 'boolean', default: false },
      'no-measuring': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values['most-minutes']);
  const foreignPercent = Number.parseFloat(values.foreign);
  const isKnown = values.world.every((name) => WORLDS.some((world) => world.name === name));
  if (values.help || !isKnown || !(minutes > 0) || !(foreignPercent >= 0 && foreignPercent <= 100))
    return null;
  return {
    ...{ minutes, foreignPercent, folder: resolve(values.out), markdown: values.markdown },
    worlds: WORLDS.filter(({ name }) => values.world.includes(name)),
    isMeasuring: !values['no-measuring'],
  };
}
type Options = NonNullable<ReturnType<typeof readOptions>>;

const way: Way = process.env.CAPBENCH_CGROUP ? 'quota' : 'duty';
const fileOf = (folder: string, name: string): string => join(folder, `${name}.json`);

/** A file is whole or not there. */
function keep(folder: string, name: string, record: Measurement): void {
  const file = fileOf(folder, name);
  writeFileSync(`${file}.part`, `${JSON.stringify(record, null, 1)}\n`);
  renameSync(`${file}.part`, file);
}

/** Measures what is missing until the time is over. Resolves with how many measurements are still missing. */
async function measureAll(
  { folder, minutes, foreignPercent, worlds, isMeasuring }: Options,
  stop: AbortSignal,
): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const missing = jobsOf(worlds, way).filter((job) => !existsSync(fileOf(folder, nameOf(job))));
  if (!isMeasuring) return missing.length;
  const signal = AbortSignal.any([stop, timeoutSignal(minutes * 60e3)]);
  let left = missing.length;
  for (const job of missing) {
    for (let attempt = 1; attempt <= ATTEMPTS && !signal.aborted; attempt++) {
      const begin = performance.now();
      const record = await measure(job, { folder, foreignPercent, signal });
      const took = `${((performance.now() - begin) / 1e3).toFixed(0)} s`;
      if ('because' in record) {
        say(`${nameOf(job)}: nothing, after ${took}: ${record.because}`);
        continue;
      }
      keep(folder, nameOf(job), record);
      left -= 1;
      say(
        `${nameOf(job)}: ${record.kind === 'run' ? `${record.point.players} players` : `${record.lastPass} to ${record.firstFail} players`}, ${took}; ${left} to go`,
      );
      break;
    }
    if (signal.aborted) break;
  }
  return left;
}

function report({ folder, worlds, markdown }: Options, missing: number): ExitCode {
  const records = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readMeasurement(readFileSync(join(folder, name), 'utf8'), join(folder, name)))
    .filter((record) => record.way === way);
  const checks = worlds.flatMap((world) => checksOf(world, records));
  if (checks.length > 0) process.stdout.write(`${markdown ? markdownOf(checks) : textOf(checks)}\n\n`);
  const summary = summaryOf(checks);
  if (summary !== null) process.stdout.write(`${summaryText(summary)}\n`);
  process.stdout.write(
    `Machines by ${way === 'quota' ? 'quota of a control group' : 'one CPU beside a process of known duty'}; ${records.length} measurements, ${missing} missing.\n`,
  );
  if (missing > 0 || summary === null) return EXIT.invalid;
  const faults = faultsOf(summary);
  for (const sentence of faults) say(sentence);
  return faults.length === 0 ? EXIT.pass : EXIT.breached;
}

await runBench(async (stop) => {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(HELP);
    return EXIT.badInput;
  }
  const missing = await measureAll(options, stop);
  return stop.aborted ? EXIT.interrupted : report(options, missing);
});

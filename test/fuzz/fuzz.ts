/** `npm run fuzz`: 10,000 damaged inputs, made from a seed, for every verb that reads what others wrote. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT } from '../../src/errors.ts';
import { STOP_SIGNALS } from '../../src/host.ts';
import { columnsOf } from '../columns.ts';
import { bundleTest } from './bundle.ts';
import { type Campaign, campaign, type Failure, type Summary } from './campaign.ts';
import { execute, inputOf } from './execute.ts';
import { commandLine, lay } from './input.ts';
import { TARGETS, targetOf } from './targets.ts';

const HELP = `npm run fuzz -- [--seed N] [--inputs N] [--only TARGET] [--charts]
npm run fuzz -- --replay 'TARGET:SEED:INDEX'

Tries damaged files and options on every verb that reads them, and fails when one crashes, hangs, takes longer
than 2 s, passes without a right to, or is not told properly. The same seed makes the same inputs.
--charts draws the charts of every report too, which takes ten times as long.
Targets: ${TARGETS.map((target) => target('.').name).join(', ')}
`;

const root = resolve(process.env.npm_config_local_prefix ?? process.cwd());
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function table({ targets }: Summary): string {
  const codes = [...new Set(targets.flatMap((target) => [...target.codes.keys()]))].sort((a, b) => a - b);
  const rows = [
    ['target', 'inputs', ...codes.map((code) => (code < 0 ? 'no end' : `exit ${code}`)), 'slowest', 'memory'],
    ...targets.map(({ target, inputs, codes: own, slowest, memoryBytes }) => [
      target,
      String(inputs),
      ...codes.map((code) => String(own.get(code) ?? 0)),
      `${slowest.milliseconds.toFixed(0)} ms (${slowest.index})`,
      `${(memoryBytes / 2 ** 20).toFixed(0)} MB`,
    ]),
  ];
  return columnsOf(rows);
}

/** Where a failing input is left for whoever looks into it. */
function keep({ target, first: { seed, index } }: Failure): string {
  const folder = mkdtempSync(join(tmpdir(), 'capbench-fuzz-failed-'));
  const input = inputOf(targetOf(root, target), seed, index);
  lay(input, folder);
  return commandLine(input, folder);
}

function failureText(failure: Failure): string {
  const { target, fault, first, times } = failure;
  return [
    `${target}: ${fault}${times > 1 ? ` (${times} times)` : ''}`,
    `  ${first.made}; again: npm run fuzz -- --replay '${target}:${first.seed}:${first.index}'`,
    `  ${keep(failure)}`,
  ].join('\n');
}

async function replay(coordinates: string): Promise<number> {
  const [name = '', seed, index] = coordinates.split(':');
  const { faults, made, milliseconds } = await execute(
    root,
    targetOf(root, name),
    { seed: Number(seed), index: Number(index) },
    ({ code, out, err, folder, input }) => {
      say(`${commandLine(input, folder)}\n${out}${err}exit code ${code}`);
    },
  );
  say(`${made}, ${milliseconds.toFixed(0)} ms`);
  for (const fault of faults) say(`✗ ${fault}`);
  return faults.length === 0 ? EXIT.pass : EXIT.bug;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      inputs: { type: 'string', default: '10000' },
      only: { type: 'string' },
      charts: { type: 'boolean', default: false },
      replay: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    say(HELP);
    return EXIT.pass;
  }
  if (values.replay !== undefined) return replay(values.replay);
  const begin = performance.now();
  const interrupted = new AbortController();
  for (const name of STOP_SIGNALS) process.once(name, () => interrupted.abort());
  const plan: Campaign = {
    root,
    seed: Number(values.seed),
    inputs: Number(values.inputs),
    only: values.only ?? null,
    worker: await bundleTest(root, 'worker', values.charts),
    signal: interrupted.signal,
  };
  const summary = await campaign(plan);
  say(table(summary));
  const seconds = ((performance.now() - begin) / 1e3).toFixed(0);
  if (summary.failures.length === 0 && interrupted.signal.aborted) {
    say(`\ninterrupted, no failure until then, seed ${plan.seed}, ${seconds} s`);
    return EXIT.interrupted;
  }
  if (summary.failures.length === 0) {
    say(`\nno failure, seed ${plan.seed}, ${seconds} s`);
    return EXIT.pass;
  }
  say(`\n${summary.failures.length} kinds of failure, seed ${plan.seed}, ${seconds} s\n`);
  for (const failure of summary.failures) say(failureText(failure));
  return EXIT.bug;
}

process.exitCode = await main();

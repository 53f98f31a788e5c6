/**
 * `npm run worlds`: each broken variant and negative control of the reference worlds is caught. With KILLS=30 also: the small
 * scenarios pass, the promised failures are survived, and each component is killed so many times. Ends with 1 when anything is
 * not as it must be. ONLY=mud,kills picks by name from all, QUIET=10 runs only the small scenarios, of which so many runs 9 of 10
 * have to pass: only there a busy machine counts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '../../src/errors.ts';
import { ANY_MACHINE, CAUGHT, type Case, PROMISED, QUIET, SERIES } from './cases.ts';
import { unexpectedIn } from './expectation.ts';
import { type FinishedRun, type Plan, runScenario } from './finished-run.ts';
import { judgeKills, type KillSeries, planOf } from './kill-series.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const only = process.env.ONLY?.split(',') ?? null;
/** Null: only what has to be caught. */
const kills = process.env.KILLS === undefined ? null : Number(process.env.KILLS);
/** Of a series that is picked by name. */
const FEW_KILLS = 3;
const quietRuns = process.env.QUIET === undefined ? null : Number(process.env.QUIET);
/** An invalid run says nothing, and is repeated. */
const MOST_REPEATS = 2;
const onAnyMachine = (plan: Plan): Plan => ({ ...plan, set: [...ANY_MACHINE, ...(plan.set ?? [])] });
const QUIET_SHARE = 0.9;

const isChosen = ({ name }: { readonly name: string }): boolean =>
  only === null || only.some((part) => name.includes(part));
const isWhole = kills !== null || only !== null;

interface Outcome {
  readonly name: string;
  readonly run: FinishedRun;
  readonly repeats: number;
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

async function play(one: Case, out: string): Promise<Outcome> {
  const plan = onAnyMachine(one);
  let run = await runScenario(plan, out);
  let repeats = 0;
  while (run.code === EXIT.invalid && repeats < MOST_REPEATS) {
    repeats += 1;
    run = await runScenario(plan, out);
  }
  return { name: one.name, run, repeats, lines: [], problems: unexpectedIn(run, one) };
}

async function playKills(series: KillSeries, out: string): Promise<Outcome> {
  const times = kills ?? FEW_KILLS;
  const run = await runScenario(onAnyMachine(planOf(series, times)), out);
  return { name: series.scenario, run, repeats: 0, ...judgeKills(series, times, run) };
}

function tell({ name, run, repeats, lines, problems }: Outcome): void {
  const state = problems.length === 0 ? 'as expected' : 'NOT AS EXPECTED';
  const repeated = repeats === 0 ? '' : `, after ${repeats} invalid runs`;
  say(`${name}: exit code ${run.code} after ${run.seconds.toFixed(0)} s, ${state}${repeated}`);
  for (const line of lines) say(`  ${line}`);
  for (const problem of problems) say(`  ${problem}`);
  if (problems.length > 0) say(`  ${run.bundle}`);
}

/** How many of the quiet runs of a scenario pass. */
async function passes(one: Case, runs: number, out: string): Promise<boolean> {
  let passed = 0;
  for (let i = 0; i < runs; i++) {
    const run = await runScenario(one, out);
    const problems = unexpectedIn(run, one);
    if (problems.length === 0) passed += 1;
    tell({ name: `${one.name} ${i + 1}`, run, repeats: 0, lines: [], problems });
  }
  const isEnough = passed >= QUIET_SHARE * runs;
  say(`${one.name}: ${passed} of ${runs} runs passed${isEnough ? '' : ', WHICH IS NOT ENOUGH'}`);
  return isEnough;
}

async function quiet(runs: number, out: string): Promise<boolean> {
  let all = true;
  for (const one of QUIET.filter(isChosen)) all = (await passes(one, runs, out)) && all;
  return all;
}

async function all(out: string): Promise<boolean> {
  const begin = performance.now();
  const outcomes: Outcome[] = [];
  const add = (outcome: Outcome): void => {
    tell(outcome);
    outcomes.push(outcome);
  };
  const cases = isWhole ? [...QUIET, ...PROMISED, ...CAUGHT] : CAUGHT;
  for (const one of cases.filter(isChosen)) add(await play(one, out));
  for (const series of isWhole ? SERIES : [])
    if (isChosen({ name: series.scenario })) add(await playKills(series, out));
  const wrong = outcomes.filter(({ problems }) => problems.length > 0);
  const minutes = (performance.now() - begin) / 60e3;
  say(
    `${outcomes.length - wrong.length} of ${outcomes.length} as expected, in ${minutes.toFixed(1)} minutes`,
  );
  for (const { name } of wrong) say(`  not as expected: ${name}`);
  return wrong.length === 0 && outcomes.length > 0;
}

const out = mkdtempSync(join(tmpdir(), 'capbench-worlds-'));
const isGood = await (quietRuns === null ? all(out) : quiet(quietRuns, out));
if (isGood) rmSync(out, { recursive: true, force: true });
else say(`the bundles are in ${out}`);
process.exitCode = isGood ? 0 : 1;

/**
 * `npm run bench:truth`: load generators against servers whose delays are known, at one rate. What each says of
 * its latencies stands beside what is true for requests that arrive evenly, whatever became of the ones before.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { EXIT, type ExitCode, messageOf } from '../../../src/errors.ts';
import { STOP_SIGNALS } from '../../../src/host.ts';
import { type BenchRun, type Helper, pauseSeconds, startHelper, withRun } from '../bench-run.ts';
import { figure } from '../figures.ts';
import { CAPBENCH, MONSTERS, PLAYERS } from './capbench.ts';
import { MODELS } from './delays.ts';
import { faultsOf, type Line, medianOf, unknownsOf } from './line.ts';
import { percentilesOf } from './percentiles.ts';
import { markdownOf, textOf } from './table.ts';
import type { Tool } from './tool.ts';
import { TOOLS } from './tools.ts';

const RATE = 1000;
const SECONDS = 6;
const REPEATS = 3;
/** A whole number of stalls, so that they are a tenth of what is measured. */
const EVEN = 2;
const WARM_UP_SECONDS = 2;
/** At a bend the truth is a range: so many slow requests more or less decide what stands there. */
const BEND_SLACK = 0.0015;
/** Connections of the tool before are closed by then. */
const PAUSE_SECONDS = 0.5;

/** A known world that collects its garbage a few times a second is late as often. */
const YOUNG = ['--min-semi-space-size=16'];

const AT_REAL_TIME = 'CAPBENCH_TRUTH_AT_REAL_TIME';

const HELP = `npm run bench:truth -- [--model NAME]... [--tool NAME]... [--repeats N] [--seconds N] [--rate N]
                       [--markdown | --json]

Load generators against servers whose delays are known, one after another at one rate; the medians of three rounds,
in about twenty minutes.
Models: ${Object.keys(MODELS).join(', ')}. A tool is named by the beginning of its name. Exit code 99 when capbench
is off by more than 1% or 0.5 ms, whichever is larger, at p50, p90, p95 or p99; 90 when a server's own answers were late
meanwhile, so that nothing follows from it. Exactly 90% of the requests meet no
stall: at p90 of that model three slow requests in two thousand make 3 ms of nothing, and the truth is a range.
`;

interface Options {
  readonly models: readonly string[];
  readonly tools: readonly Tool[];
  readonly repeats: number;
  readonly seconds: number;
  readonly rate: number;
  readonly form: 'text' | 'markdown' | 'json';
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** Null when they are not understood. */
function readOptions(words: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...words],
    options: {
      model: { type: 'string', multiple: true, default: Object.keys(MODELS) },
      tool: { type: 'string', multiple: true, default: [''] },
      repeats: { type: 'string', default: String(REPEATS) },
      seconds: { type: 'string', default: String(SECONDS) },
      rate: { type: 'string', default: String(RATE) },
      markdown: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [repeats, seconds, rate] = [Number(values.repeats), Number(values.seconds), Number(values.rate)];
  const tools = TOOLS.filter(({ name }) => values.tool.some((tool) => name.startsWith(tool)));
  const known = values.model.every((model) => model in MODELS);
  const bounded = seconds >= EVEN && seconds <= 60 && seconds % EVEN === 0 && rate >= 1 && rate <= 5000;
  const repeated = Number.isSafeInteger(repeats) && repeats >= 1 && repeats <= 9;
  if (values.help || !known || !bounded || !repeated || tools.length === 0) return null;
  const form = values.json ? 'json' : values.markdown ? 'markdown' : 'text';
  return { models: values.model, tools, repeats, seconds, rate, form };
}

interface KnownWorld {
  readonly model: string;
  readonly helper: Helper;
  readonly url: string;
}

async function measure(
  run: BenchRun,
  tool: Tool,
  { model, helper, url }: KnownWorld,
  options: Options,
): Promise<Line> {
  await pauseSeconds(PAUSE_SECONDS, run.signal);
  await helper.ask('take');
  const { rate, seconds } = options;
  const { percentiles, perSecond } = await tool.measure(run, { url, rate, seconds });
  const seen = await helper.ask('take');
  const { quantile, bend } = MODELS[model]!(0);
  const atMost = (share: number): number => quantile(share === bend ? share + BEND_SLACK : share);
  return {
    ...{ model, tool: tool.name, wire: tool.wire, ours: tool.ours, perSecond, reported: percentiles },
    truth: percentilesOf((percent) => quantile(percent / 100) / 1e3),
    atMost: percentilesOf((percent) => atMost(percent / 100) / 1e3),
    seen: percentilesOf((percent) => figure(seen, `p${percent}`) / 1e3),
    lateP99: figure(seen, 'lateP99') / 1e3,
  };
}

interface Results {
  readonly lines: readonly Line[];
  /** `k6 v2.2.0`, of those that ran. */
  readonly versions: readonly string[];
  readonly missing: readonly string[];
}

/** Tools in turn, each against every model, and all of it again: what else the host does meets them all alike. */
async function measureAll(run: BenchRun, options: Options): Promise<Results> {
  const worlds: KnownWorld[] = [];
  for (const model of options.models) {
    const helper = await startHelper(run, 'known-world', [model, PLAYERS, MONSTERS], {
      execArgv: YOUNG,
    });
    worlds.push({ model, helper, url: `http://127.0.0.1:${figure(await helper.next(), 'port')}` });
  }
  // A server that has just begun is slow to whoever asks first.
  say('warming up the servers');
  for (const { url } of worlds) {
    for (const tool of CAPBENCH)
      await tool.measure(run, { url, rate: options.rate, seconds: WARM_UP_SECONDS });
  }
  const versions = new Set<string>();
  const missing: string[] = [];
  const here: Tool[] = [];
  for (const tool of options.tools) {
    const version = await tool.version();
    if (version === null) missing.push(`${tool.name} is not here: ${tool.obtain}`);
    else here.push(tool);
    if (version !== null && !tool.ours) versions.add(version);
  }
  const measured: Line[] = [];
  for (let round = 1; round <= options.repeats; round++) {
    for (const tool of here) {
      say(`round ${round} of ${options.repeats}: ${tool.name} over ${tool.wire}`);
      for (const world of worlds) {
        try {
          const line = await measure(run, tool, world, options);
          measured.push(line);
          say(textOf([line]).split('\n').slice(1).join('\n'));
        } catch (thrown) {
          run.signal.throwIfAborted();
          if (tool.ours) throw thrown;
          say(`${tool.name}, ${world.model}: ${messageOf(thrown)}`);
        }
      }
    }
  }
  await Promise.all(worlds.map(({ helper }) => helper.stop()));
  return {
    lines: options.models.flatMap((model) =>
      here.flatMap(({ name, wire }) => {
        const rounds = measured.filter(
          (line) => line.model === model && line.tool === name && line.wire === wire,
        );
        return rounds.length === 0 ? [] : [medianOf(rounds)];
      }),
    ),
    ...{ versions: [...versions], missing },
  };
}

function report({ lines, versions, missing }: Results, form: Options['form']): ExitCode {
  if (form === 'json') {
    process.stdout.write(`${JSON.stringify({ lines, versions, missing }, null, 2)}\n`);
  } else {
    const priority = process.env[AT_REAL_TIME] === undefined ? 'normal' : 'real-time';
    const host = `${availableParallelism()} cores, all at ${priority} priority, Node ${process.versions.node}`;
    const table = form === 'markdown' ? markdownOf(lines) : textOf(lines);
    process.stdout.write(`${table}\n\n(${[host, ...versions].join(', ')}.)\n`);
  }
  for (const one of missing) say(one);
  const [unknowns, faults] = [unknownsOf(lines), faultsOf(lines)];
  for (const sentence of [...faults, ...unknowns]) say(sentence);
  if (faults.length === 0) return EXIT.pass;
  return unknowns.length === 0 ? EXIT.breached : EXIT.invalid;
}

/**
 * Client and server on two cores spend more time waiting for the scheduler than is to be told apart here. Where it
 * may be had, all of them alike, servers, tools and this process, run at real-time priority: nothing waits for whoever
 * happens to have the core. Resolves to the exit code of the run that was started so; null where there is none.
 */
async function atRealTime(words: readonly string[]): Promise<number | null> {
  if (process.env[AT_REAL_TIME] !== undefined) return null;
  const chrt = (...args: readonly string[]) =>
    spawn('chrt', ['-r', '1', ...args], { stdio: 'inherit', env: { ...process.env, [AT_REAL_TIME]: '1' } });
  const ended = (child: ChildProcess) =>
    new Promise<number | null>((resolve) => {
      child.once('error', () => resolve(null));
      child.once('exit', (status) => resolve(status));
    });
  if ((await ended(chrt('true'))) !== 0) return null;
  const child = chrt(process.execPath, process.argv[1] ?? '', ...words);
  for (const name of STOP_SIGNALS) process.on(name, () => child.kill(name));
  return (await ended(child)) ?? EXIT.bug;
}

const words = process.argv.slice(2);
const already = await atRealTime(words);
if (already !== null) process.exit(already);

const stop = new AbortController();
for (const name of STOP_SIGNALS) process.on(name, () => stop.abort());
let code: ExitCode = EXIT.badInput;
try {
  const options = readOptions(words);
  if (options === null) process.stdout.write(HELP);
  else
    code = await withRun(stop.signal, say, async (run) =>
      report(await measureAll(run, options), options.form),
    );
} catch (thrown) {
  say(messageOf(thrown));
  code = stop.signal.aborted ? EXIT.interrupted : EXIT.bug;
}
// A run of the engine that was given up may still have a timer.
process.stdout.write('', () => process.exit(code));

import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../../src/errors.ts';
import type { Measurements } from '../../src/measurement/measurements.ts';
import type { Report } from '../../src/report/report.ts';
import { columnsOf } from '../columns.ts';
import { processesIn } from '../stack/leftovers.ts';
import { type Reading, readProcesses } from './processes.ts';
import { type Point, type Trend, trendOf } from './slope.ts';

/**
 * `npm run soak`: 30 minutes of 2,000 players, or SOAK_MINUTES of them. Every process of the run is looked at from
 * outside every 5 s: private memory, descriptors, threads. Over the last two thirds of the measure phase none of
 * them may grow. Ends with 1 when one does, when the run did not complete or lost data, or when something is left.
 */
const EVERY_MS = 5_000;
/**
 * Growth over the time that is looked at: of memory the larger of the two. Between two full collections V8's heap
 * swings by 30 MB and for minutes: a short soak may see one rise of it and nothing else.
 */
const SHORT_MINUTES = 10;
const TOLERATED_BYTES = { short: 32 * 2 ** 20, long: 16 * 2 ** 20 };
const TOLERATED_SHARE = 0.1;
const TOLERATED_DESCRIPTORS = 4;
const TOLERATED_THREADS = 2;
/** Exit codes of a run that completed and kept its data. */
const GOOD: ReadonlySet<number | null> = new Set([EXIT.pass, EXIT.breached, EXIT.invalid]);
const LEFT_LIMIT_MS = 10_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const root = fileURLToPath(new URL('..', import.meta.url));
const minutes = Number(process.env.SOAK_MINUTES ?? 30);

interface Life {
  readonly pid: number;
  readonly name: string;
  readonly readings: readonly Reading[];
}

/** By process, in the order in which they were first seen; only what was read in the span (seconds since 1970). */
function livesIn(readings: readonly Reading[], from: number, to: number): Life[] {
  const lives = new Map<string, Reading[]>();
  for (const reading of readings) {
    if (reading.at < from || reading.at > to) continue;
    const key = `${reading.pid} ${reading.name}`;
    lives.set(key, [...(lives.get(key) ?? []), reading]);
  }
  return [...lives.values()].flatMap((own) => {
    const [first] = own;
    return first === undefined ? [] : [{ pid: first.pid, name: first.name, readings: own }];
  });
}

interface Found {
  readonly life: Life;
  readonly memory: Trend;
  readonly descriptors: Trend;
  readonly threads: Trend;
}

function examine(life: Life): Found {
  const points = (figure: (reading: Reading) => number): Point[] =>
    life.readings.map((reading) => [reading.at, figure(reading)]);
  const memory = points(({ anonymousBytes }) => anonymousBytes);
  const least = Math.min(...memory.map(([, bytes]) => bytes));
  return {
    life,
    memory: trendOf(
      memory,
      Math.max(TOLERATED_BYTES[minutes < SHORT_MINUTES ? 'short' : 'long'], TOLERATED_SHARE * least),
    ),
    descriptors: trendOf(
      points(({ descriptors }) => descriptors),
      TOLERATED_DESCRIPTORS,
    ),
    threads: trendOf(
      points(({ threads }) => threads),
      TOLERATED_THREADS,
    ),
  };
}

const mb = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const signed = (value: string): string => (value.startsWith('-') ? value : `+${value}`);

function tell(found: readonly Found[]): void {
  const rows = found.map(({ life, memory, descriptors, threads }) => [
    life.name,
    String(life.pid),
    mb(memory.median),
    memory.slope === null
      ? 'too short'
      : [memory.slope.perSecond, memory.slope.low, memory.slope.high]
          .map((slope) => signed(mb(slope * 3600)))
          .join(' '),
    signed(mb(memory.growth)),
    `${descriptors.median} ${signed(descriptors.growth.toFixed(1))}`,
    `${threads.median} ${signed(threads.growth.toFixed(1))}`,
    Object.entries({ 'MEMORY GROWS': memory, 'DESCRIPTORS GROW': descriptors, 'THREADS GROW': threads })
      .flatMap(([word, { grows }]) => (grows ? [word] : []))
      .join(', ') || 'flat',
  ]);
  const head = ['process', 'pid', 'MB', 'MB/h (99%: low high)', 'MB grown', 'descriptors', 'threads', ''];
  say(columnsOf([head, ...rows], () => true));
}

async function main(): Promise<void> {
  if (!(minutes > 0 && minutes <= 24 * 60)) throw new Error('SOAK_MINUTES is above 0 and at most 1440');
  const folder = mkdtempSync(join(tmpdir(), 'soak-'));
  const tmp = join(folder, 't');
  const out = join(root, 'reports');
  const child = spawn(
    process.execPath,
    [
      ...[join(root, 'bin', 'capbench.js'), 'run', join(root, 'test', 'soak', 'soak.yaml')],
      ...['--duration', `${Math.round(minutes * 60)}s`, '--out', out],
    ],
    {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: ready(folder, tmp) },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const readings: Reading[] = [];
  const timer = setInterval(() => readings.push(...readProcesses(tmp)), EVERY_MS);
  const code = await ended;
  clearInterval(timer);

  const problems: string[] = [];
  const bundle = join(out, 'latest');
  const read = (name: string): unknown => JSON.parse(readFileSync(join(bundle, name), 'utf8'));
  const measurements = read('measurements.json') as Measurements;
  const report = read('report.json') as Report;
  if (!GOOD.has(code)) problems.push(`the run ended with ${code}`);
  if (measurements.ending.state !== 'completed') problems.push(`the run ${measurements.ending.state}`);
  const { lost, phantom, duplicated, holes } = report.integrity;
  if (lost !== 0 || phantom !== 0 || duplicated !== 0 || holes !== 0)
    problems.push(`the rows: lost ${lost}, phantom ${phantom}, duplicated ${duplicated}, holes ${holes}`);

  const left = (): readonly string[] => [
    ...processesIn(tmp).map(({ pid, command }) => `process ${pid} ${command}`),
    ...readdirSync(tmp),
  ];
  for (const until = Date.now() + LEFT_LIMIT_MS; left().length > 0 && Date.now() < until; ) await sleep(200);
  if (left().length > 0) problems.push(`left: ${left().join('; ')}`);
  rmSync(folder, { recursive: true, force: true });

  writeFileSync(
    join(bundle, 'soak.csv'),
    [
      'at,pid,name,anonymousBytes,descriptors,threads',
      ...readings.map((it) =>
        [it.at, it.pid, `"${it.name}"`, it.anonymousBytes, it.descriptors, it.threads].join(','),
      ),
    ].join('\n'),
  );
  const { phases, measured } = measurements;
  if (measured === null || phases.go === null) {
    problems.push('the measure phase was never reached');
  } else {
    const go = Date.parse(measurements.startedAt) / 1e3 + phases.go;
    const from = go + measured.from + (measured.to - measured.from) / 3;
    const to = go + measured.to;
    const lives = livesIn(readings, from, to);
    const most = Math.max(0, ...lives.map((life) => life.readings.length));
    if (most < 8) problems.push(`${most} readings are too few: SOAK_MINUTES must be 1 or more`);
    const whole = lives.filter((life) => life.readings.length >= 0.9 * most);
    const found = whole.map(examine);
    say(`\nthe last two thirds of ${minutes} min, a reading every ${EVERY_MS / 1e3} s, private memory:\n`);
    tell(found);
    const passing = lives.length - whole.length;
    if (passing > 0) say(`(and ${passing} that came or went meanwhile)`);
    for (const { life, memory, descriptors, threads } of found)
      if (memory.grows || descriptors.grows || threads.grows)
        problems.push(`${life.name} (${life.pid}) grows`);
  }
  say(problems.length === 0 ? '\nflat, nothing lost, nothing left' : `\n${problems.join('\n')}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

/** A folder that PostgreSQL's account can enter. */
function ready(folder: string, tmp: string): string {
  chmodSync(folder, 0o755);
  mkdirSync(tmp);
  chmodSync(tmp, 0o1777);
  return tmp;
}

await main();

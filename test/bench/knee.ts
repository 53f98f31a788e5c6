/**
 * `npm run bench:knee`: what a search is worth. A server that answers exactly 800 operations a second is searched again
 * and again: the stated capacity must never be more than the precision above that, and seldom far below. Then quickstart is
 * searched several times: the intervals must overlap, or nearly so. Nothing else may run meanwhile; a search that a busy
 * neighbour made refuse counts as neither. SEARCHES and QUICKSTARTS change how many there are.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ladder } from '../../src/model/ladder.ts';
import { stablePort } from '../../src/supervision/stable-port.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const root = fileURLToPath(new URL('..', import.meta.url));
const searches = Number(process.env.SEARCHES ?? 10);
const quickstarts = Number(process.env.QUICKSTARTS ?? 3);

const PER_SECOND = 800;
const PER_PLAYER = 2;
const PRECISION_PERCENT = 2;
const FAR_BELOW_PERCENT = 6;
const SHARE_NEAR = 0.9;
/** Between the ends of two intervals that do not overlap. */
const MOST_APART_PERCENT = 15;

const scenario = (port: number): string => `name: knee
system: own
load: { players: 200, operations: { intent: { perSecond: ${200 * PER_PLAYER} } }, ramp: 1s, warmUp: 1s, duration: 10s, skipAfter: 5s }
calibration: { seconds: 1 }
players: { protocol: json, commands: [{ command: look }] }
stack:
  start: node ${join(root, 'test', 'outside', 'knee.mjs')}
  ready: http://127.0.0.1:${port}/
  environment: { PORT: ${port}, PER_SECOND: ${PER_SECOND} }
budgets:
  - { id: connected, metric: load.peakCcu, op: '>=', limit: 200, unit: players }
  - { id: answered, title: answers, metric: latency.intent.due, stat: p95, op: <, limit: 200, unit: ms }
`;

async function search(args: readonly string[], out: string): Promise<Ladder> {
  const child = spawn(
    process.execPath,
    [join(root, 'bin', 'capbench.js'), 'search', ...args, '--json', '--out', out],
    { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (printed === '') throw new Error(`the search printed nothing and ended with ${code}`);
  return JSON.parse(printed) as Ladder;
}

const sizeOf = ({ steps }: Ladder): string =>
  `${steps.length} steps, ${(steps.reduce((sum, { tookSeconds }) => sum + tookSeconds, 0) / 60).toFixed(1)} min`;

/** How many wrong findings there are. */
async function knownKnee(out: string): Promise<number> {
  const file = join(out, 'knee.yaml');
  writeFileSync(file, scenario(await stablePort('127.0.0.1')));
  const beyond: number[] = [];
  for (let seed = 1; seed <= searches; seed++) {
    const args = [file, '--allow-start', '--precision', `${PRECISION_PERCENT}%`, '--seed', String(seed)];
    const ladder = await search(args, out);
    const { result } = ladder;
    if (result === null || !result.found) {
      say(`refused  ${sizeOf(ladder)}: ${result?.because ?? 'interrupted'}`);
      continue;
    }
    const percent = 100 * ((result.players * PER_PLAYER) / PER_SECOND - 1);
    beyond.push(percent);
    const stated = `${result.players * PER_PLAYER} of ${PER_SECOND} operations/s, ${percent.toFixed(1)}%`;
    say(
      `${percent > PRECISION_PERCENT ? 'WRONG' : 'ok   '}    ${stated}, first fail ${result.firstFail * PER_PLAYER}; ${sizeOf(ladder)}${result.unfinished === null ? '' : `; ${result.unfinished}`}`,
    );
  }
  const above = beyond.filter((percent) => percent > PRECISION_PERCENT).length;
  const near = beyond.filter((percent) => percent >= -FAR_BELOW_PERCENT).length;
  say(`${beyond.length} of ${searches} found, ${above} too high, ${near} within ${FAR_BELOW_PERCENT}%`);
  return above + (near < SHARE_NEAR * beyond.length ? 1 : 0);
}

async function repeated(out: string): Promise<number> {
  const intervals: (readonly [low: number, high: number])[] = [];
  for (let seed = 1; seed <= quickstarts; seed++) {
    const ladder = await search(['quickstart', '--seed', String(seed)], out);
    const { result } = ladder;
    if (result?.found === true) intervals.push([result.lastPass, result.firstFail]);
    const shown =
      result?.found === true
        ? `${result.lastPass} to ${result.firstFail} players, broke ${result.brokeFirst?.id}, ran out ${result.ranOut?.resource}`
        : `refused: ${result?.because ?? 'interrupted'}`;
    say(`quickstart  ${shown}; ${sizeOf(ladder)}`);
  }
  const wide = intervals.flatMap(([low, high], i) =>
    intervals.slice(i + 1).filter(([otherLow, otherHigh]) => {
      const apart = Math.max(low, otherLow) - Math.min(high, otherHigh);
      return (100 * apart) / Math.min(high, otherHigh) > MOST_APART_PERCENT;
    }),
  );
  say(
    `${intervals.length} of ${quickstarts} found, ${wide.length} pairs more than ${MOST_APART_PERCENT}% apart`,
  );
  return wide.length;
}

async function main(): Promise<number> {
  const out = mkdtempSync(join(tmpdir(), 'capbench-knee-'));
  const wrong = (await knownKnee(out)) + (await repeated(out));
  if (wrong === 0) rmSync(out, { recursive: true, force: true });
  else say(`${wrong} not as they must be; the searches are in ${out}`);
  return wrong === 0 ? 0 : 1;
}

process.exitCode = await main();

import { randomBytes } from 'node:crypto';
import { NO_OVERRIDES } from '../../src/scenario/overrides.ts';
import { readScenario } from '../../src/scenario/read-scenario.ts';
import { openLocalStack } from '../../src/stack/local.ts';
import type { DatabaseEndpoint } from '../../src/stack/stack.ts';
import { fluxComponents } from '../../src/systems/flux/stack.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';
import { type BenchRun, pauseSeconds, startHelper } from './bench-run.ts';
import type { Comparison } from './comparison.ts';
import { figure } from './figures.ts';

const PLAYERS = 1_000;
const MONSTERS = 74_000;
const COMMANDS_PER_POST = 200;
const CONNECTIONS = 4;
const WARM_UP_SECONDS = 1.5;
const SECONDS = 4;
const ROUNDS = 5;

/** One world server, and the settings of PostgreSQL that decide what a durable row costs. */
const SCENARIO = `
name: bench
description: one world server
system: flux
load: { players: ${PLAYERS}, monsters: ${MONSTERS}, commandsPerPost: ${COMMANDS_PER_POST} }
world: { servers: 1, playersPerPlace: 2, heap: 512MB, batch: { operations: 1663, interval: 10ms } }
postgres:
  version: 16
  settings:
    shared_buffers: 512MB
    synchronous_commit: on
    wal_compression: on
    max_wal_size: 8GB
    checkpoint_timeout: 30min
`;

/**
 * A saturated world server beside a bare loop of the best statement known: one PostgreSQL, tables of one size,
 * batches of one size, one connection each. The world also reads posts, applies rules, coalesces and answers.
 */
export async function compareRowWrites(run: BenchRun): Promise<Comparison[]> {
  const { watchdog, signal } = run;
  const file = { file: 'bench.yaml', bytes: Buffer.from(SCENARIO) };
  const scenario = readScenario(file, { systems: SYSTEMS, claims: new Map() }, NO_OVERRIDES);
  const stack = await openLocalStack(fluxComponents(scenario), {
    ...{ watchdog, signal, env: process.env, token: '', mayRestart: false },
    password: randomBytes(18).toString('base64url'),
  });
  try {
    const { worlds, database } = stack.endpoints;
    const [world] = worlds;
    if (world === undefined || database === null) throw new Error('the stack has no world or no database');
    const flood = await startHelper(run, 'monster-flood', [
      ...[new URL(world.url).port, PLAYERS, MONSTERS, COMMANDS_PER_POST, CONNECTIONS],
    ]);
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      flood.tell('go');
      const saturated = await watched(world.url, signal);
      await flood.ask('pause');
      await emptied(world.url, signal);
      ours.push(saturated.rowsPerSecond);
      const rows = Math.round(saturated.rowsPerBatch);
      theirs.push(await bare(run, database, rows));
      run.progress(
        `row writes ${round} of ${ROUNDS}: ${Math.round(saturated.rowsPerSecond)}/s, bare ${Math.round(theirs.at(-1) ?? 0)}/s, ${rows} to a batch`,
      );
    }
    await flood.stop();
    return [
      {
        ...{ measure: 'row writes per second', unit: 'rows/s', yardstick: 'a bare loop of the statement' },
        ...{ ours, theirs, aim: { operator: '>=', limit: 0.8 } },
      },
    ];
  } finally {
    await stack.close();
  }
}

/** What a saturated server writes, by its own count. */
async function watched(
  url: string,
  signal: AbortSignal,
): Promise<{ rowsPerSecond: number; rowsPerBatch: number }> {
  await pauseSeconds(WARM_UP_SECONDS, signal);
  const before = await counters(url, signal);
  await pauseSeconds(SECONDS, signal);
  const after = await counters(url, signal);
  const rows = after.rows - before.rows;
  return {
    rowsPerSecond: (rows * 1e3) / (after.at - before.at),
    rowsPerBatch: rows / (after.batches - before.batches),
  };
}

/** Resolves when the server has written what it had accepted. */
async function emptied(url: string, signal: AbortSignal): Promise<void> {
  while ((await counters(url, signal)).queued > 0) await pauseSeconds(0.1, signal);
}

interface Counters {
  /** In milliseconds of performance.now(). */
  readonly at: number;
  readonly rows: number;
  readonly batches: number;
  readonly queued: number;
}

async function counters(url: string, signal: AbortSignal): Promise<Counters> {
  const answer = await fetch(`${url}/metrics`, { signal });
  const at = performance.now();
  const text = await answer.text();
  const sum = (series: string): number =>
    [...text.matchAll(new RegExp(`^${series}(?:{[^}]*})? (\\S+)$`, 'gm'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  return {
    at,
    rows: sum('capbench_world_row_writes_total'),
    batches: sum('capbench_world_batches_total'),
    queued: sum('capbench_world_queued_operations'),
  };
}

async function bare(run: BenchRun, database: DatabaseEndpoint, rows: number): Promise<number> {
  const environment = {
    DB_SOCKET_PATH: database.host,
    DB_PORT: String(database.port),
    DB_USER: database.user,
    DB_PASSWORD: database.password,
    DB_NAME: database.database,
  };
  const args = [PLAYERS + MONSTERS, rows, WARM_UP_SECONDS, SECONDS];
  const loop = await startHelper(run, 'bare-rows', args, { env: environment });
  const figures = await loop.next();
  await loop.stop();
  return figure(figures, 'rowsPerSecond');
}

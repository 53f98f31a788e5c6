import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { random } from '../../../../src/rng.ts';
import { Changes } from '../../../../src/systems/flux/server/changes.ts';
import { readConfig } from '../../../../src/systems/flux/server/config.ts';
import { Entities } from '../../../../src/systems/flux/server/entities.ts';
import { partitionOf } from '../../../../src/systems/flux/server/partition.ts';
import { Store } from '../../../../src/systems/flux/server/store.ts';
import { micros } from '../../../../src/units.ts';
import { type Cuttable, openCuttable } from './cuttable.ts';
import { END_BACKENDS, startDatabase, type TestDatabase } from './server.ts';

/**
 * A batch that was in flight when PostgreSQL, its backend or the connection to it was lost is in the rows once:
 * whether it had committed is decided from them, and it is written again if not.
 */

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const PLAYERS = 40;
const MONSTERS = 160;
const BATCH = 32;

const database = await startDatabase({ deadlock_timeout: '100ms' });
afterAll(() => database.close());
let proxy: Cuttable | undefined;

/** The part of a world server that writes, with batches of the test's own. */
interface Writer {
  readonly entities: Entities;
  readonly store: Store;
  readonly decisions: boolean[];
  readonly backs: number[];
  readonly fatal: Promise<string>;
  /** Applies so many random operations in memory, and writes them. */
  write(operations: number): Promise<void>;
  /** How many operations were recorded for each entity. */
  readonly recorded: Int32Array;
}

async function openWriter(db: TestDatabase, seed: number, reconnectSeconds = 30): Promise<Writer> {
  proxy = await openCuttable(db.environment.DB_SOCKET_PATH ?? '', db.environment.DB_PORT ?? '');
  const config = readConfig({
    ...db.environment,
    ...{ DB_SOCKET_PATH: proxy.folder, INSTANCE_ID: '1', INSTANCES: '1', PLAYERS_PER_PLACE: '2' },
    ...{ PLAYERS: String(PLAYERS), MONSTERS: String(MONSTERS), BATCH_SIZE_LIMIT: String(BATCH) },
    RECONNECT_SECONDS: String(reconnectSeconds),
  });
  const entities = new Entities(partitionOf(config, 1));
  const changes = new Changes(entities.count, BATCH);
  const recorded = new Int32Array(entities.count);
  const [decisions, backs]: [boolean[], number[]] = [[], []];
  let fail: (why: string) => void = () => {};
  const fatal = new Promise<string>((resolve) => {
    fail = resolve;
  });
  const store = await Store.open(config, entities, {
    fatal: fail,
    disconnected: () => {},
    reconnected: (millis) => backs.push(millis),
    resolved: (committed) => decisions.push(committed),
  });
  const next = random(seed, 0);
  const any = () => Math.floor(next() * entities.count);
  return {
    ...{ entities, store, decisions, backs, fatal, recorded },
    async write(operations) {
      changes.clear();
      for (let i = 0; i < operations; i++) {
        const actor = any();
        entities.lastSeq[actor]! += 1;
        recorded[actor]! += 1;
        changes.record(actor, entities.lastSeq[actor]!);
        const target = any();
        entities.damage[target]! += 10;
        changes.touch(target);
      }
      changes.sort();
      await store.write(changes);
    },
  };
}

const rowsOf = async (sql: pg.Client) =>
  (await sql.query('select last_seq, applied_n, seq_sum::int as seq_sum, damage from entity order by id'))
    .rows;

/** The rows that the writer's memory is for. */
const expectedOf = ({ entities, recorded }: Writer) =>
  Array.from(recorded, (applied_n, index) => ({
    last_seq: entities.lastSeq[index],
    applied_n,
    seq_sum: (applied_n * (applied_n + 1)) / 2,
    damage: entities.damage[index],
  }));

afterEach(() => {
  proxy?.close();
  proxy = undefined;
});

describe('a batch in flight', () => {
  it('is written once, whenever a connection is cut, a backend is ended or PostgreSQL is killed', async () => {
    await database.create('random_moments');
    const name = database.environment.DB_NAME ?? '';
    const writer = await openWriter(database, 7);
    const next = random(8, 0);
    let disturbing = true;
    let written = 0;
    const writing = (async () => {
      for (; disturbing; written++) await writer.write(1 + Math.floor(next() * BATCH));
    })();
    const end = performance.now() + 20_000;
    let [cuts, ends, kills] = [0, 0, 0];
    for (let i = 0; i < 60 && performance.now() < end; i++) {
      await pause(next() * 40);
      if (i % 12 === 5) {
        kills++;
        await database.postgres.component.kill(micros(next() * 50_000));
      } else if (i % 3 === 0) {
        ends++;
        const client = await database.connect(name);
        await client.query(END_BACKENDS);
        await client.end();
      } else {
        cuts++;
        proxy?.cut(next() * 20);
      }
    }
    // A slow machine catches up.
    await expect.poll(() => written, { timeout: 30_000 }).toBeGreaterThan(cuts);
    disturbing = false;
    await writing;
    expect(Math.min(cuts, ends, kills)).toBeGreaterThan(0);
    expect(writer.backs.length).toBeGreaterThan(0);
    // The test proves something only if some batches were lost before they reached PostgreSQL.
    expect(writer.decisions.length).toBeGreaterThan(0);
    await writer.store.close();
    const sql = await database.connect(name);
    expect(await rowsOf(sql)).toEqual(expectedOf(writer));
  });

  it('of a session that survives the loss and commits late is resolved after its end', async () => {
    const sql = await database.create('late');
    const writer = await openWriter(database, 9);
    await sql.query('begin; lock table entity in exclusive mode');
    const written = writer.write(BATCH);
    // The backend waits for the table lock, and does not notice the end of its connection.
    await expect.poll(() => lockWaits(sql)).toBe(1);
    proxy?.cut(3_000);
    await pause(500);
    expect(writer.store.isDisconnected).toBe(true);
    expect(writer.decisions).toEqual([]);
    await sql.query('rollback');
    await written;
    expect(writer.decisions).toEqual([true]);
    expect(await rowsOf(sql)).toEqual(expectedOf(writer));
    await writer.store.close();
  });

  it('is fatal if only some rows have it, or PostgreSQL cannot be reached again', async () => {
    const sql = await database.create('mixture');
    const writer = await openWriter(database, 10, 1);
    await sql.query('begin; lock table entity in exclusive mode');
    const written = writer.write(BATCH).catch((error: Error) => error.message);
    await expect.poll(() => lockWaits(sql)).toBe(1);
    await sql.query(END_BACKENDS);
    // A change by another process.
    const touched = writer.recorded.findIndex((n) => n > 0);
    const { lastSeq } = writer.entities;
    await sql.query('update entity set last_seq = $2 where id = $1', [touched, lastSeq[touched]]);
    await sql.query('commit');
    expect(await written).toMatch(/^of the \d+ rows of a batch, 1 contain it and \d+ do not/);
    proxy?.close();
    expect(await writer.fatal).toMatch(/^PostgreSQL could not be reached again within 1 s: /);
  });
});

/** How many statements of the writer wait for a lock. */
async function lockWaits(sql: pg.Client): Promise<number> {
  const { rows } = await sql.query(
    "select count(*)::int as n from pg_stat_activity where application_name = 'capbench-world-1' and wait_event_type = 'Lock'",
  );
  return rows[0].n;
}

describe('a PostgreSQL that commits asynchronously', () => {
  it('loses acknowledged writes when it is killed, and the rows show it', async () => {
    const lossy = await startDatabase({ synchronous_commit: 'off', wal_writer_delay: '10s' });
    try {
      await lossy.create('lossy');
      const name = lossy.environment.DB_NAME ?? '';
      const writer = await openWriter(lossy, 11);
      for (let i = 0; i < 100; i++) await writer.write(BATCH);
      await lossy.postgres.component.kill(micros(0));
      for (let i = 0; i < 20; i++) await writer.write(BATCH);
      await writer.store.close();
      const rows = await rowsOf(await lossy.connect(name));
      const sum = (of: (row: Record<string, number>) => number | undefined) =>
        rows.reduce((total, row) => total + (of(row) ?? 0), 0);
      expect(sum((row) => row.applied_n)).toBeLessThan(120 * BATCH);
      // The server continues from memory, so the last numbers are the newest, and the counts lack the lost writes.
      expect(sum((row) => (row.last_seq ?? 0) - (row.applied_n ?? 0))).toBeGreaterThan(0);
    } finally {
      await lossy.close();
    }
  });
});

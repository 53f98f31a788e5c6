import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { BatchWriter, BufferFull, NotWritten, type WriterPlan } from '../../src/server/batch-writer.ts';
import { micros } from '../../src/units.ts';
import { startDatabase, type TestDatabase } from '../systems/flux/server/server.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await startDatabase();
});
afterAll(() => db.close());

interface Item {
  readonly n: number;
}

let databases = 0;
/** A writer of numbers into a table where a second time shows. */
async function openWriter(plan: Partial<WriterPlan<Item>> = {}) {
  const name = `writer_${++databases}`;
  const sql = await db.create(name);
  await sql.query('create table written (place serial, n int unique, batch int)');
  await sql.end();
  const batches: number[] = [];
  const { host, port, user, password } = db.postgres.database;
  const writer = await BatchWriter.open<Item>({
    database: { host, port, user, password, name },
    ...{ application: 'test', limit: 50, intervalMs: 5, most: 100_000, backoff: { first: 10, most: 50 } },
    async write(client, items) {
      batches.push(items.length);
      await client.query(
        'insert into written (n, batch) select unnest($1::int[]), $2 on conflict (n) do nothing',
        [items.map(({ n }) => n), batches.length],
      );
    },
    log: () => undefined,
    ...plan,
  });
  onTestFinished(async () => {
    await writer.close(1_000);
  });
  const rows = async (): Promise<readonly number[]> => {
    const reader: pg.Client = await db.connect(name);
    return (await reader.query<Item>('select n from written order by place')).rows.map(({ n }) => n);
  };
  /** Holds up every write until the returned function is called. */
  const block = async (): Promise<() => Promise<unknown>> => {
    const other = await db.connect(name);
    await other.query('begin; lock table written');
    return () => other.query('commit');
  };
  return { writer, batches, rows, block };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe('Batches to PostgreSQL', () => {
  test('begin by size or by time, one at a time and in order; an item is there once it resolves', async () => {
    const { writer, batches, rows } = await openWriter();
    await writer.add({ n: 0 });
    expect(await rows()).toEqual([0]);
    await Promise.all(
      upTo(120)
        .slice(1)
        .map((n) => writer.add({ n })),
    );
    expect(await rows()).toEqual(upTo(120));
    expect(batches).toEqual([1, 50, 50, 19]);
    expect(writer.counts).toMatchObject({ batches: 4, items: 120, retried: 0, failed: 0 });
    expect(writer.waiting).toBe(0);
  });

  test('are all written once, although PostgreSQL is killed again and again', {
    timeout: 120_000,
  }, async () => {
    const { writer, rows } = await openWriter();
    let n = 0;
    const resolved: number[] = [];
    const added: Promise<void>[] = [];
    const adding = setInterval(() => {
      for (let i = 0; i < 20; i++) {
        const own = n++;
        added.push(writer.add({ n: own }).then(() => void resolved.push(own)));
      }
    }, 2);
    for (let kill = 1; kill <= 2; kill++) {
      const before = resolved.length;
      await expect.poll(() => resolved.length).toBeGreaterThan(before + 200);
      await db.postgres.component.kill(micros(0));
    }
    clearInterval(adding);
    await Promise.all(added);
    // In the order in which they were added, without a gap.
    expect(resolved).toEqual(upTo(n));
    expect(await rows()).toEqual(upTo(n));
    expect(writer.counts).toMatchObject({ items: n, failed: 0 });
    expect(writer.counts.retried).toBeLessThanOrEqual(2);
    expect(writer.counts.reconnects).toBe(2);
  });

  test('wait for a PostgreSQL that does not answer, up to the bound', async () => {
    const { writer, rows, block } = await openWriter({ most: 100 });
    await writer.add({ n: 0 });
    const unblock = await block();
    const waiting = upTo(101)
      .slice(1)
      .map((n) => writer.add({ n }));
    await expect(writer.add({ n: 1_000 })).rejects.toThrow(BufferFull);
    await expect.poll(() => writer.stalledMillis).toBeGreaterThan(0);
    expect(writer.waiting).toBe(100);
    // Reads wait for no batch.
    expect((await writer.connection.query({ text: 'select 1 as one' })).rows).toEqual([{ one: 1 }]);
    await unblock();
    await Promise.all(waiting);
    expect(await rows()).toEqual(upTo(101));
    expect(writer.counts).toMatchObject({ refused: 1, longestQueue: 100 });
  });

  test('reject what PostgreSQL refuses, and go on', async () => {
    const { writer, rows } = await openWriter();
    await expect(writer.add({ n: 2 ** 40 })).rejects.toThrow('out of range for type integer');
    await writer.add({ n: 1 });
    expect(await rows()).toEqual([1]);
    expect(writer.counts).toMatchObject({ batches: 1, failed: 1 });
  });

  test('are written when it is closed; without PostgreSQL it gives up in time', async () => {
    const first = await openWriter({ intervalMs: 60_000 });
    const added = upTo(120).map((n) => first.writer.add({ n }));
    expect(await first.writer.close(5_000)).toBe(0);
    await Promise.all(added);
    expect(await first.rows()).toEqual(upTo(120));
    await expect(first.writer.add({ n: 1 })).rejects.toThrow(NotWritten);

    const second = await openWriter({ intervalMs: 60_000 });
    const unblock = await second.block();
    const lost = upTo(60).map((n) => second.writer.add({ n }).catch((error: unknown) => error));
    expect(await second.writer.close(100)).toBe(60);
    await unblock();
    for (const error of await Promise.all(lost)) expect(error).toBeInstanceOf(NotWritten);
  });
});

import { connect, createServer } from 'node:net';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { parseProbeUrl, resolveProbes } from '../../src/address/probe-address.ts';
import { SequenceLedger } from '../../src/load/ledger.ts';
import { openAttachedPostgres } from '../../src/probe/attached-postgres.ts';
import { clientOf } from '../../src/probe/postgres-client.ts';
import type { Probe } from '../../src/probe/probe.ts';
import type { Workload } from '../../src/scenario/workload.ts';
import { sequenceHash } from '../../src/sequence-hash.ts';
import { startPostgres } from '../../src/stack/postgres.ts';
import { preparePostgres } from '../../src/stack/postgres-build.ts';
import type { DatabaseEndpoint } from '../../src/stack/stack.ts';
import { openRunFolder } from '../../src/supervision/run-folder.ts';
import { unprivilegedUser } from '../../src/supervision/unprivileged-user.ts';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { openVerification } from '../../src/systems/flux/verify.ts';
import { LOST_NOTHING } from '../counts.ts';
import { portOf } from '../loopback.ts';
import { never } from '../stack/small-scenario.ts';
import { connectTo, query } from '../stack/sql.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const user = unprivilegedUser();
const TABLES = ['entity'];
const NOWHERE = { host: '', port: 0, user: '', password: '', database: '', pid: null };
const watchdog = await openWatchdog(process.env);
const folder = await openRunFolder(watchdog, ['/tmp'], user);
const postgres = await startPostgres({
  build: await preparePostgres(16, null, user, folder, watchdog, never),
  ...{
    configuration: { shared_buffers: '16MB' },
    folder,
    watchdog,
    user,
    signal: never,
    password: 'owner-pw',
  },
});
await query(
  postgres.database,
  `create table entity (id int primary key, place int, damage int, last_seq int, applied_n int, seq_sum bigint);
   insert into entity select id, 0, 0, 0, 0, 0 from generate_series(0, 2) id;
   create role reader login password 'reader-pw-1';
   revoke select on pg_stat_database from public`,
);
await query(postgres.database, 'create database other');
afterAll(async () => {
  await postgres.component.close();
  await folder.remove();
  await watchdog.close();
});

/** The check of its rows, as a run opens it. */
const opened = (database: DatabaseEndpoint, entities: number, probes: readonly Probe[] = []) =>
  openVerification({ endpoints: { worlds: [], database }, workload: { entities } as Workload, probes });

async function whyNoRows(database: DatabaseEndpoint, entities: number): Promise<string | null> {
  const check = await opened(database, entities);
  return 'because' in check ? check.because : null;
}

async function checkOf(database: DatabaseEndpoint, probes: readonly Probe[] = []) {
  const check = await opened(database, 2, probes);
  return 'because' in check ? expect.fail(check.because) : check;
}

/** The database as `--probe-postgres` would have it. */
async function attached(role?: 'reader', name?: string): Promise<DatabaseEndpoint> {
  const { host, port, user: owner, password, database } = postgres.database;
  const who = role === undefined ? `${owner}:${encodeURIComponent(password)}` : `${role}:reader-pw-1`;
  const url = `postgresql://${who}@/${name ?? database}?host=${host}&port=${port}`;
  const around = {
    own: { addresses: new Set<string>(), broadcasts: new Set<string>() },
    resolve: async () => [],
  };
  const { postgres: address } = await resolveProbes([parseProbeUrl('postgres', url, 'it')], [], around, {
    origins: new Set(),
    access: {},
  });
  if (address === null) throw new Error('no address');
  return { ...NOWHERE, attached: address };
}

async function readOnce(database: DatabaseEndpoint) {
  const probe = await openAttachedPostgres(database, 'it', TABLES);
  const samples = await probe.sample();
  const absences = Object.fromEntries(probe.absences().map(({ of, because }) => [of, because]));
  await probe.close();
  return { names: samples.map(({ series }) => series.replace('postgres.', '')), absences };
}

test('the probe reads everything that this server publishes, and names what it does not', async () => {
  const { names, absences } = await readOnce(await attached());
  expect(names).toEqual([
    ...['connections', 'commits', 'blocksHit', 'blocksRead', 'rowsUpdated', 'rowsHotUpdated', 'rowsInserted'],
    ...['rowsDeleted', 'workingSetBytes', 'walBytes'],
  ]);
  expect(Object.keys(absences).sort()).toEqual([
    'database.cpuPercentOfHost',
    'database.memoryPercentOfHost',
    'database.statementMeanMs',
    'database.statementsPerSecond',
    'database.waitedPercent',
  ]);
  // The probe does not create the extension: that would be a write.
  expect(absences['database.statementMeanMs']).toMatch(
    /refuses pg_stat_statements: relation .* does not exist/,
  );
});

test('a reading that the role has no rights for is left out, and the others succeed', async () => {
  const { names, absences } = await readOnce(await attached('reader'));
  expect(names).toEqual([
    ...['rowsUpdated', 'rowsHotUpdated', 'rowsInserted', 'rowsDeleted', 'workingSetBytes', 'walBytes'],
  ]);
  expect(absences['database.connections']).toMatch(/refuses pg_stat_database: permission denied/);
  expect(await whyNoRows(await attached('reader'), 3)).toMatch(/permission denied for table entity/);
});

test('a database without the tables of this world gives no counts', async () => {
  const { names, absences } = await readOnce(await attached(undefined, 'other'));
  expect(names).not.toContain('rowsUpdated');
  expect(absences['database.rowsUpdatedPerSecond']).toContain('there is no table entity');
  expect(await whyNoRows(await attached(undefined, 'other'), 3)).toMatch(/relation "entity" does not exist/);
  expect(await whyNoRows(await attached(), 3)).toBeNull();
  expect(await whyNoRows(await attached(), 4)).toContain('has 3 rows, and the world has 4 entities');
  expect(await whyNoRows(await attached(), 2)).toContain('has more than 2 rows');
});

test('row writes of any schema are what its server wrote, to the row, of all tables or of the named ones', async () => {
  await query(postgres.database, 'create database shop');
  const writer = await connectTo({ ...postgres.database, database: 'shop' });
  onTestFinished(() => writer.end());
  await writer.query(`
    create schema world; create table world.characters (id int primary key, hp int); create table log (id int, line text);
    create view pg_stat_statements as select query, 3 as calls, 6.0 as total_exec_time,
      (select oid from pg_database where datname = 'shop') as dbid from (values ('UPDATE "characters" SET hp = $1'),
      (' update only world.characters set hp = 1'), ('update log set line = $1'), ('select 1 -- update characters'),
      ('update characters_old set hp = 1')) as all_of (query)`);
  const database = await attached(undefined, 'shop');
  const open = (...tables: string[]) => openAttachedPostgres(database, 'it', tables, true);
  const probes = [
    await openAttachedPostgres(database, 'it', []),
    await open('characters'),
    await open('world.characters'),
  ];
  onTestFinished(async () => void (await Promise.all(probes.map((probe) => probe.close()))));
  const names = ['rowsInserted', 'rowsUpdated', 'rowsDeleted', 'statements'];
  const readAll = () =>
    Promise.all(
      probes.map(async (probe) => {
        const samples = await probe.sample();
        return names.map(
          (name) => samples.find(({ series }) => series === `postgres.${name}`)?.value ?? Number.NaN,
        );
      }),
    );
  const publish = () => writer.query('select pg_stat_force_next_flush()');
  await publish();
  const before = await readAll();
  // As its server counts them.
  const wrote = { inserted: 300, updated: 1000, deleted: 40, logged: 7 };
  await writer.query('insert into world.characters select id, 0 from generate_series(1, $1::int) id', [
    wrote.inserted,
  ]);
  for (let i = 0; i < wrote.updated; i++) {
    await writer.query('update world.characters set hp = hp + 1 where id = $1', [1 + (i % wrote.inserted)]);
  }
  await writer.query('delete from world.characters where id <= $1', [wrote.deleted]);
  await writer.query("insert into log select id, '' from generate_series(1, $1::int) id", [wrote.logged]);
  await publish();
  const { inserted, updated, deleted, logged } = wrote;
  const grown = async () => {
    const now = await readAll();
    return now.map((values, i) =>
      values.slice(0, 3).map((value, k) => value - (before[i]?.[k] ?? Number.NaN)),
    );
  };
  await expect.poll(grown).toEqual([
    [inserted + logged, updated, deleted],
    [inserted, updated, deleted],
    [inserted, updated, deleted],
  ]);
  // Three calls of each statement that is an UPDATE of the table.
  expect((await readAll()).map((values) => values.at(-1))).toEqual([12, 6, 3]);
  for (const [table, hint] of [
    ['charactes', 'did you mean characters?'],
    ['shop.orders', 'it has public.log, world.characters'],
  ] as const) {
    await expect(open(table)).rejects.toMatchObject({
      ...{ exitCode: 93, hint },
      message: `probe.tables: the PostgreSQL at it has no table ${table} in this database`,
    });
  }
});

test('the connection is read-only', async () => {
  const client = clientOf(await attached(), 900);
  await client.connect();
  for (const statement of [
    'create table mine ()',
    'update entity set damage = 1',
    'create extension pg_stat_statements',
  ]) {
    await expect(client.query(statement)).rejects.toMatchObject({ code: '25006' });
  }
  const { rows } = await client.query(
    `select application_name, current_setting('statement_timeout') as limit from pg_stat_activity where pid = pg_backend_pid()`,
  );
  expect(rows).toEqual([{ application_name: 'capbench', limit: '900ms' }]);
  await client.end();
});

test('a wrong password ends with 93, and the message does not repeat it', async () => {
  const database = await attached('reader');
  const connectionString = database.attached?.connectionString.replace('reader-pw-1', 'wr0ng-pw') ?? '';
  const wrong = { ...database, attached: { connectionString, address: null, shown: 'it' } };
  await expect(openAttachedPostgres(wrong, 'it', TABLES)).rejects.toMatchObject({
    exitCode: 93,
    message: expect.stringMatching(/^(?!.*wr0ng).*cannot be read: password authentication failed/),
    hint: expect.stringContaining('PGPASSWORD'),
  });
});

/** A startup message without `options`, as a pooler sends it that ignores them. */
function withoutOptions(startup: Buffer): Buffer {
  const words = startup.subarray(8).toString('latin1').split('\0').slice(0, -2);
  const kept = words.flatMap((word, i) => (i % 2 === 0 && word !== 'options' ? [word, words[i + 1]!] : []));
  const body = Buffer.from(`${kept.join('\0')}\0\0`, 'latin1');
  const head = Buffer.from(startup.subarray(0, 8));
  head.writeInt32BE(body.length + 8, 0);
  return Buffer.concat([head, body]);
}

test.each([
  ['passes on', (startup: Buffer) => startup, null],
  ['drops', withoutOptions, /gave no read-only session.*PgBouncer/],
])('behind a pooler that %s what a connection asks for', async (_what, through, refused) => {
  const { host, port, user: name, password, database } = postgres.database;
  const pooler = createServer((client) => {
    const server = connect(`${host}/.s.PGSQL.${port}`);
    client.once('data', (startup) => {
      server.write(through(startup as Buffer));
      client.pipe(server).pipe(client);
    });
    for (const side of [client, server]) side.on('error', () => undefined);
  });
  const at = `127.0.0.1:${await portOf(pooler)}`;
  const connectionString = `postgresql://${name}:${encodeURIComponent(password)}@${at}/${database}`;
  const pooled: DatabaseEndpoint = {
    ...NOWHERE,
    attached: { connectionString, address: '127.0.0.1', shown: at },
  };
  const opening = openAttachedPostgres(pooled, at, TABLES);
  if (refused === null) {
    await (await opening).close();
    expect(await whyNoRows(pooled, 3)).toBeNull();
  } else {
    await expect(opening).rejects.toMatchObject({ exitCode: 93, message: expect.stringMatching(refused) });
    await expect(whyNoRows(pooled, 3)).rejects.toThrow('not read-only');
  }
});

/** A world of two entities in a database of its own, as a stand-in's writer leaves it; the counts that it publishes. */
async function standIn(name: string, columns: string) {
  await query(postgres.database, `create database ${name}`);
  const writer = await connectTo({ ...postgres.database, database: name });
  onTestFinished(() => writer.end());
  await writer.query(
    `create table entity (id int primary key, ${columns}, last_seq int, applied_n int, seq_sum bigint)`,
  );
  const isHashed = columns.includes('seq_hash bigint');
  await writer.query(`
    insert into entity (id, last_seq, applied_n, seq_sum) values (0, 5, 5, 15), (1, 5, 5, 15);
    ${isHashed ? 'update entity set seq_hash = 100;' : ''}`);
  const publish = () => writer.query('select pg_stat_force_next_flush()');
  // Only later writes count.
  await publish();
  let writes = 0;
  const probe = {
    name: 'world-1',
    sample: async () => [{ series: 'world.1.rowWrites', kind: 'counter' as const, value: writes }],
    close: async () => undefined,
  };
  return {
    probe,
    publish,
    apply: async (id: number, seq: number) => {
      writes += 1;
      await writer.query({
        name: 'apply',
        text: `update entity set last_seq = greatest(last_seq, $2::int), applied_n = applied_n + 1, seq_sum = seq_sum + $3::int${isHashed ? ', seq_hash = seq_hash + $4' : ''} where id = $1`,
        values: [id, seq, seq, ...(isHashed ? [sequenceHash(seq)] : [])],
      });
    },
  };
}

/** Two entities that went on from number 5: 6 to 9 of the first are acknowledged, and none of the second. */
function acknowledged(): SequenceLedger {
  const ledger = new SequenceLedger(2);
  for (const id of [0, 1]) ledger.welcome(id, 5);
  for (const number of [6, 7, 8, 9]) {
    ledger.sent(0, number);
    ledger.acked(0, number);
  }
  return ledger;
}

const noOutages = () => [];

test.each([
  ['with_hash', 'seq_hash bigint', true],
  ['without_hash', 'place int', false],
  ['another_hash', 'seq_hash text default 100', false],
])('rows %s prove as much as they can', async (name, columns, hashed) => {
  const world = await standIn(name, columns);
  const database = await attached(undefined, name);
  expect(await whyNoRows(database, 2)).toBeNull();
  const ledger = acknowledged().toData();
  const honest = await checkOf(database);
  for (const number of [6, 7, 8, 9]) await world.apply(0, number);
  expect(await honest.compareNow(async () => ledger, noOutages)).toEqual(LOST_NOTHING);
  // The numbers 6 and 9 are lost; 7 and 8 were applied twice, which only the hashes show.
  const lying = await checkOf(database);
  for (const number of [7, 7, 8, 8]) await world.apply(0, number);
  const wrong = hashed ? 1 : 0;
  expect(await lying.compareNow(async () => ledger, noOutages)).toMatchObject({ lost: wrong, holes: wrong });
});

test('without hashes, a loss that other writes cancel out later is noticed while the load runs', async () => {
  const world = await standIn('watched', 'place int');
  const database = await attached(undefined, 'watched');
  const ledger = new SequenceLedger(2);
  for (const id of [0, 1]) ledger.welcome(id, 5);
  const answer = (number: number) => {
    ledger.sent(0, number);
    ledger.acked(0, number);
  };
  const verification = await checkOf(database, [world.probe]);
  const over = new AbortController();
  const watching = verification.watch(async () => structuredClone(ledger.toData()), over.signal, noOutages);
  for (const number of [6, 7]) {
    answer(number);
    await world.apply(0, number);
  }
  // 8 and 11 are lost, and 9 and 10 are applied twice.
  answer(8);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  for (const number of [9, 9, 10, 10]) await world.apply(0, number);
  for (const number of [9, 10, 11, 12]) answer(number);
  await world.apply(0, 12);
  over.abort();
  await watching;
  await world.publish();
  const found = await verification.verify(ledger.toData(), never, noOutages);
  expect(found).toMatchObject({ lost: 1, duplicated: 0, acked: 7, applied: 7, hashed: false });
  expect(found.examples).toEqual(['during the load, entity 0: 3 operations acknowledged, 2 in the row']);
});

test('the integrity check waits for the counts of a writer that is idle after its last write', async () => {
  const world = await standIn('idle', 'seq_hash bigint');
  const database = await attached(undefined, 'idle');
  const ledger = acknowledged();
  const verification = await checkOf(database, [world.probe]);
  // The first write of a second is published at once, the following ones later.
  for (const number of [6, 7, 8, 9]) await world.apply(0, number);
  const found = await verification.verify(ledger.toData(), never, noOutages);
  expect(found).toMatchObject({ lost: 0, holes: 0, hashed: true, acked: 4, applied: 4 });
  expect(found.rowWritesServers).toBe(4);
  expect(found.rowWritesPostgres).toBe(4);
});

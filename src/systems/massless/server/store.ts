import type pg from 'pg';
import { BatchWriter } from '../../../server/batch-writer.ts';
import type { DatabaseAccess } from '../../../server/database-connection.ts';
import { type Item, SCORES, TABLE, TABLES } from '../tables.ts';
import type { CharacterRow } from './character.ts';

/** An item that changes its owner; `seq` is the giver's number. */
export interface TradeRow {
  readonly giver: number;
  readonly seq: number;
  readonly taker: number;
  readonly item: Item;
}

export interface OwnedItem {
  readonly item: Item;
  readonly by: Pick<TradeRow, 'giver' | 'seq'> | null;
}

/** What PostgreSQL keeps: characters, items and trades. Every method rejects as BatchWriter.add does, or with ConnectionLost. */
export interface Store {
  /** Saves places and numbers in one statement; of a character that is in another zone by now, nothing. */
  save(rows: readonly CharacterRow[]): Promise<void>;
  /** Resolves once it is committed: whether it was carried out, now or before; false if the giver does not own the item. */
  trade(trade: TradeRow): Promise<boolean>;
  /** Resolves once the character is committed to be in its new zone; false if it was not in the zone `from`. */
  transfer(row: CharacterRow, from: number): Promise<boolean>;
  /** Null where there is no such character. */
  load(id: number): Promise<CharacterRow | null>;
  /** In order, and the trade by which each came to its owner; null for those that it began with. */
  itemsOf(owner: number): Promise<readonly OwnedItem[]>;
  /** Of all players with a trade, or of these. */
  scores(
    players?: readonly number[],
  ): Promise<readonly { readonly player: number; readonly score: number }[]>;
  /** PostgreSQL is away, or takes long over a batch. */
  readonly isAway: boolean;
  render(): string;
  /** Resolves to how much was not committed within the limit, in milliseconds. */
  close(limitMs: number): Promise<number>;
}

export interface StorePlan {
  readonly database: DatabaseAccess;
  readonly application: string;
  readonly zones: number;
  readonly zoneSize: number;
  readonly players: number;
  readonly itemsPerCharacter: number;
  /** `torn`, the broken variant: the taker gets a copy, and the giver keeps the item. */
  readonly trade: 'moved' | 'torn';
  log(sentence: string): void;
}

type Job =
  | { readonly kind: 'save'; readonly rows: readonly CharacterRow[] }
  | { readonly kind: 'trade'; readonly trade: TradeRow; isDone: boolean }
  | { readonly kind: 'transfer'; readonly row: CharacterRow; readonly from: number; isDone: boolean };

/** A batch begins at this many changes, or this long after the first, in milliseconds. */
const BATCH = { limit: 500, intervalMs: 5 };
const MOST_WAITING = 20_000;
/** PostgreSQL counts as away when a batch takes longer, in milliseconds. */
const LONGEST_BATCH_MS = 2_000;
/** A lock of PostgreSQL, so that only one server creates the tables. */
const TABLES_LOCK = 4_000;

/** @throws CapbenchError (93) when PostgreSQL cannot be reached */
export async function openStore(plan: StorePlan): Promise<Store> {
  const { database, application, log } = plan;
  const writer = await BatchWriter.open<Job>({
    ...BATCH,
    ...{ database, application, most: MOST_WAITING, log },
    async prepare(client, isFirst) {
      if (isFirst) await prepareTables(client, plan);
    },
    async write(client, jobs) {
      const trades = jobs.filter((job) => job.kind === 'trade');
      if (trades.length > 0) await writeTrades(client, trades, plan.trade === 'torn');
      // In their order: a character is saved before it is moved.
      for (const job of jobs) {
        if (job.kind === 'save') await saveRows(client, job.rows);
        else if (job.kind === 'transfer') job.isDone = await moveRow(client, job.row, job.from);
      }
    },
  });
  /** Reads, one after the other. */
  let reading: Promise<unknown> = Promise.resolve();
  const query = <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<Row[]> => {
    const asked = reading.then(() => writer.connection.query<Row>({ text, values: [...values] }));
    reading = asked.catch(() => undefined);
    return asked.then(({ rows }) => rows);
  };
  return {
    get isAway() {
      return writer.isDisconnected || writer.stalledMillis > LONGEST_BATCH_MS;
    },
    async save(rows) {
      if (rows.length > 0) await writer.add({ kind: 'save', rows });
    },
    async trade(trade) {
      const job: Job = { kind: 'trade', trade, isDone: false };
      await writer.add(job);
      return job.isDone;
    },
    async transfer(row, from) {
      const job: Job = { kind: 'transfer', row, from, isDone: false };
      await writer.add(job);
      return job.isDone;
    },
    async load(id) {
      const [row] = await query<Record<keyof CharacterRow, string | number>>(LOAD, [id]);
      if (row === undefined) return null;
      // bigints are texts.
      return Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, Number(value)]),
      ) as unknown as CharacterRow;
    },
    itemsOf: async (owner) =>
      (await query<{ id: string; giver: number | null; seq: string | null }>(ITEMS_OF, [owner])).map(
        ({ id, giver, seq }) => ({
          item: Number(id),
          by: giver === null ? null : { giver, seq: Number(seq) },
        }),
      ),
    scores: (players) => (players === undefined ? query(SCORES, []) : query(SCORES_OF, [players])),
    render: () => writer.render(),
    close: (limitMs) => writer.close(limitMs),
  };
}

const LOAD = `
  select id, zone, x, z, last_seq as "lastSeq", applied_n as "appliedN", seq_sum as "seqSum", seq_hash as "seqHash",
    transfer_seq as "transferSeq"
  from ${TABLE} where id = $1`;
const ITEMS_OF = `
  select i.id, t.giver, t.seq from item i
  left join lateral (select giver, seq from trade where item = i.id order by id desc limit 1) t on true
  where i.owner = $1 order by i.id`;
const SCORES_OF = `
  select player, ((select count(*) from trade where giver = player) + (select count(*) from trade where taker = player))::int as score
  from unnest($1::int[]) as player`;

/** Characters begin at places that are spread evenly over their zones (Roberts' R2 sequence). */
const CHARACTERS = `
  insert into ${TABLE} (id, zone, x, z)
  select id, id % $2, $3 * (((id + 1) * 0.754877666246693) % 1), $3 * (((id + 1) * 0.569840290998053) % 1)
  from generate_series(0, $1::int - 1) as id on conflict do nothing`;
const ITEMS = `
  insert into item (id, owner)
  select owner * $2::bigint + k, owner from generate_series(0, $1::int - 1) as owner, generate_series(1, $2::int) as k
  on conflict do nothing`;

async function prepareTables(
  client: pg.Client,
  { players, zones, zoneSize, itemsPerCharacter }: StorePlan,
): Promise<void> {
  await client.query('begin');
  await client.query(`select pg_advisory_xact_lock(${TABLES_LOCK})`);
  await client.query(TABLES);
  const { rows } = await client.query<{ any: boolean }>(`select exists (select from ${TABLE}) as any`);
  if (!rows[0]?.any) {
    await client.query(CHARACTERS, [players, zones, zoneSize]);
    await client.query(ITEMS, [players, itemsPerCharacter]);
  }
  await client.query('commit');
}

const COLUMNS = {
  id: 'int',
  zone: 'int',
  x: 'float8',
  z: 'float8',
  lastSeq: 'bigint',
  appliedN: 'bigint',
  seqSum: 'bigint',
  seqHash: 'bigint',
  transferSeq: 'bigint',
} as const;
const NAMES = Object.keys(COLUMNS) as readonly (keyof typeof COLUMNS)[];
const ARRAYS = Object.values(COLUMNS)
  .map((type, i) => `$${i + 1}::${type}[]`)
  .join(', ');
const SET = 'x = r.x, z = r.z, last_seq = r.last, applied_n = r.n, seq_sum = r.sum, seq_hash = r.hash';
const ROWS = `unnest(${ARRAYS}) as r (id, zone, x, z, last, n, sum, hash, transfer)`;

const valuesOf = (rows: readonly CharacterRow[]): unknown[] =>
  NAMES.map((name) => rows.map((row) => row[name]));

async function saveRows(client: pg.Client, rows: readonly CharacterRow[]): Promise<void> {
  await client.query(
    `update ${TABLE} c set ${SET} from ${ROWS} where c.id = r.id and c.zone = r.zone and c.transfer_seq = r.transfer`,
    valuesOf(rows),
  );
}

async function moveRow(client: pg.Client, row: CharacterRow, from: number): Promise<boolean> {
  await client.query(
    `update ${TABLE} c set ${SET}, zone = r.zone, transfer_seq = r.transfer from ${ROWS} where c.id = r.id and c.zone = $10`,
    [...valuesOf([row]), from],
  );
  // It may have been moved by an attempt whose commit nobody heard of.
  const { rowCount } = await client.query(`select from ${TABLE} where id = $1 and transfer_seq = $2`, [
    row.id,
    row.transferSeq,
  ]);
  return rowCount === 1;
}

const WANTED = 'unnest($1::int[], $2::bigint[], $3::int[], $4::bigint[]) as w (giver, seq, taker, item)';
const MOVES = 'update item i set owner = d.taker from done d where i.id = d.item';
const COPIES = 'insert into item (id, owner) select -d.id, d.taker from done d';
const tradeItems = (change: string): string => `
  with wanted as (select * from ${WANTED}),
  owned as (select id, owner from item where id in (select item from wanted) order by id for update),
  done as (
    insert into trade (giver, seq, taker, item)
    select w.giver, w.seq, w.taker, w.item from wanted w join owned o on o.id = w.item and o.owner = w.giver
    on conflict (giver, seq) do nothing returning id, taker, item
  )
  ${change}`;
const TRADED = `
  select w.giver, w.seq from ${WANTED} join trade t on (t.giver, t.seq, t.taker, t.item) = (w.giver, w.seq, w.taker, w.item)`;

/** A trade that is there already stays as it is: it was carried out. */
async function writeTrades(
  client: pg.Client,
  jobs: readonly Extract<Job, { readonly kind: 'trade' }>[],
  isTorn: boolean,
): Promise<void> {
  const values = (['giver', 'seq', 'taker', 'item'] as const).map((name) =>
    jobs.map(({ trade }) => trade[name]),
  );
  await client.query(tradeItems(isTorn ? COPIES : MOVES), values);
  const { rows } = await client.query<{ giver: number; seq: string }>(TRADED, values);
  const done = new Set(rows.map(({ giver, seq }) => `${giver} ${seq}`));
  for (const job of jobs) job.isDone = done.has(`${job.trade.giver} ${job.trade.seq}`);
}

import type pg from 'pg';
import { figuresOf } from '../../../hashed-numbers.ts';
import { contains } from '../../../number-ranges.ts';
import { BatchWriter } from '../../../server/batch-writer.ts';
import type { DatabaseAccess } from '../../../server/database-connection.ts';
import { TABLE } from '../workload.ts';
import { merged } from './merge.ts';
import type { PlayerState } from './player-state.ts';

/** PostgreSQL does not answer now. */
export class DatabaseAway extends Error {
  override readonly name = 'DatabaseAway';

  constructor() {
    super('PostgreSQL is away');
  }
}

/** A state on its way into its row. */
interface Save {
  readonly player: number;
  readonly state: PlayerState;
  /** The row with it. */
  row: PlayerState;
}

interface GameTablePlan {
  readonly database: DatabaseAccess;
  /** As in pg_stat_activity. */
  readonly application: string;
  /** States that may wait for PostgreSQL. */
  readonly most: number;
  /** How many rooms there are. */
  readonly rooms: number;
  log(sentence: string): void;
}

/** Where states are kept for good: one row for each player. */
export interface GameTable {
  /** PostgreSQL is away, or has not answered for a while. */
  readonly isAway: boolean;
  /** The state in the player's row, or null where it has none. @throws DatabaseAway */
  load(player: number): Promise<PlayerState | null>;
  /**
   * Resolves when the row has the state, brought together with what it had before; to the row.
   * @throws DatabaseAway, or what the writer throws
   */
  save(player: number, state: PlayerState): Promise<PlayerState>;
  render(): string;
  /** Commits what waits. */
  close(limitMs: number): Promise<void>;
}

/** A batch begins so many milliseconds after its first state: the window in which players share a commit. */
const WINDOW_MS = 20;
const MOST_IN_BATCH = 2_000;
/** An answer that takes longer is one of a PostgreSQL that is away. */
const ANSWER_MS = 1_000;

const CREATE = `create table if not exists ${TABLE} (
  user_id int primary key, state jsonb not null, last_seq int not null, applied_n int not null,
  seq_sum bigint not null, seq_hash bigint not null)`;

/** So that every player of a batch has a row to be locked; nobody else ever sees one without a state. */
const INSERT = `insert into ${TABLE} select player, 'null', 0, 0, 0, 0 from unnest($1::int[]) as player
  order by player on conflict do nothing`;
const LOCK = `select user_id, state from ${TABLE} where user_id = any($1) order by user_id for update`;
const UPDATE = `update ${TABLE} as g set state = s.state, last_seq = s.last_seq, applied_n = s.applied_n,
    seq_sum = s.seq_sum, seq_hash = s.seq_hash
  from unnest($1::int[], $2::jsonb[], $3::int[], $4::int[], $5::bigint[], $6::bigint[])
    as s (user_id, state, last_seq, applied_n, seq_sum, seq_hash)
  where g.user_id = s.user_id`;

/** @throws CapbenchError (93) when PostgreSQL cannot be reached */
export async function openGameTable({
  database,
  application,
  most,
  rooms,
  log,
}: GameTablePlan): Promise<GameTable> {
  const writer = await BatchWriter.open<Save>({
    ...{ database, application, limit: MOST_IN_BATCH, intervalMs: WINDOW_MS, most, log },
    prepare: async (client, isFirst) => {
      if (isFirst) await createTable(client);
    },
    write: (client, saves) => writeStates(client, saves, rooms),
  });
  const isAway = (): boolean => writer.isDisconnected || writer.stalledMillis > ANSWER_MS;
  const read = async (players: readonly number[]): Promise<ReadonlyMap<number, PlayerState>> => {
    const { rows } = await writer.connection.query<{ user_id: number; state: PlayerState }>({
      text: `select user_id, state from ${TABLE} where user_id = any($1)`,
      values: [players],
    });
    return new Map(rows.map(({ user_id, state }) => [user_id, state]));
  };
  const loads = openLoads(read);
  return {
    get isAway() {
      return isAway();
    },
    async load(player) {
      if (isAway()) throw new DatabaseAway();
      return loads(player);
    },
    async save(player, state) {
      if (isAway()) throw new DatabaseAway();
      const save: Save = { player, state, row: state };
      await writer.add(save);
      return save.row;
    },
    render: () => writer.render(),
    async close(limitMs) {
      await writer.close(limitMs);
    },
  };
}

/** All instances start at the same time, and `if not exists` does not keep two of them from creating it. */
async function createTable(client: pg.Client): Promise<void> {
  await client.query('begin');
  await client.query(`select pg_advisory_xact_lock(hashtext('${TABLE}'))`);
  await client.query(CREATE);
  await client.query('commit');
}

/**
 * Rows only grow: each becomes what it has together with the states that are saved. So it does not matter how often a state is
 * written, in which order, or by whom.
 */
async function writeStates(client: pg.Client, saves: readonly Save[], rooms: number): Promise<void> {
  const players = [...new Set(saves.map(({ player }) => player))];
  await client.query(INSERT, [players]);
  const { rows } = await client.query<{ user_id: number; state: PlayerState | null }>(LOCK, [players]);
  const before = new Map(rows.map(({ user_id, state }) => [user_id, state]));
  const after = new Map<number, PlayerState>();
  for (const { player, state } of saves) {
    const row = after.get(player) ?? before.get(player) ?? null;
    after.set(player, row === null ? state : merged(player, row, state, rooms));
  }
  const grown = [...after].filter(([player, state]) => isNews(before.get(player) ?? null, state));
  const figures = grown.map(([, state]) => figuresOf(state));
  if (grown.length > 0)
    await client.query(UPDATE, [
      grown.map(([player]) => player),
      grown.map(([, state]) => JSON.stringify(state)),
      figures.map(({ lastSeq }) => lastSeq),
      figures.map(({ appliedN }) => appliedN),
      figures.map(({ seqSum }) => seqSum),
      figures.map(({ seqHash }) => seqHash),
    ]);
  for (const save of saves) save.row = after.get(save.player)!;
}

const isNews = (before: PlayerState | null, after: PlayerState): boolean =>
  before === null || !contains(before.numbers, after.numbers) || before.outage.length !== after.outage.length;

/** One read at a time: players who are asked for meanwhile are read together, next. */
function openLoads(read: (players: readonly number[]) => Promise<ReadonlyMap<number, PlayerState>>) {
  interface Load {
    readonly players: number[];
    readonly rows: Promise<ReadonlyMap<number, PlayerState>>;
  }
  let next: Load | null = null;
  let last: Promise<unknown> = Promise.resolve();
  const begin = (): Load => {
    const players: number[] = [];
    const rows = last.then(() => {
      next = null;
      return answeredInTime(read(players));
    });
    last = rows.catch(() => undefined);
    return { players, rows };
  };
  return async (player: number): Promise<PlayerState | null> => {
    next ??= begin();
    next.players.push(player);
    return (await next.rows).get(player) ?? null;
  };
}

/** @throws DatabaseAway when there is no answer in time, or an error for one */
function answeredInTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new DatabaseAway()), ANSWER_MS);
    answer.then(resolve, () => reject(new DatabaseAway())).finally(() => clearTimeout(late));
  });
}

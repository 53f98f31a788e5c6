import type pg from 'pg';
import { BatchWriter } from '../../../server/batch-writer.ts';
import type { DatabaseAccess } from '../../../server/database-connection.ts';
import { TABLE } from '../workload.ts';
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
  /** Whether the row has this state, or a newer one that contains it. */
  isKept: boolean;
}

interface GameTablePlan {
  readonly database: DatabaseAccess;
  /** As in pg_stat_activity. */
  readonly application: string;
  /** States that may wait for PostgreSQL. */
  readonly most: number;
  log(sentence: string): void;
}

/** Where states are kept for good: one row for each player. */
export interface GameTable {
  /** PostgreSQL is away, or has not answered for a while. */
  readonly isAway: boolean;
  /** The state in the player's row, or null where it has none. @throws DatabaseAway */
  load(player: number): Promise<PlayerState | null>;
  /**
   * Resolves when the state is committed; to false when the row has a state that does not contain it, and stays as it is.
   * @throws DatabaseAway, or what the writer throws
   */
  save(player: number, state: PlayerState): Promise<boolean>;
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

/**
 * Only forward: a row with more numbers, or with later ones (those that were applied to it while Redis was away), is not
 * replaced. So it does not matter how often a batch is written, or who writes it.
 */
const UPSERT = `insert into ${TABLE} as g (user_id, state, last_seq, applied_n, seq_sum, seq_hash)
  select * from unnest($1::int[], $2::jsonb[], $3::int[], $4::int[], $5::bigint[], $6::bigint[])
  on conflict (user_id) do update set state = excluded.state, last_seq = excluded.last_seq,
    applied_n = excluded.applied_n, seq_sum = excluded.seq_sum, seq_hash = excluded.seq_hash
  where g.applied_n < excluded.applied_n and g.last_seq <= excluded.last_seq
  returning user_id`;

/** @throws CapbenchError (93) when PostgreSQL cannot be reached */
export async function openGameTable({ database, application, most, log }: GameTablePlan): Promise<GameTable> {
  const writer = await BatchWriter.open<Save>({
    ...{ database, application, limit: MOST_IN_BATCH, intervalMs: WINDOW_MS, most, log },
    prepare: async (client, isFirst) => {
      if (isFirst) await createTable(client);
    },
    write: writeStates,
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
      const save: Save = { player, state, isKept: true };
      await writer.add(save);
      return save.isKept;
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

async function writeStates(client: pg.Client, saves: readonly Save[]): Promise<void> {
  // A player's newest state, where there are several.
  const newest = new Map<number, Save>();
  for (const save of saves) {
    const other = newest.get(save.player);
    if (other === undefined || other.state.appliedN < save.state.appliedN) newest.set(save.player, save);
  }
  const all = [...newest.values()];
  const column = <T>(of: (save: Save) => T): T[] => all.map(of);
  const { rows } = await client.query<{ user_id: number }>(UPSERT, [
    column(({ player }) => player),
    column(({ state }) => JSON.stringify(state)),
    column(({ state }) => state.lastSeq),
    column(({ state }) => state.appliedN),
    column(({ state }) => state.seqSum),
    column(({ state }) => state.seqHash),
  ]);
  const written = new Set(rows.map(({ user_id }) => user_id));
  const others = all.filter(({ player }) => !written.has(player));
  if (others.length > 0) await compareRows(client, others);
  for (const save of saves) save.isKept = newest.get(save.player)?.isKept ?? false;
}

/** Of rows that were not replaced: whether they have the state already, or a newer one on top of it. */
async function compareRows(client: pg.Client, saves: readonly Save[]): Promise<void> {
  const { rows } = await client.query<{ user_id: number; state: PlayerState }>(
    `select user_id, state from ${TABLE} where user_id = any($1)`,
    [saves.map(({ player }) => player)],
  );
  const kept = new Map(rows.map(({ user_id, state }) => [user_id, state]));
  for (const save of saves) {
    const row = kept.get(save.player);
    save.isKept = row !== undefined && contains(row, save.state);
  }
}

/**
 * A row without commands that were applied while Redis was away has more numbers only because it is newer. One that ends before
 * the state does lacks its last number, however many others it has.
 */
function contains(row: PlayerState, state: PlayerState): boolean {
  if (row.appliedN === state.appliedN) return row.seqSum === state.seqSum && row.seqHash === state.seqHash;
  return row.appliedN > state.appliedN && row.lastSeq >= state.lastSeq && row.outage.length === 0;
}

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

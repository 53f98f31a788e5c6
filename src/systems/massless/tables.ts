/** An item's number: one of a fixed number of items, which change owners and are never made or destroyed. */
export type Item = number;

/** A row for each player. */
export const TABLE = 'character';

/**
 * `character`: where it is, and the sums of the numbers of its applied inputs and transfers, as they were when it was saved last;
 * `transfer_seq` is the number of its last transfer, which is applied in the statement that sets it. `trade`: one row for each
 * committed trade, `seq` is the giver's number.
 */
export const TABLES = `
  create table if not exists ${TABLE} (
    id int primary key, zone int not null, x float8 not null, z float8 not null, last_seq bigint not null default 0,
    applied_n bigint not null default 0, seq_sum bigint not null default 0, seq_hash bigint not null default 0,
    transfer_seq bigint not null default 0
  );
  create table if not exists item (id bigint primary key, owner int not null);
  create index if not exists item_owner on item (owner);
  create table if not exists trade (
    id bigint generated always as identity primary key, seq bigint not null, giver int not null, taker int not null,
    item bigint not null, unique (giver, seq)
  );
  create index if not exists trade_taker on trade (taker);
  create index if not exists trade_item on trade (item, id)`;

/** The items with which a character begins are consecutive. */
export const firstItem = (character: number, itemsPerCharacter: number): Item =>
  character * itemsPerCharacter + 1;

/** Items and characters: as many items for each as there were at the start. */
export const ITEM_SUM =
  'select (select count(*) from item) as items, (select count(*) from character) as characters';

/** Trades of each player that has any, given and taken: its score. */
export const SCORES = `
  select player, count(*)::int as score
  from (select giver as player from trade union all select taker from trade) as part group by player`;

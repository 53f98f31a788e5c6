import type { Ledger } from '../../load/engine.ts';
import { NumberSets } from '../../load/number-sets.ts';
import { AppliedNumbers } from '../../probe/applied-numbers.ts';
import { askOnce } from '../../probe/counted-rows.ts';
import { HASH_MODULUS, HashSums } from '../../probe/hash-sums.ts';
import type { StoredNumbers } from '../../probe/stored-numbers.ts';
import { type OpenVerification, type Verification, verifyNumbers } from '../../probe/verification.ts';
import type { DatabaseEndpoint } from '../../stack/stack.ts';
import { isPlace, placeStated } from './stated-place.ts';
import { firstItem, TABLE } from './tables.ts';
import { masslessWorkload } from './workload.ts';

/** What a save takes beyond its interval, in seconds: a killed server may have been at it. */
const SAVE_SECONDS = 1;
/** Beyond the interval, in which a save is under way at the end of a run. */
const SAVE_MS = 3_000;

/** What the database has. */
export interface StoredRows {
  readonly characters: readonly CharacterRow[];
  readonly trades: readonly TradeRow[];
  readonly items: readonly { readonly item: number; readonly owner: number }[];
}

export interface CharacterRow {
  readonly id: number;
  readonly zone: number;
  readonly x: number;
  readonly z: number;
  /** Of the numbers of its inputs and transfers. */
  readonly lastSeq: number;
  readonly appliedN: number;
  readonly seqSum: number;
  readonly seqHash: number;
  readonly transferSeq: number;
}

export interface TradeRow {
  readonly giver: number;
  readonly taker: number;
  readonly seq: number;
  readonly item: number;
}

/** What the run is known to have, without asking its servers. */
export interface Expected {
  readonly players: number;
  readonly zones: number;
  readonly itemsPerCharacter: number;
}

/**
 * Verifies every acknowledged number. Trades are in a table number by number. Of inputs and transfers a character has count, sum,
 * highest number and the sum of the hashes: together with the load's own record (which numbers are trades, and which a
 * welcome lacks) they say which numbers these are. Items are neither made nor destroyed, and are where the trades lead; and a
 * character whose row has all that was acknowledged is where its server last said it is.
 *
 * During the load what is acknowledged and not saved yet is in the memory of a server, which no row shows: a welcome says what was
 * lost of it, and at the end the rows alone count. A killed server may lose the places of the last interval, and nothing else;
 * one that is asked to end loses nothing.
 */
export const openVerification: OpenVerification = async ({ endpoints, workload }) => {
  const { database, worlds } = endpoints;
  if (database === null) return { because: 'no PostgreSQL URL was given: --probe-postgres' };
  const { saveSeconds, zones, itemsPerCharacter } = masslessWorkload(workload);
  const expected: Expected = { players: workload.players, zones, itemsPerCharacter };
  /** The record that the rows are held against. */
  let ledger: Ledger | null = null;
  const numbers = await verifyNumbers({
    async read(end) {
      const rows = await readRows(database);
      if (ledger === null) throw new Error('the rows were read without a record to hold them against');
      return storedNumbers(rows, ledger, expected, end);
    },
    stillMs: saveSeconds * 1e3 + SAVE_MS,
    losses: worlds.map((_, i) => ({
      ...{ of: `world-${i + 1}`, withinSeconds: saveSeconds + SAVE_SECONDS, by: ['kill'] as const },
    })),
  });
  const recorded: (of: () => Promise<Ledger>) => () => Promise<Ledger> = (of) => async () => {
    ledger = await of();
    return ledger;
  };
  return {
    ...numbers,
    compareNow: (of, outages) => numbers.compareNow(recorded(of), outages),
    async verify(given, abort, outages) {
      ledger = given;
      // Servers do not report what is saved, so how much of it was reported is no question.
      const { unreported: _, ...found } = await numbers.verify(given, abort, outages);
      return found;
    },
  } satisfies Verification;
};

/** What is stored: the numbers of each player's operations, and what is wrong with the rows. Pure. */
export function storedNumbers(
  { characters, trades, items }: StoredRows,
  ledger: Ledger,
  expected: Expected,
  end: boolean,
): StoredNumbers {
  const wrong = [...wrongItems(items, trades, expected)];
  const saved = new Map<number, number[]>();
  const tradesOf = new Map<number, Set<number>>();
  for (const { giver, seq } of trades) {
    push(saved, giver, seq);
    tradesOf.set(giver, (tradesOf.get(giver) ?? new Set()).add(seq));
  }
  const known = recordOf(ledger, tradesOf);
  const applied = new AppliedNumbers(known.sent, known.acked, new HashSums());
  const seen = new Set<number>();
  for (const row of characters) {
    const { id, lastSeq } = row;
    if (seen.has(id) || id < 0 || id >= expected.players) {
      wrong.push(`character ${id}: a row too many`);
      continue;
    }
    seen.add(id);
    if (row.zone < 0 || row.zone >= expected.zones) wrong.push(`character ${id}: in zone ${row.zone}`);
    known.upTo(id, lastSeq);
    // During the load a row may be newer than the record, which then has not all numbers that went into its sums.
    const isNewer = !end && lastSeq > known.highestSent(id);
    const problem = isNewer ? null : wrongSums(row, known, applied);
    if (problem !== null) wrong.push(`character ${id}: ${problem}`);
    known.acked.each(id, (number) => push(saved, id, number));
    if (problem === null && end) wrong.push(...wrongPlace(row, known, ledger));
  }
  if (!end) return { kept: inMemory(ledger, saved), saved, wrong };
  return { kept: new Map(), saved, wrong };
}

/** The load's record of inputs and transfers, by character, of the numbers up to what its row ends with. */
interface MoveRecord {
  readonly sent: NumberSets;
  readonly acked: NumberSets;
  /** Fills the sets of a character. */
  upTo(id: number, last: number): void;
  /** The highest number that was sent, of any kind. */
  highestSent(id: number): number;
  /** The highest acknowledged input or transfer that no welcome lacked. */
  highestAcked(id: number): number;
}

/** Acknowledged numbers that were reported as saved are trades, and so are those in the table. */
function recordOf(
  { base, sent, acked, levels }: Ledger,
  trades: ReadonlyMap<number, ReadonlySet<number>>,
): MoveRecord {
  const [allSent, allAcked] = [NumberSets.from(base, sent), NumberSets.from(base, acked)];
  const reported = levels === undefined ? null : NumberSets.from(base, levels.saved);
  const lacking = new Map<number, Set<number>>();
  for (let i = 0; i < (levels?.forgotten.length ?? 0); i += 3) {
    const entity = levels!.forgotten[i]!;
    lacking.set(entity, (lacking.get(entity) ?? new Set()).add(levels!.forgotten[i + 1]!));
  }
  const isMove = (id: number, number: number): boolean =>
    reported?.has(id, number) !== true &&
    trades.get(id)?.has(number) !== true &&
    lacking.get(id)?.has(number) !== true;
  const moves = { sent: new NumberSets(base.slice()), acked: new NumberSets(base.slice()) };
  return {
    ...moves,
    upTo(id, last) {
      for (const [from, to] of [
        [allSent, moves.sent],
        [allAcked, moves.acked],
      ] as const)
        from.each(id, (number) => {
          if (number <= last && isMove(id, number)) to.add(id, number);
        });
    },
    highestSent: (id) => allSent.max[id]!,
    highestAcked(id) {
      let highest = 0;
      allAcked.each(id, (number) => {
        if (isMove(id, number)) highest = number;
      });
      return highest;
    },
  };
}

/** How a character's sums contradict the record; null where they do not. */
function wrongSums(
  { id, lastSeq, appliedN, seqSum, seqHash, transferSeq }: CharacterRow,
  known: MoveRecord,
  applied: AppliedNumbers,
): string | null {
  if (lastSeq > known.highestSent(id))
    return `ends at ${lastSeq}, and ${known.highestSent(id)} was the last sent`;
  if (transferSeq > lastSeq) return `its last transfer ${transferSeq} is above its last number ${lastSeq}`;
  const [acked, sent] = [known.acked.count(id), known.sent.count(id)];
  if (appliedN < acked) return `${acked} inputs acknowledged up to ${lastSeq}, and ${appliedN} applied`;
  if (appliedN > sent) return `${sent} inputs sent up to ${lastSeq}, and ${appliedN} applied`;
  const fit = applied.of(id, {
    ...{ n: appliedN, sum: seqSum, hash: seqHash },
    ...{ lastSeq, lastSeqBefore: 0 },
  });
  return fit === 'denied'
    ? `${appliedN} numbers that add up to ${seqSum} are not the ${acked} acknowledged up to ${lastSeq}`
    : null;
}

/** Only where the row has what was acknowledged, and nothing else, is its place the last that the server stated. */
function wrongPlace(row: CharacterRow, known: MoveRecord, { stated }: Ledger): readonly string[] {
  const { id, lastSeq, appliedN, x, z } = row;
  const last = stated[id]! - 1;
  if (last < 0 || appliedN !== known.acked.count(id) || known.highestAcked(id) > lastSeq) return [];
  if (isPlace(last, row)) return [];
  const place = placeStated(last);
  return [`character ${id}: acknowledged at ${place.x}, ${place.z}, and saved at ${x}, ${z}`];
}

/** With what was acknowledged and is not saved yet. */
function inMemory({ levels }: Ledger, saved: ReadonlyMap<number, readonly number[]>): StoredNumbers['kept'] {
  const kept = new Map<number, number[]>([...saved].map(([id, numbers]) => [id, [...numbers]]));
  for (let i = 0; i < (levels?.unsaved.length ?? 0); i += 3)
    push(kept, levels!.unsaved[i]!, levels!.unsaved[i + 1]!);
  return kept;
}

/**
 * Each item is there once; and of each, every character has given it as often as it has got it, but for the one that had it first
 * and the one that has it now. So no trade is there on one side only.
 */
function wrongItems(
  items: StoredRows['items'],
  trades: readonly TradeRow[],
  { players, itemsPerCharacter }: Expected,
): readonly string[] {
  const wrong: string[] = [];
  const owners = new Map<number, number>();
  for (const { item, owner } of items) {
    if (owners.has(item)) wrong.push(`item ${item}: there twice`);
    owners.set(item, owner);
  }
  const first = new Map<number, number>();
  for (let player = 0; player < players; player++) {
    const from = firstItem(player, itemsPerCharacter);
    for (let item = from; item < from + itemsPerCharacter; item++) first.set(item, player);
  }
  for (const item of owners.keys()) if (!first.has(item)) wrong.push(`item ${item}: made out of nothing`);
  /** By item, by character: how often it got the item, less how often it gave it. */
  const gains = new Map<number, Map<number, number>>();
  for (const { giver, taker, item } of trades) {
    const own = gains.get(item) ?? new Map<number, number>();
    own.set(giver, (own.get(giver) ?? 0) - 1);
    own.set(taker, (own.get(taker) ?? 0) + 1);
    gains.set(item, own);
  }
  for (const [item, holder] of first) {
    const owner = owners.get(item);
    if (owner === undefined) {
      wrong.push(`item ${item}: destroyed`);
      continue;
    }
    const own = gains.get(item) ?? new Map<number, number>();
    for (const character of new Set([holder, owner, ...own.keys()])) {
      const gain = (character === owner ? 1 : 0) - (character === holder ? 1 : 0);
      if ((own.get(character) ?? 0) !== gain) {
        wrong.push(
          `item ${item}: began with character ${holder}, is with ${owner}, and its trades do not lead there`,
        );
        break;
      }
    }
  }
  for (const item of gains.keys()) if (!first.has(item)) wrong.push(`item ${item}: traded, and never there`);
  return wrong;
}

function push(map: Map<number, number[]>, key: number, value: number): void {
  const own = map.get(key);
  if (own === undefined) map.set(key, [value]);
  else own.push(value);
}

/** One statement, so that all rows are of one instant. */
const ALL_ROWS = `
  select 0, id::bigint, zone::bigint, last_seq, applied_n, seq_sum, seq_hash & ${HASH_MODULUS - 1}, transfer_seq, x, z from ${TABLE}
  union all select 1, giver, taker, seq, item, 0, 0, 0, 0, 0 from trade
  union all select 2, id, owner, 0, 0, 0, 0, 0, 0, 0 from item`;

async function readRows(database: DatabaseEndpoint): Promise<StoredRows> {
  const rows = await askOnce<readonly (number | string)[]>(database, ALL_ROWS);
  const of = (wanted: number): readonly (readonly number[])[] =>
    rows.flatMap(([kind, ...row]) => (kind === wanted ? [row.map(Number)] : []));
  return {
    characters: of(0).map(([id, zone, lastSeq, appliedN, seqSum, seqHash, transferSeq, x, z]) => ({
      ...{ id: id!, zone: zone!, lastSeq: lastSeq!, appliedN: appliedN!, seqSum: seqSum! },
      ...{ seqHash: seqHash!, transferSeq: transferSeq!, x: x!, z: z! },
    })),
    trades: of(1).map(([giver, taker, seq, item]) => ({
      ...{ giver: giver!, taker: taker!, seq: seq!, item: item! },
    })),
    items: of(2).map(([item, owner]) => ({ item: item!, owner: owner! })),
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../load/engine.ts';
import type { Workload } from '../scenario/workload.ts';
import type { Endpoints } from '../stack/stack.ts';
import { type CountedRows, compareLedger, type IntegrityFindings } from './counted-rows.ts';
import { type ExcusableNumbers, excusableNumbers, type Outage, type StatedLoss } from './excuses.ts';
import type { Probe } from './probe.ts';
import { compareNumbers, type StoredNumbers } from './stored-numbers.ts';

/** The findings, and the row writes of the whole run as counted by the servers and by the database. */
interface Verified extends IntegrityFindings {
  /** Null where row writes are not counted, for instance of keys. */
  readonly rowWritesServers: number | null;
  readonly rowWritesPostgres: number | null;
}

export type RowErrors = Pick<IntegrityFindings, 'lost' | 'lostInWindow' | 'phantom' | 'duplicated' | 'holes'>;

/** The outages of the run so far, read again after each reading of the stores: one may have begun meanwhile. */
export type Outages = () => readonly Outage[];

export interface Verification {
  /** The losses that outages excuse, as the system states them; absent: none. */
  readonly losses?: readonly StatedLoss[] | undefined;
  /** After the drain: waits until the accepted operations are written, then reads the rows and compares. */
  verify(ledger: Ledger, abort: AbortSignal, outages: Outages): Promise<Verified>;
  /**
   * During the load: the rows must have every operation that was acknowledged before they were read, and none that was
   * not sent until after the read. Operations in between may be in the rows or not.
   */
  compareNow(ledger: () => Promise<Ledger>, outages: Outages): Promise<RowErrors>;
  /**
   * Rows without hashes are compared repeatedly, so that a loss is seen before other operations can make up for it in
   * count and sum. `verify` reports the worst result. Does not reject.
   */
  watch(ledger: () => Promise<Ledger>, until: AbortSignal, outages: Outages): Promise<void>;
}

/** The input of a system's integrity check, which is opened after READY and before GO. */
interface VerificationSetup {
  readonly endpoints: Endpoints;
  readonly workload: Workload;
  /** The system's own probes, in their order. */
  readonly probes: readonly Probe[];
}

/** Why the rows cannot be compared with the ledger: `because` goes into the report. */
interface Unverifiable {
  readonly because: string;
}

/**
 * Reads the rows before GO, since the stack may have run before.
 * @throws errors of the database, which are failures of the stack
 */
export type OpenVerification = (setup: VerificationSetup) => Promise<Verification | Unverifiable>;

/** How a system's stores are read. */
interface Source<Stored> {
  /**
   * Before GO, during the load, and at the `end`, when only the last level counts. During the load an operation that any level
   * has is there.
   */
  read(end: boolean): Promise<Stored>;
  /** Row writes since the start of the servers, as counted on both sides; absent: they are not counted. */
  writes?(): Promise<readonly [servers: number, database: number]>;
  /** After this many milliseconds without a change nothing more will be written: longer than the interval of the writers. */
  readonly stillMs?: number;
  /** Absent: whatever was acknowledged is kept. */
  readonly losses?: readonly StatedLoss[];
}

/** The servers' queues may take this long to be written after the drain. */
const LONGEST_MS = 10_000;
const STILL_MS = 2_500;
/**
 * A target's writer may be idle after its last write: PostgreSQL publishes an idle session's counts only 10 s later
 * (PGSTAT_IDLE_INTERVAL). Our own servers flush them at once (pg_stat_force_next_flush).
 */
export const STILL_OF_TARGET_MS = 12_000;
const STEP_MS = 400;
/** The interval for up to 2,000 entities; for more it is proportionally longer. */
const WATCH_MS = 1_000;
const WATCHED_ENTITIES = 2_000;
/** A replica may show acknowledged operations this much later. */
const SETTLED_MS = 200;

/**
 * The integrity check of rows that have the count, sum and highest of the numbers applied to them. Such rows cannot excuse
 * anything: which numbers they lack is not known.
 */
export async function verifyRows(
  source: Omit<Source<CountedRows>, 'losses'>,
  entities: number,
): Promise<Verification> {
  const before = await source.read(false);
  return openVerification(source, {
    compare: (ledger, rows) => compareLedger(ledger, before, rows),
    watchEveryMs: before.seqHash.some(Number.isNaN)
      ? WATCH_MS * Math.max(1, entities / WATCHED_ENTITIES)
      : null,
  });
}

/** The integrity check of stores that have every number by itself. */
export const verifyNumbers = (source: Source<StoredNumbers>): Promise<Verification> =>
  openVerification(source, { compare: compareNumbers, watchEveryMs: null });

/** How what was read is compared with the ledger. */
interface Comparison<Stored> {
  /** `excusable`: null where no loss is stated. */
  compare(ledger: Ledger, stored: Stored, excusable: ExcusableNumbers | null): IntegrityFindings;
  /** Null: a loss stays visible until the end. */
  readonly watchEveryMs: number | null;
}

async function openVerification<Stored>(
  { read, writes: counted, stillMs = STILL_MS, losses = [] }: Source<Stored>,
  { compare: compareStored, watchEveryMs }: Comparison<Stored>,
): Promise<Verification> {
  const writes = counted ?? (async () => [0, 0] as const);
  const [serversBefore, databaseBefore] = await writes();
  let worst: IntegrityFindings | null = null;

  const excusable = ({ levels }: Ledger, outages: Outages): ExcusableNumbers | null =>
    losses.length === 0 ? null : excusableNumbers(levels, losses, outages());
  /** Compares the current rows with the operations acknowledged `earlier` and those sent by the time the rows were read. */
  const compare = async (
    ledger: () => Promise<Ledger>,
    earlier: Ledger,
    outages: Outages,
  ): Promise<IntegrityFindings> => {
    const rows = await read(false);
    const { sent } = await ledger();
    return compareStored({ ...earlier, sent }, rows, excusable(earlier, outages));
  };
  return {
    losses,
    async compareNow(ledger, outages) {
      const found = await compare(ledger, await ledger(), outages);
      const { lost, phantom, duplicated, holes, lostInWindow } = found;
      return { lost, phantom, duplicated, holes, ...(lostInWindow === undefined ? {} : { lostInWindow }) };
    },
    async watch(ledger, until, outages) {
      if (watchEveryMs === null) return;
      const pause = (ms: number) => sleep(ms, undefined, { signal: until });
      while (!until.aborted) {
        try {
          await pause(watchEveryMs);
          const earlier = await ledger();
          await pause(SETTLED_MS);
          if (wrongIn(await compare(ledger, earlier, outages)) === 0) continue;
          // A replica may lag more than usual: a lost operation is still lost a moment later.
          await pause(SETTLED_MS);
          const found = await compare(ledger, earlier, outages);
          if (wrongIn(found) > (worst === null ? 0 : wrongIn(worst))) worst = found;
        } catch {
          // The load is over, or the ledger or the rows could not be read this time.
        }
      }
    },
    async verify(ledger, abort, outages) {
      let [servers, database] = await writes();
      let still = 0;
      for (let waited = 0; waited < LONGEST_MS + stillMs && !abort.aborted; waited += STEP_MS) {
        await sleep(STEP_MS);
        // An aborted run has closed the probes by now.
        if (abort.aborted) break;
        const [serversNow, databaseNow] = await writes();
        still = serversNow === servers && databaseNow === database ? still + STEP_MS : 0;
        [servers, database] = [serversNow, databaseNow];
        const agree = servers - serversBefore === database - databaseBefore;
        if (still > 0 && (agree || still >= stillMs)) break;
      }
      const look = async (): Promise<IntegrityFindings> =>
        compareStored(ledger, await read(true), excusable(ledger, outages));
      const found = ledger.levels === undefined ? await look() : await whole(look, stillMs, abort);
      return {
        ...worse(found, worst),
        rowWritesServers: counted === undefined ? null : servers - serversBefore,
        rowWritesPostgres: counted === undefined ? null : database - databaseBefore,
      };
    },
  };
}

/** Looks again until nothing is missing, or nothing has changed for `stillMs`: what is acknowledged is saved later. */
async function whole(
  look: () => Promise<IntegrityFindings>,
  stillMs: number,
  abort: AbortSignal,
): Promise<IntegrityFindings> {
  const missingIn = ({ lost, holes, lostInWindow }: IntegrityFindings) => lost + holes + (lostInWindow ?? 0);
  let found = await look();
  for (let still = 0, waited = 0; waited < LONGEST_MS + stillMs && still < stillMs; waited += STEP_MS) {
    if (missingIn(found) === 0 || abort.aborted) break;
    await sleep(STEP_MS);
    const now = await look();
    still = now.applied === found.applied ? still + STEP_MS : 0;
    found = now;
  }
  return found;
}

const wrongIn = ({ lost, phantom, duplicated, holes }: RowErrors): number =>
  lost + phantom + duplicated + holes;

/** The final findings, with the larger counts of both. */
function worse(end: IntegrityFindings, before: IntegrityFindings | null): IntegrityFindings {
  if (before === null) return end;
  return {
    ...end,
    lost: Math.max(end.lost, before.lost),
    phantom: Math.max(end.phantom, before.phantom),
    duplicated: Math.max(end.duplicated, before.duplicated),
    holes: Math.max(end.holes, before.holes),
    examples:
      end.examples.length > 0 ? end.examples : before.examples.map((one) => `during the load, ${one}`),
  };
}

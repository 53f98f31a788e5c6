import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../load/engine.ts';
import type { Workload } from '../scenario/workload.ts';
import type { Endpoints } from '../stack/stack.ts';
import { type CountedRows, compareLedger, type IntegrityFindings } from './counted-rows.ts';
import type { Probe } from './probe.ts';

/** The findings, and the row writes of the whole run as counted by the servers and by the database. */
interface Verified extends IntegrityFindings {
  /** Null where row writes are not counted, for instance of keys. */
  readonly rowWritesServers: number | null;
  readonly rowWritesPostgres: number | null;
}

export type RowErrors = Pick<IntegrityFindings, 'lost' | 'phantom' | 'duplicated' | 'holes'>;

export interface Verification {
  /** After the drain: waits until the accepted operations are written, then reads the rows and compares. */
  verify(ledger: Ledger, abort: AbortSignal): Promise<Verified>;
  /**
   * During the load: the rows must have every operation that was acknowledged before they were read, and none that was
   * not sent until after the read. Operations in between may be in the rows or not.
   */
  compareNow(ledger: () => Promise<Ledger>): Promise<RowErrors>;
  /**
   * Rows without hashes are compared repeatedly, so that a loss is seen before other operations can make up for it in
   * count and sum. `verify` reports the worst result. Does not reject.
   */
  watch(ledger: () => Promise<Ledger>, until: AbortSignal): Promise<void>;
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

/** How a system's rows are read. */
interface RowSource {
  read(): Promise<CountedRows>;
  /** Row writes since the start of the servers, as counted on both sides; absent: they are not counted. */
  writes?(): Promise<readonly [servers: number, database: number]>;
  /** After this many milliseconds without a change the two counts will not become equal any more. */
  readonly stillMs?: number;
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

/** The integrity check of rows that have the count, sum and highest of the numbers applied to them. */
export async function verifyRows(
  { read, writes: counted, stillMs = STILL_MS }: RowSource,
  entities: number,
): Promise<Verification> {
  const writes = counted ?? (async () => [0, 0] as const);
  const before = await read();
  const [serversBefore, databaseBefore] = await writes();
  let worst: IntegrityFindings | null = null;

  /** Compares the current rows with the operations acknowledged `earlier` and those sent by the time the rows were read. */
  const compare = async (ledger: () => Promise<Ledger>, earlier: Ledger): Promise<IntegrityFindings> => {
    const rows = await read();
    const { sent } = await ledger();
    return compareLedger({ ...earlier, sent }, before, rows);
  };
  return {
    async compareNow(ledger) {
      const { lost, phantom, duplicated, holes } = await compare(ledger, await ledger());
      return { lost, phantom, duplicated, holes };
    },
    async watch(ledger, until) {
      if (!before.seqHash.some(Number.isNaN)) return;
      const pause = (ms: number) => sleep(ms, undefined, { signal: until });
      while (!until.aborted) {
        try {
          await pause(WATCH_MS * Math.max(1, entities / WATCHED_ENTITIES));
          const earlier = await ledger();
          await pause(SETTLED_MS);
          if (wrongIn(await compare(ledger, earlier)) === 0) continue;
          // A replica may lag more than usual: a lost operation is still lost a moment later.
          await pause(SETTLED_MS);
          const found = await compare(ledger, earlier);
          if (wrongIn(found) > (worst === null ? 0 : wrongIn(worst))) worst = found;
        } catch {
          // The load is over, or the ledger or the rows could not be read this time.
        }
      }
    },
    async verify(ledger, abort) {
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
      return {
        ...worse(compareLedger(ledger, before, await read()), worst),
        rowWritesServers: counted === undefined ? null : servers - serversBefore,
        rowWritesPostgres: counted === undefined ? null : database - databaseBefore,
      };
    },
  };
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

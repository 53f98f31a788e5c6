import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../load/engine.ts';
import type { Workload } from '../scenario/workload.ts';
import type { Endpoints } from '../stack/stack.ts';
import { type CountedRows, compareLedger, type IntegrityFindings } from './counted-rows.ts';
import type { Probe } from './probe.ts';

/** The findings, and the row writes of the whole run as both sides counted them. */
interface Verified extends IntegrityFindings {
  /** Null where nobody counts them: keys, say. */
  readonly rowWritesServers: number | null;
  readonly rowWritesPostgres: number | null;
}

export type RowErrors = Pick<IntegrityFindings, 'lost' | 'phantom' | 'duplicated' | 'holes'>;

export interface Verification {
  /** After the drain: waits until what the servers accepted is written, then reads and compares. */
  verify(ledger: Ledger, abort: AbortSignal): Promise<Verified>;
  /**
   * While the load goes on: what was acknowledged before the rows were read must be in them, and nothing that was
   * not sent after they were read. What lies between is open.
   */
  compareNow(ledger: () => Promise<Ledger>): Promise<RowErrors>;
  /**
   * Rows without hashes are read again and again until then: a loss that others make up for later in count and sum is
   * seen before they do. What is found worst is told by `verify`. Does not reject.
   */
  watch(ledger: () => Promise<Ledger>, until: AbortSignal): Promise<void>;
}

/** What a system's check of its rows is opened with: READY, before GO. */
interface VerificationSetup {
  readonly endpoints: Endpoints;
  readonly workload: Workload;
  /** The system's own probes, in their order. */
  readonly probes: readonly Probe[];
}

/** Why the rows cannot be held against what is sent: `because` goes into the report. */
interface Unverifiable {
  readonly because: string;
}

/**
 * Notes the rows as they stand before GO: the stack may have run before.
 * @throws what its database throws: a failure of the stack
 */
export type OpenVerification = (setup: VerificationSetup) => Promise<Verification | Unverifiable>;

/** How a system's rows are read, and their writes counted on both sides since the servers started; absent: nobody counts. */
interface RowSource {
  read(): Promise<CountedRows>;
  writes?(): Promise<readonly [servers: number, database: number]>;
  /** Counts that stand still for so many milliseconds will not meet any more, however far they are apart. */
  readonly stillMs?: number;
}

/** The servers' queues may take this long to empty after the drain. */
const LONGEST_MS = 10_000;
const STILL_MS = 2_500;
/**
 * Somebody else's writer may be idle since its last write: PostgreSQL publishes an idle session's counts 10 s later
 * (PGSTAT_IDLE_INTERVAL). Servers of ours ask for them (pg_stat_force_next_flush).
 */
export const STILL_OF_TARGET_MS = 12_000;
const STEP_MS = 400;
/** Between two readings of up to 2,000 entities; more are read less often in proportion. */
const WATCH_MS = 1_000;
const WATCHED_ENTITIES = 2_000;
/** What was acknowledged so long ago is in the rows: a replica, say, may be a little behind. */
const SETTLED_MS = 200;

/** The check of rows that count, each, the numbers that reached their entity. */
export async function verifyRows(
  { read, writes: counted, stillMs = STILL_MS }: RowSource,
  entities: number,
): Promise<Verification> {
  const writes = counted ?? (async () => [0, 0] as const);
  const before = await read();
  const [serversBefore, databaseBefore] = await writes();
  let worst: IntegrityFindings | null = null;

  /** What was acknowledged earlier has to be in the rows now, and nothing that has not been sent by the time they are read. */
  const look = async (ledger: () => Promise<Ledger>, earlier: Ledger): Promise<IntegrityFindings> => {
    const rows = await read();
    const { sent } = await ledger();
    return compareLedger({ ...earlier, sent }, before, rows);
  };
  return {
    async compareNow(ledger) {
      const { lost, phantom, duplicated, holes } = await look(ledger, await ledger());
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
          if (wrongIn(await look(ledger, earlier)) === 0) continue;
          // A replica may be further behind for once: what is lost is still lost a moment later.
          await pause(SETTLED_MS);
          const found = await look(ledger, earlier);
          if (wrongIn(found) > (worst === null ? 0 : wrongIn(worst))) worst = found;
        } catch {
          // The load is over; or nobody could tell just now what it had sent, or what is in the rows.
        }
      }
    },
    async verify(ledger, abort) {
      let [servers, database] = await writes();
      let still = 0;
      for (let waited = 0; waited < LONGEST_MS + stillMs && !abort.aborted; waited += STEP_MS) {
        await sleep(STEP_MS);
        // Who leaves at once has closed the probes meanwhile.
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

/** What was found at the end, and what was wrong before, if that was more. */
function worse(end: IntegrityFindings, before: IntegrityFindings | null): IntegrityFindings {
  if (before === null) return end;
  return {
    ...end,
    lost: Math.max(end.lost, before.lost),
    phantom: Math.max(end.phantom, before.phantom),
    duplicated: Math.max(end.duplicated, before.duplicated),
    holes: Math.max(end.holes, before.holes),
    examples:
      end.examples.length > 0 ? end.examples : before.examples.map((one) => `while the load went on, ${one}`),
  };
}

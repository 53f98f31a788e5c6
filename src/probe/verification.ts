import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { Ledger } from '../load/engine.ts';
import type { DatabaseEndpoint } from '../stack/stack.ts';
import type { WorldProbe } from '../systems/flux/probe.ts';
import {
  compareLedger,
  countRows,
  type IntegrityFindings,
  readRows,
  readUpdates,
} from '../systems/flux/rows.ts';

/** The findings, and the row writes of the whole run as both sides counted them. */
export interface Verified extends IntegrityFindings {
  readonly rowWritesServers: number;
  readonly rowWritesPostgres: number;
}

export type Glance = Pick<IntegrityFindings, 'lost' | 'phantom' | 'duplicated' | 'holes'>;

export interface Verification {
  /** After the drain: waits until what the servers accepted is written, then reads and compares. */
  verify(ledger: Ledger, abort: AbortSignal): Promise<Verified>;
  /**
   * While the load goes on: what was acknowledged before the rows were read must be in them, and nothing that was
   * not sent after they were read. What lies between is open.
   */
  glance(ledger: () => Promise<Ledger>): Promise<Glance>;
  /**
   * Rows without hashes are read again and again until then: a loss that others make up for later in count and sum is
   * seen before they do. What is found worst is told by `verify`. Does not reject.
   */
  watch(ledger: () => Promise<Ledger>, until: AbortSignal): Promise<void>;
}

/** The world servers' queues may take this long to empty after the drain. */
const LONGEST_MS = 10_000;
/** Counts that stand still for this long will not meet any more, however far they are apart. */
const STILL_MS = 2_500;
/**
 * Somebody else's writer may be idle since its last write: PostgreSQL publishes an idle session's counts 10 s later
 * (PGSTAT_IDLE_INTERVAL). The reference servers ask for them (pg_stat_force_next_flush).
 */
const STILL_OF_TARGET_MS = 12_000;
const STEP_MS = 400;
/** Between two readings of a world of up to 2,000 entities; a larger one is read less often in proportion. */
const WATCH_MS = 1_000;
const WATCHED_ENTITIES = 2_000;
/** What was acknowledged so long ago is in the rows: a replica, say, may be a little behind. */
const SETTLED_MS = 200;

/** PostgreSQL: no right, no such table, column or function. */
const NO_ANSWER = /^42(?:501|P01|703|883)$/;

/**
 * Why the rows of somebody else's database cannot be compared with what is sent; null where they can: the table is there,
 * may be read, and has each entity of the world once.
 */
export async function whyNoRows(database: DatabaseEndpoint, entities: number): Promise<string | null> {
  const at = `the PostgreSQL at ${database.attached?.shown}`;
  try {
    const count = await countRows(database, entities + 1);
    if (count !== entities) {
      const found = count > entities ? `more than ${entities}` : count;
      return `the table entity of ${at} has ${found} rows, and the world ${entities} entities: it is another one's`;
    }
    const { strangers } = await readRows(database, entities);
    if (strangers === 0) return null;
    return `${strangers} rows in the table entity of ${at} are of no entity of this world: it is another one's`;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && NO_ANSWER.test(String(error.code)))) throw error;
    return `the rows of ${at} cannot be read: ${messageOf(error)}`;
  }
}

/** Notes the rows and both counts as they stand before GO: the stack may have run before. */
export async function openVerification(
  database: DatabaseEndpoint,
  worlds: readonly WorldProbe[],
  entities: number,
): Promise<Verification> {
  const counts = async (): Promise<readonly [servers: number, postgres: number]> => [
    await rowWritesOf(worlds),
    await readUpdates(database),
  ];
  const before = await readRows(database, entities);
  const [serversBefore, postgresBefore] = await counts();
  let worst: IntegrityFindings | null = null;

  /** What was acknowledged earlier has to be in the rows now, and nothing that has not been sent by the time they are read. */
  const look = async (ledger: () => Promise<Ledger>, earlier: Ledger): Promise<IntegrityFindings> => {
    const rows = await readRows(database, entities);
    const { sent } = await ledger();
    return compareLedger({ ...earlier, sent }, before, rows);
  };
  return {
    async glance(ledger) {
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
      let [servers, postgres] = await counts();
      const stillMs = database.attached === undefined ? STILL_MS : STILL_OF_TARGET_MS;
      let still = 0;
      for (let waited = 0; waited < LONGEST_MS + stillMs && !abort.aborted; waited += STEP_MS) {
        await sleep(STEP_MS);
        const [serversNow, postgresNow] = await counts();
        still = serversNow === servers && postgresNow === postgres ? still + STEP_MS : 0;
        [servers, postgres] = [serversNow, postgresNow];
        const agree = servers - serversBefore === postgres - postgresBefore;
        if (still > 0 && (agree || still >= stillMs)) break;
      }
      return {
        ...worse(compareLedger(ledger, before, await readRows(database, entities)), worst),
        rowWritesServers: servers - serversBefore,
        rowWritesPostgres: postgres - postgresBefore,
      };
    },
  };
}

const wrongIn = ({ lost, phantom, duplicated, holes }: Glance): number => lost + phantom + duplicated + holes;

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

/** Row writes by the world servers' own count, since they started. */
async function rowWritesOf(worlds: readonly WorldProbe[]): Promise<number> {
  const readings = await Promise.all(worlds.map((world) => world.sample()));
  return readings
    .flat()
    .filter(({ series }) => series.endsWith('.rowWrites'))
    .reduce((sum, { value }) => sum + value, 0);
}

import type { z } from 'zod';
import type { Micros } from '../units.ts';
import type { Budget } from './budget.ts';
import type { EdgeSettings } from './edge.ts';
import type { GateSettings } from './gate.ts';
import type { ComponentLimits, NamedLimits } from './limits.ts';
import type { OperationSpec, PerOperation } from './operations.ts';
import type { Plan } from './plan.ts';
import type { Path } from './problem.ts';
import type { RedisSettings } from './redis-settings.ts';
import type { RuleLimits } from './rules.ts';
import type {
  calibrationSchema,
  ceilingsSchema,
  deviationSchema,
  faultSchema,
  postgresSchema,
  probeSchema,
} from './sections.ts';
import type { Churn, Stage } from './stages.ts';

/** The rate of one operation, over all actors. */
export interface OperationLoad {
  readonly perSecond: number;
  /** It has no schedule: players begin it (operations.ts). Its rate is 0. */
  readonly due?: 'answer' | undefined;
}

/** The `load:` of every system; a system may add keys (system-scenario.ts). */
export interface Load {
  /** Concurrently connected players (CCU). */
  readonly players: number;
  /** By operation of the system. */
  readonly operations: PerOperation<OperationLoad>;
  /** New connections a second before GO. */
  readonly connectsPerSecond: number;
  /** Unanswered operations of one player, above which it waits. */
  readonly outstanding: number;
  /** An operation that is later than this is skipped. */
  readonly skipAfter: Micros;
  /** An operation that is unanswered for this long has timed out. */
  readonly timeout: Micros;
  readonly ramp: Micros;
  readonly warmUp: Micros;
  /** Of the measure phase. */
  readonly duration: Micros;
  /** How long answers are awaited after the last due time. */
  readonly drain: Micros;
  /** Parts of the measure phase with their own rates; absent without stages. */
  readonly stages?: readonly Stage[] | undefined;
  /** From GO on, in stages without churn of their own. */
  readonly churn?: Churn | undefined;
}

/** The `world:` of every system; a system may add keys (system-scenario.ts). */
export interface WorldSettings {
  readonly servers: number;
  /** V8's old-space limit of one world server, in MB. */
  readonly heap: number;
  /** The documented major version of Node, if any; world servers run on the Node of capbench. */
  readonly node?: number | undefined;
  /** Of each server. */
  readonly limits?: ComponentLimits | undefined;
}

/** The PostgreSQL of the stack: its version and settings. */
export type PostgresSettings = Readonly<z.output<typeof postgresSchema>>;

export type FaultAction = Fault['action'];

/**
 * A planned fault. `kill`: SIGKILL, and a new start after `lasting`; `restart`: SIGTERM, and a new start once it has ended
 * and `lasting` is over; `stop`: SIGSTOP, and SIGCONT after `lasting`; `drop`: cuts the connections of `sharePercent` of
 * the players, who reconnect.
 */
export type Fault = Readonly<z.output<typeof faultSchema>>;

/** A documented setting that is not applied as documented, and the reason. */
export type Deviation = Readonly<z.output<typeof deviationSchema>>;

/** A resolved scenario: with defaults, overrides and claims. */
export interface Scenario {
  readonly name: string;
  readonly description: string;
  readonly system: string;
  /** The system's operations; not in the file. */
  readonly operations: readonly OperationSpec[];
  /** What judging needs to know of the system; not in the file. */
  readonly traits: SystemTraits;
  /** The system's own sections of the file, by key, as its schema reads them; absent if it has none. */
  readonly sections?: Readonly<Record<string, unknown>> | undefined;
  readonly seed: number;
  /** The factor of players and rates (1 = as in the file); printed in every artefact. */
  readonly scale: number;
  /** Changes of the load, world or PostgreSQL by `--set` (`load.players=400`); printed beside the scale. */
  readonly altered: readonly string[];
  readonly load: Load;
  readonly world: WorldSettings;
  readonly postgres: PostgresSettings;
  /** Absent where the scenario does not name it: the component has defaults. */
  readonly redis?: RedisSettings | undefined;
  /** The proxy before the servers; absent: players reach the servers themselves. */
  readonly edge?: EdgeSettings | undefined;
  /** Of the whole stack, `stack`, and of components without a section of their own, by name; absent: none. */
  readonly limits?: NamedLimits | undefined;
  readonly deviations: readonly Deviation[];
  /** Measurements of the database without load: seconds each (0: none), rows of the scratch table. */
  readonly ceilings: Readonly<z.output<typeof ceilingsSchema>>;
  readonly calibration: Readonly<z.output<typeof calibrationSchema>>;
  /** What is read of the database, if the scenario says so. */
  readonly probe?: Readonly<z.output<typeof probeSchema>> | undefined;
  readonly faults: readonly Fault[];
  readonly rules: RuleLimits;
  readonly budgets: readonly Budget[];
  /** Metrics of a target's pages that are shown without a limit, as they are written; absent: none. */
  readonly watch?: readonly string[] | undefined;
  /** When a version is worse than another; absent: the defaults. */
  readonly gate?: GateSettings | undefined;
  /** The figures of a document, to be held against each other (the room `audit`); absent: none. */
  readonly plan?: Plan | undefined;
}

/** A counter that every server has, in the series `world.N.<series>`. */
interface ServerCount {
  readonly series: string;
  /** For sentences, in the plural: `row writes`. */
  readonly what: string;
  /** The most that one sent operation can add to it. */
  readonly perOperation: number;
  /** It counts each answered operation once, so the answers are a lower bound. */
  readonly everyAnswer?: boolean | undefined;
}

/** A histogram that every server publishes (measurements.ts, `worlds`). */
interface ServerHistogram {
  readonly name: string;
  /** For sentences: `batches by size`. */
  readonly what: string;
  /** What it observes, as a series `world.N.<series>` and for sentences; absent: sent operations. */
  readonly of?: { readonly series: string; readonly what: string } | undefined;
}

/** What judging a run needs to know of its system. Plain data, made when the scenario is read. */
export interface SystemTraits {
  /** capbench starts no server for its players: a run needs a target. */
  readonly needsTarget: boolean;
  /**
   * Probes of its started stack besides the host's, by name: a missing one makes a run invalid. Default: those of
   * PostgreSQL and Redis, if it has them.
   */
  readonly probes: readonly string[];
  /**
   * Whether a target's servers publish the metrics of this system's servers, and are probed; `unknown`: they may not be this
   * system's. Default: no.
   */
  readonly hasServerMetrics: 'yes' | 'unknown' | 'no';
  /** What the servers count of the load's operations, to compare; or why it cannot be compared. */
  readonly counts: readonly ServerCount[] | string;
  readonly histograms: readonly ServerHistogram[];
  /** The PostgreSQL table whose rows prove what was acknowledged, if any. */
  readonly table: string | null;
  /** The component that stores acknowledged writes; null: they cannot be verified. Default: that of its table. */
  readonly keptIn: string | null;
  /** Servers report what is saved, besides what they acknowledge. Default: where its workload plans a ledger of two levels. */
  readonly acknowledgesTwice: boolean;
  /** Number of entities in the ledger. */
  readonly entities: number;
  /** The user's module that runs in the load workers, as the scenario names it. */
  readonly playerCode: string | null;
  /** Its players may expect deliveries and measure figures of their own. Default: those of a user's module do. */
  readonly playerFigures: boolean;
  /** The file of rows for players, as the scenario names it, and the columns that it must have, with where they are named. */
  readonly playerData: {
    readonly file: string;
    readonly columns: readonly { readonly name: string; readonly path: Path }[];
  } | null;
  /** Environment variables whose values the players get. */
  readonly playerEnvironment: readonly string[];
  /** The scenario's sections that say which version of a server runs: what a comparison is about. */
  readonly versionSections: readonly string[];
  /** Operations that are due in groups: the size, and the key that sets it. By the operation's id. */
  readonly groupSizes: Readonly<Record<string, { readonly operations: number; readonly key: string }>>;
}

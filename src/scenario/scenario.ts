import type { z } from 'zod';
import type { Micros } from '../units.ts';
import type { Budget } from './budget.ts';
import type { OperationSpec, PerOperation } from './operations.ts';
import type { RuleLimits } from './rules.ts';
import type {
  calibrationSchema,
  ceilingsSchema,
  deviationSchema,
  faultSchema,
  postgresSchema,
} from './sections.ts';
import type { Churn, Stage } from './stages.ts';

/** Of one operation, over all who act: so many a second. */
export interface OperationLoad {
  readonly perSecond: number;
}

/** Where the load's numbers come from. A system may have keys of its own beside these (system-scenario.ts). */
export interface Load {
  /** CCU target: players connected at once. */
  readonly players: number;
  /** Of every operation of the system. */
  readonly operations: PerOperation<OperationLoad>;
  /** New WebSocket connections a second while the fleet gets READY. */
  readonly connectsPerSecond: number;
  /** Operations one player keeps unanswered before it waits. */
  readonly outstanding: number;
  /** An operation this late is skipped, and counted as skipped. */
  readonly skipAfter: Micros;
  /** An operation unanswered for this long is timed out. */
  readonly timeout: Micros;
  readonly ramp: Micros;
  readonly warmUp: Micros;
  /** The measure phase alone. */
  readonly duration: Micros;
  /** How long the fleet waits for answers after the last due time. */
  readonly drain: Micros;
  /** Parts of the measure phase with a load of their own; absent where it is all one. */
  readonly stages?: readonly Stage[] | undefined;
  /** From GO on, where no stage says otherwise. */
  readonly churn?: Churn | undefined;
}

/** What every system's world servers have; a system may have keys of its own beside these (system-scenario.ts). */
export interface WorldSettings {
  readonly servers: number;
  /** V8's old space of one world server, in MB. */
  readonly heap: number;
  /** The documented major version of Node, if any: the world servers run on the Node that runs capbench. */
  readonly node?: number | undefined;
}

/** One setting of the documented stack: what the document says (PostgreSQL's spelling). */
export type PostgresSettings = Readonly<z.output<typeof postgresSchema>>;

export type FaultAction = Fault['action'];

/**
 * One deliberate disturbance. `kill`: SIGKILL, then started again after `lasting`; `stop`: SIGSTOP, and SIGCONT
 * after `lasting`; `drop`: `sharePercent` of the players' sockets are cut, and connect again.
 */
export type Fault = Readonly<z.output<typeof faultSchema>>;

/** A documented setting that is shown, not measured: what the document says, what is applied here, and why. */
export type Deviation = Readonly<z.output<typeof deviationSchema>>;

/** One scenario file, resolved: defaults filled in, overrides applied, claims looked up. */
export interface Scenario {
  readonly name: string;
  readonly description: string;
  readonly system: string;
  /** Those of the system, in its order; they stand in no file. */
  readonly operations: readonly OperationSpec[];
  /** What judging has to know of the system; they stand in no file. */
  readonly traits: SystemTraits;
  /** Sections of the file that are the system's own, by key, as its schema reads them; absent where it has none. */
  readonly sections?: Readonly<Record<string, unknown>> | undefined;
  readonly seed: number;
  /** Players and rates were multiplied by this (1 = as documented); printed in every artefact. */
  readonly scale: number;
  /** What `--set` changed of players, rates, world and PostgreSQL (`load.players=400`); printed beside the scale. */
  readonly altered: readonly string[];
  readonly load: Load;
  readonly world: WorldSettings;
  readonly postgres: PostgresSettings;
  /** What the document has and this stack has not, or has otherwise, and why. */
  readonly deviations: readonly Deviation[];
  /** Of the database alone: seconds for each of the three measurements (0: none), rows of the scratch table. */
  readonly ceilings: Readonly<z.output<typeof ceilingsSchema>>;
  readonly calibration: Readonly<z.output<typeof calibrationSchema>>;
  readonly faults: readonly Fault[];
  readonly rules: RuleLimits;
  readonly budgets: readonly Budget[];
}

/** Something that every server counts in a series of its own, `world.N.<series>`. */
interface ServerCount {
  readonly series: string;
  /** In a sentence, of many: `row writes`. */
  readonly what: string;
  /** How many of it one operation that was sent can make, at the most. */
  readonly perOperation: number;
  /** Each operation that was answered is counted once: as many as these there are at the least. */
  readonly everyAnswer?: boolean | undefined;
}

/** A histogram that its servers publish (measurements.ts, `worlds`). */
interface ServerHistogram {
  readonly name: string;
  /** In a sentence: `batches by their size`. */
  readonly what: string;
  /** What it has one observation of, in a series `world.N.<series>`, and in a sentence; absent: of operations that were sent. */
  readonly of?: { readonly series: string; readonly what: string } | undefined;
}

/** What judging a run has to know of its system, in one scenario. Plain data, made when the scenario is read. */
export interface SystemTraits {
  /** Nothing that is started here speaks with its players: without a target there is no run. */
  readonly needsTarget: boolean;
  /**
   * Probes that its stack has when it is started here, beside the host's, by name: one that is missing makes a run invalid.
   * Where a system does not say, PostgreSQL's, if it has one.
   */
  readonly probes: readonly string[];
  /**
   * Whether the servers of a target tell of themselves what this system's do, and are probed; `perhaps`: whose they are is
   * not known. Where a system does not say: no.
   */
  readonly serversTell: 'yes' | 'perhaps' | 'no';
  /** What those count of the operations that the load sends, and nobody else; or why it cannot be compared, in words. */
  readonly counts: readonly ServerCount[] | string;
  readonly histograms: readonly ServerHistogram[];
  /** The table of PostgreSQL whose rows prove what was acknowledged, if any. */
  readonly table: string | null;
  /** The component that keeps what was acknowledged; null: nobody can look. Where a system does not say, that of its table. */
  readonly keptIn: string | null;
  /** Of whom the ledger keeps account. */
  readonly entities: number;
  /** Code of the user's that runs in the load processes, as the scenario names it. */
  readonly playerCode: string | null;
  /** Operations that come due several at a time: so many, by this key of the scenario. By the operation's id. */
  readonly atOnce: Readonly<Record<string, { readonly operations: number; readonly key: string }>>;
}

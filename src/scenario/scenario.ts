import type { Micros } from '../units.ts';
import type { Budget } from './budget.ts';

/** Where the load's numbers come from. Rates are totals over all players and all monsters. */
export interface Load {
  /** CCU target: players connected at once. */
  readonly players: number;
  readonly intentsPerSecond: number;
  readonly monsters: number;
  readonly monsterCommandsPerSecond: number;
  /** Monster commands in one `POST /commands`. */
  readonly commandsPerPost: number;
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
}

export interface WorldSettings {
  readonly servers: number;
  /** Average; a server has ceil(its players / this) places. */
  readonly playersPerPlace: number;
  readonly batchOperations: number;
  readonly batchInterval: Micros;
  /** `columns`: a row of narrow typed columns; `jsonb`: a document of about 2 KB in a row. */
  readonly rowShape: 'columns' | 'jsonb';
  /** V8's old space of one world server, in MB. */
  readonly heapMegabytes: number;
  /** The documented major version of Node, if any: the world servers run on the Node that runs capbench. */
  readonly node?: number | undefined;
}

/** One setting of the documented stack: what the document says (PostgreSQL's spelling). */
export interface PostgresSettings {
  readonly version: number;
  readonly settings: Readonly<Record<string, string>>;
}

export interface Ceilings {
  /** Seconds for each of the three measurements; 0 leaves the ceilings out. */
  readonly secondsEach: number;
  /** Rows of the scratch table. */
  readonly rows: number;
}

export interface RuleLimits {
  /** R4: below this share of the scheduled operations sent, the load was not sustained. */
  readonly sentPercent: number;
  /** G: a generator process whose event loop was blocked for longer than this is not healthy. */
  readonly generatorLoopDelayMs: number;
  /** G: nor is one busier than this, as event-loop utilisation. */
  readonly generatorUtilisationPercent: number;
}

/** A documented setting that is shown, not measured: what the document says, what is applied here, and why. */
export interface Deviation {
  readonly setting: string;
  readonly documented: string;
  readonly applied: string;
  readonly reason: string;
}

/** One scenario file, resolved: defaults filled in, overrides applied, claims looked up. */
export interface Scenario {
  readonly name: string;
  readonly description: string;
  readonly system: 'flux';
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
  readonly ceilings: Ceilings;
  readonly rules: RuleLimits;
  readonly budgets: readonly Budget[];
}

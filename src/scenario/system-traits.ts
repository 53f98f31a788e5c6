/** Something that every server counts in a series of its own, `world.N.<series>`. */
export interface ServerCount {
  readonly series: string;
  /** In a sentence, of many: `row writes`. */
  readonly what: string;
  /** How many of it one operation that was sent can make, at the most. */
  readonly perOperation: number;
  /** Each operation that was answered is counted once: as many as these there are at the least. */
  readonly everyAnswer?: boolean | undefined;
}

/** A histogram that its servers publish (measurements.ts, `worlds`). */
export interface ServerHistogram {
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
  /** Probes that its stack has when it is started here, beside the host's: one that is missing told nothing. */
  readonly probes: readonly string[];
  /** Whether the servers of a target tell of themselves what this system's do; `perhaps`: whose they are is not known. */
  readonly serversTell: 'yes' | 'perhaps' | 'no';
  /** What those count of the operations that the load sends, and nobody else; or why it cannot be compared, in words. */
  readonly counts: readonly ServerCount[] | string;
  readonly histograms: readonly ServerHistogram[];
  /** The table whose rows prove what was acknowledged, if any. */
  readonly table: string | null;
  /** Of whom the ledger keeps account. */
  readonly entities: number;
  /** Code of the user's that runs in the load processes, as the scenario names it. */
  readonly playerCode: string | null;
  /** Operations that come due several at a time: so many, by this key of the scenario. By the operation's id. */
  readonly atOnce: Readonly<Record<string, { readonly operations: number; readonly key: string }>>;
}

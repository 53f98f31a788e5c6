import type { z } from 'zod';
import type { Finding } from './finding.ts';
import type { OperationSpec } from './operations.ts';
import type { FaultAction, Load, Scenario, SystemTraits } from './scenario.ts';

/** A component of the system's stack, by its name in faults, logs and messages: `postgres`, `world-1`. */
export interface ComponentName {
  readonly name: string;
  /** Faults that it supports. */
  readonly faults: readonly Exclude<FaultAction, 'drop'>[];
}

/** Rows of name and text. */
export interface Outline {
  readonly load?: readonly (readonly [name: string, text: string])[];
  readonly world?: readonly (readonly [name: string, text: string])[];
  /** In place of all that is said of servers that capbench starts. */
  readonly stack?: readonly (readonly [name: string, text: string])[];
}

/** Servers that acknowledge at two levels: at once, and once a number is saved (`SequenceLedger.saved`). */
export interface LedgerPlan {
  /** The ledger keeps when each number was acknowledged, which decides what an outage excuses. */
  readonly timed: true;
  /** A rejected operation leaves no trace in the store; absent: it uses up its number, as an answered one does. */
  readonly rejected?: 'unrecorded';
}

/** The system's part of a workload. */
export interface SystemWorkload {
  /** Number of entities in the ledger: the players, numbered from 0, then the system's other actors. */
  readonly entities: number;
  /** Plain data for its worker module. */
  readonly own: unknown;
  /** So many players with consecutive numbers, from a multiple of it on, are in one worker and at one server; absent: 1. */
  readonly group?: number | undefined;
  /** Its players tell what they expect each other to hear, and what they heard; absent: only a user's module does. */
  readonly deliveries?: true;
  /** Absent: an acknowledgement is the only promise. */
  readonly ledger?: LedgerPlan | undefined;
}

/** A system's part in reading, checking and scaling scenarios. Pure. */
export interface SystemScenario {
  readonly name: string;
  readonly operations: readonly OperationSpec[];
  /** The scenario names its players' operations by the keys of `load.operations`; absent: they are always the same. */
  readonly kinds?: true;
  /** Its own keys of `load:`. */
  readonly load?: Readonly<Record<string, z.ZodType>>;
  /** Its own keys of `world:`. */
  readonly world?: Readonly<Record<string, z.ZodType>>;
  /** Its own sections of the file, by key. A parsed value must be readable again, since bundles hold parsed ones. */
  readonly sections?: Readonly<Record<string, z.ZodType>>;
  /** Its stack has the component `redis`, so its scenarios may have the section `redis:`. */
  readonly redis?: true;
  /** Optional npm packages that its processes load, as `name@version`, and what they are together. */
  readonly packages?: { readonly name: string; readonly wanted: readonly string[] };
  /** Alternative names of keys: `load.intentsPerSecond` -> `load.operations.intent.perSecond`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** The default rate of an operation; absent or undefined: 0. */
  defaultPerSecond?(operation: string, load: Pick<Load, 'players'>): number | undefined;
  /** Its servers may stand behind an edge proxy: the key `edge` of the file, and then a component of this name. */
  readonly edge?: true;
  /** The components that it can start; none for a system that is only a target. */
  components(scenario: Pick<Scenario, 'world' | 'sections' | 'edge'>): readonly ComponentName[];
  /** Faults may name processes that it does not start, whose pids a run is given (`--fault-process`). */
  readonly namesProcesses?: boolean;
  /** Conflicts between its keys, in the file or after --scale. */
  check?(scenario: Pick<Scenario, 'load' | 'world' | 'sections' | 'edge'>): readonly Finding[];
  /** Scales its own keys of the load; players, rates and churn are scaled already. Absent: they stay. */
  scale?(load: Load, factor: number): Load;
  /** What `capbench check` shows of its own keys. */
  outline?(scenario: Scenario): Outline;
  /** A note that `run` and `check` print once. */
  readonly note?: string;
  workload(scenario: Omit<Scenario, 'traits'>): SystemWorkload;
  /** What judging needs to know of it; absent: the defaults. */
  traits?(scenario: Omit<Scenario, 'traits'>): Partial<SystemTraits>;
}

import type { z } from 'zod';
import type { Finding } from './finding.ts';
import type { OperationSpec } from './operations.ts';
import type { FaultAction, Load, Scenario, SystemTraits } from './scenario.ts';

/** A part of the system's stack, by the name that faults, logs and messages give it: `postgres`, `world-1`. */
export interface ComponentName {
  readonly name: string;
  /** What may be done to it on purpose. */
  readonly faults: readonly Exclude<FaultAction, 'drop'>[];
}

/** Rows of a name and a text. */
export interface Outline {
  readonly load?: readonly (readonly [name: string, text: string])[];
  readonly world?: readonly (readonly [name: string, text: string])[];
}

/** What only the system can say of a load. */
export interface SystemWorkload {
  /** Of whom the ledger keeps account: the players, numbered from 0, and whoever else of the system acts. */
  readonly entities: number;
  /** What its side of a worker has to know: plain data of its own. */
  readonly own: unknown;
}

/** A system's part in reading, checking and scaling a scenario. Pure: text in, plain data out. */
export interface SystemScenario {
  readonly name: string;
  readonly operations: readonly OperationSpec[];
  /** Keys of `load:` beside those that every system has. */
  readonly load?: Readonly<Record<string, z.ZodType>>;
  /** Keys of `world:` beside those that every system has. */
  readonly world?: Readonly<Record<string, z.ZodType>>;
  /** Sections of the file that are its own, by key. What they are read as can be read again: a bundle holds that. */
  readonly sections?: Readonly<Record<string, z.ZodType>>;
  /** Other names of keys, which keep working: `load.intentsPerSecond` -> `load.operations.intent.perSecond`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** How many of an operation are due a second where the scenario does not say; absent or undefined: none. */
  defaultPerSecond?(operation: string, load: Pick<Load, 'players'>): number | undefined;
  /** What it can start, and what may be done to it; none for a system that is only ever a target. */
  components(scenario: Pick<Scenario, 'world'>): readonly ComponentName[];
  /** Numbers that do not fit each other, or do not any more after --scale. */
  check?(scenario: Pick<Scenario, 'load' | 'world' | 'sections'>): readonly Finding[];
  /** The load's own keys at another scale; players, rates and churn are scaled already. Absent: they stay. */
  scale?(load: Load, factor: number): Load;
  /** What `capbench check` shows of its own keys, after what every system has. */
  outline?(scenario: Scenario): Outline;
  /** Said once to who runs or checks such a scenario. */
  readonly note?: string;
  /** Of whom the ledger keeps account, and what the workers have to know: plain data. */
  workload(scenario: Omit<Scenario, 'traits'>): SystemWorkload;
  /** What judging has to know of it; absent: nothing that not every system is. */
  traits?(scenario: Omit<Scenario, 'traits'>): Partial<SystemTraits>;
}

import type { Reachable } from '../address/access.ts';
import type { Target } from '../address/target-address.ts';
import type { Deal } from '../load/fleet/deal.ts';
import type { PlayerModule } from '../load/fleet/messages.ts';
import type { K6System } from '../load/k6/k6-system.ts';
import type { CeilingFacts } from '../measurement/measurements.ts';
import type { SystemFigures } from '../measurement/system-figures.ts';
import type { Probe } from '../probe/probe.ts';
import type { OpenVerification } from '../probe/verification.ts';
import type { KnownSystems } from '../scenario/read-scenario.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { SystemScenario } from '../scenario/system-scenario.ts';
import type { Workload } from '../scenario/workload.ts';
import type { CommandPlan } from '../stack/command-component.ts';
import type { ComponentSpec, ServerProcess } from '../stack/component-spec.ts';
import type { MemoryNeed } from '../stack/memory-need.ts';
import type { AppliedSetting, DatabaseEndpoint, Endpoints, Stack } from '../stack/stack.ts';
import type { AttachOptions } from '../stack/target-stack.ts';

/**
 * A system under test: one folder behind this contract, the only one that general rooms use. Each part is described in the room
 * that uses it; a system omits the parts that it does not have.
 */
export interface System {
  readonly name: string;
  /** Its scenario keys, operations and checks. */
  readonly scenario: SystemScenario;
  /** Absolute path of its worker module (load/source.ts); called when a run starts. */
  workerModule(scenario: Scenario): string;
  /** The components that capbench starts; absent: it is only a target. */
  components?(scenario: Scenario): readonly ComponentSpec[];
  /** The command of the user's that starts its server, with permission; null where the scenario has none. */
  command?(scenario: Scenario): CommandPlan | null;
  /** Settings for the report, besides those that its components apply. */
  settings?(scenario: Scenario): readonly AppliedSetting[];
  /** The memory that its started stack needs at least; absent or null: not known, and nothing is refused. */
  needs?(scenario: Scenario): MemoryNeed | null;
  /** Whether any target identifies itself as a server of this system; absent: unknown. */
  recognises?(targets: readonly Target[], options: AttachOptions): Promise<boolean>;
  /** Attaches to targets; absent: to any server that listens. */
  attach?(targets: readonly Target[], scenario: Scenario, options: AttachOptions): Promise<Stack>;
  /** Decides which server gets which players; absent: evenly. */
  readonly deal?: Deal;
  /**
   * Null servers for the calibration of the generator: `servers` processes that answer everything at once, in the system's
   * protocol; absent: no calibration, which the report shows. `module` is the user's player module, if any.
   */
  nullServers?(
    workload: Workload,
    servers: number,
    token: string,
    module: PlayerModule | null,
  ): readonly ServerProcess[];
  /** What a reader should know of its servers and decides nothing, found out before the players connect; absent: nothing. */
  remarks?(
    scenario: Scenario,
    servers: readonly Reachable[],
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** Probes of its servers during the run; absent: only the host is probed. */
  probes?(endpoints: Endpoints): readonly Probe[] | Promise<readonly Probe[]>;
  /** Its own figures of the report. */
  readonly figures?: SystemFigures;
  /** Verifies acknowledged writes; absent: integrity is unmeasured, which the report shows. */
  readonly openVerification?: OpenVerification;
  /** Measures its database without load, before the run. Null when aborted. */
  measureCeilings?(
    database: DatabaseEndpoint,
    scenario: Scenario,
    signal: AbortSignal,
  ): Promise<CeilingFacts | null>;
  /** Other engines that can drive it. */
  readonly engines?: SystemEngines;
}

/** A system's support for other engines. */
export interface SystemEngines {
  readonly k6?: K6System;
  /** Why autocannon cannot run a workload; null if it can. */
  autocannon?(workload: Workload, targets: readonly Target[]): string | null;
}

/** The known systems. */
export interface Systems extends KnownSystems {
  /** The system of a scenario. @throws an Error for an unknown system, when the scenario was read with other systems */
  systemOf(scenario: Pick<Scenario, 'system' | 'sections' | 'load'>): System;
}

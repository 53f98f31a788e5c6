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
import type { ComponentSpec, ServerProcess } from '../stack/component-spec.ts';
import type { AppliedSetting, DatabaseEndpoint, Endpoints, Stack } from '../stack/stack.ts';
import type { AttachOptions } from '../stack/target-stack.ts';

/**
 * A system under test: one folder behind this contract. The general rooms know nothing else of it. Each part is
 * described where the room that uses it stands; what a system lacks it leaves out, and absence never means another
 * system's.
 */
export interface System {
  readonly name: string;
  /** Its keys of a scenario, its operations, its checks. */
  readonly scenario: SystemScenario;
  /** Absolute path of the module that is its side of a load worker (load/source.ts): asked for when a run begins. */
  workerModule(scenario: Scenario): string;
  /** Its stack, as it is started here; absent: it is only ever a target. */
  components?(scenario: Scenario): readonly ComponentSpec[];
  /** What its stack tells of itself in the report, beside the settings that its components apply. */
  settings?(scenario: Scenario): readonly AppliedSetting[];
  /** Whether any of these says of itself that it is a server of this system; absent: nobody can tell. */
  recognises?(targets: readonly Target[], options: AttachOptions): Promise<boolean>;
  /** Attaches to servers of somebody else's; absent: to any that listen. */
  attach?(targets: readonly Target[], scenario: Scenario, options: AttachOptions): Promise<Stack>;
  /** Who is to have which players; absent: evenly, in the order of the servers. */
  readonly deal?: Deal;
  /**
   * What the generator is calibrated against: `servers` processes that answer everything at once, in the system's own
   * protocol; absent: it is not calibrated, and the report says so. `module` is the user's own, where one plays.
   */
  nullServers?(
    workload: Workload,
    servers: number,
    token: string,
    module: PlayerModule | null,
  ): readonly ServerProcess[];
  /** What tells of its servers meanwhile; absent: nothing but the host does. */
  probes?(endpoints: Endpoints): readonly Probe[] | Promise<readonly Probe[]>;
  /** What it adds to the figures of the report. */
  readonly figures?: SystemFigures;
  /** What proves that what was acknowledged is kept; absent: nobody reads the rows, and the report says so. */
  readonly openVerification?: OpenVerification;
  /** What its database does when nothing else is asked of it, before the load. Null when the signal came before the end. */
  measureCeilings?(
    database: DatabaseEndpoint,
    scenario: Scenario,
    signal: AbortSignal,
  ): Promise<CeilingFacts | null>;
  /** What it can be driven by besides capbench's own engine. */
  readonly engines?: SystemEngines;
}

/** Parts of the engines that are not ours, as far as a system brings them. */
export interface SystemEngines {
  readonly k6?: K6System;
  /** Its posts may be written by autocannon; null, or why a workload cannot be. */
  autocannon?(workload: Workload, targets: readonly Target[]): string | null;
}

/** The systems of a capbench, by name. */
export interface Systems extends KnownSystems {
  /** The one that a scenario is about. @throws an Error where there is none: the scenario was read with other systems */
  systemOf(scenario: Pick<Scenario, 'system' | 'sections'>): System;
}

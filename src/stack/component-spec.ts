import type { ComponentLimits } from '../scenario/limits.ts';
import type { ComponentName } from '../scenario/system-scenario.ts';
import type { Confine, ProcessUser } from '../supervision/process.ts';
import type { RunFolder } from '../supervision/run-folder.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import type { Component } from './component.ts';
import type { AppliedSetting, DatabaseEndpoint, WorldEndpoint } from './stack.ts';

/** Everything that a component's start needs. */
export interface StartContext {
  readonly folder: RunFolder;
  readonly watchdog: Watchdog;
  /** Aborts the start when the run is stopped or another component has failed. */
  readonly signal: AbortSignal;
  /** Aborted when the stack is closed: ends faults that are in progress. */
  readonly closing: AbortSignal;
  /** The account for a component that refuses to run as root (`unprivileged`); null: capbench's own. */
  readonly user: ProcessUser | null;
  /** capbench's own environment, which may name programs to use (`CAPBENCH_POSTGRES_BIN`). */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The token that servers require of requests that change state; empty: they require none. */
  readonly token: string;
  /** The password of accounts such as a database's superuser. It is redacted from the report. */
  readonly password: string;
  /** The folder of the scenario's file, where commands that it names run. */
  readonly scenarioFolder: string;
  /** A fault may restart a component, which then needs the same port again. */
  readonly mayRestart: boolean;
  /** Server n listens at this port plus n - 1; null: each at any free port. */
  readonly basePort: number | null;
  /** The memory of all components together, in bytes, where that is limited; null: that of the host. */
  readonly stackMemoryBytes: number | null;
  /** For the component's own processes: its limits. */
  readonly confine: Confine;
  /** A component that is named in `after`. @throws an Error for any other name, which is a bug */
  started(name: string): StartedComponent;
}

/** A component that is ready. */
export interface StartedComponent {
  readonly component: Component;
  /** The endpoint for the load and the probes: a server, a database, or neither. */
  readonly server?: WorldEndpoint;
  readonly database?: DatabaseEndpoint;
  /** Any other address that a system's own parts understand, by name: `redis`, `edge`. */
  readonly addresses?: Readonly<Record<string, string>>;
  readonly settings?: readonly AppliedSetting[];
  /** Logs beside the component's own, name -> path. */
  readonly logs?: ReadonlyMap<string, string>;
}

/**
 * A part of a system's stack that is not started yet: PostgreSQL, Redis, a server, an edge proxy, a relay. `start`
 * resolves when the component is ready, which it checks itself. Where it rejects, with exit code 93 or the signal's
 * reason, it leaves no process and no file behind.
 */
export interface ComponentSpec extends ComponentName {
  /** It is started once these are ready, and ended before them. */
  readonly after: readonly string[];
  /** It refuses to run as root, and runs as another account then. */
  readonly unprivileged?: boolean;
  /** The most that its process and the children of that may use; null or absent: all of the host. */
  readonly limits?: ComponentLimits | null;
  start(context: StartContext): Promise<StartedComponent>;
}

/**
 * A server process of capbench's own: it sends a Ready message over its IPC channel when it answers, and ends when the
 * channel closes (supervision/server-process.ts does both).
 */
export interface ServerProcess {
  readonly name: string;
  /** The absolute path of its module. */
  readonly module: string;
  readonly execArgv?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

import type { ComponentName } from '../scenario/system-scenario.ts';
import type { ProcessUser } from '../supervision/process.ts';
import type { RunFolder } from '../supervision/run-folder.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import type { Component } from './component.ts';
import type { AppliedSetting, DatabaseEndpoint, WorldEndpoint } from './stack.ts';

/** What a component is started with. */
export interface StartContext {
  readonly folder: RunFolder;
  readonly watchdog: Watchdog;
  /** Aborts the start: the run is stopped, or another component has failed. */
  readonly signal: AbortSignal;
  /** Aborted when the stack is closed: ends what is done to a component on purpose. */
  readonly closing: AbortSignal;
  /** Whose account a component has that refuses to run as root (`unprivileged`); null: capbench's own. */
  readonly user: ProcessUser | null;
  /** capbench's own environment: where programs of the user's choice are (`CAPBENCH_POSTGRES_BIN`). */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What servers want of whoever changes something; empty: they are open. */
  readonly token: string;
  /** Of whatever has an account of its own: a database's superuser. The report knows it as a secret. */
  readonly password: string;
  /** A component starts again on the same port after a fault, so it has to keep one. */
  readonly comesBack: boolean;
  /** The first server listens there, the n-th n - 1 above; null: each wherever a port is free. */
  readonly basePort: number | null;
  /** One of those that it names in `after`. @throws an Error that names one that is not there: a bug of ours */
  started(name: string): StartedComponent;
}

/** A component that answers. */
export interface StartedComponent {
  readonly component: Component;
  /** Where the load and the probes reach it: a server, a database, or neither. */
  readonly server?: WorldEndpoint;
  readonly database?: DatabaseEndpoint;
  /** Any other address that a system's own parts understand, by name: `redis`, `edge`. */
  readonly addresses?: Readonly<Record<string, string>>;
  readonly settings?: readonly AppliedSetting[];
  /** Logs beside the component's own, name -> path. */
  readonly logs?: ReadonlyMap<string, string>;
}

/**
 * A part of a system's stack, before it is started: PostgreSQL, Redis, a server, an edge proxy, a relay. `start`
 * resolves when it answers (its readiness and its health are its own); where it rejects, with exit code 93 or the
 * signal's reason, it has left nothing.
 */
export interface ComponentSpec extends ComponentName {
  /** It is started once these answer, and ended before them. */
  readonly after: readonly string[];
  /** It refuses to run as root, and gets an account of its own then. */
  readonly unprivileged?: boolean;
  start(context: StartContext): Promise<StartedComponent>;
}

/**
 * A process of capbench's own that listens: it sends a Ready over its channel when it answers, and ends with it
 * (supervision/server-process.ts does both).
 */
export interface ServerProcess {
  readonly name: string;
  /** The absolute path of its module. */
  readonly module: string;
  readonly execArgv?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

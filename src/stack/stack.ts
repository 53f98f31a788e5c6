import type { Reachable } from '../address/access.ts';
import type { PostgresAddress } from '../address/probe-address.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import type { Micros } from '../units.ts';

/** One world server as the load and the probes reach it. */
export interface WorldEndpoint extends Reachable {
  /** Base URL, without a trailing slash: `http://127.0.0.1:4001` (a path is kept: `http://127.0.0.1:8080/1`). */
  readonly url: string;
  /** Its process on this host now (it is another one after a restart); null when somebody else started it. */
  readonly pid: number | null;
}

/** How to open a connection of one's own to the database under test. */
export interface DatabaseEndpoint {
  /** A host name, or the folder of a UNIX socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The postmaster on this host now, for CPU accounting. */
  readonly pid: number | null;
  /** Where it is somebody else's: how it is read, in place of all that. */
  readonly attached?: Attached;
}

/** The database of a target: it is read, and never written. */
export type Attached = Pick<PostgresAddress, 'connectionString' | 'address' | 'shown'>;

export interface Endpoints {
  readonly worlds: readonly WorldEndpoint[];
  /** True where they are servers of any kind, that have no health and no metrics that capbench reads. */
  readonly unknown?: boolean;
  /** Null where there is none, or it is a target's that nobody named. */
  readonly database: DatabaseEndpoint | null;
  /** Any other address that a system's own parts understand, by name: `redis`, `edge`. */
  readonly addresses?: Readonly<Record<string, string>>;
}

/** One documented setting beside what is applied on this host. */
export interface AppliedSetting {
  readonly setting: string;
  readonly documented: string;
  readonly applied: string;
  /** Null where they agree. */
  readonly reason: string | null;
  /** True when it is this host's hardware that cannot hold the documented value. */
  readonly hardware: boolean;
}

/** When a disturbance began and ended, on the host's monotonic clock. */
export interface Disturbed {
  readonly from: Micros;
  /** The component answers again. */
  readonly to: Micros;
}

/**
 * Faults, on purpose, to a component by its name. What is done on purpose settles no `failure`; what a
 * component cannot recover from does. Both reject with exit code 93 when it does not come back, and at once when
 * the stack is closed meanwhile.
 */
export interface Disturbance {
  /**
   * SIGKILL to the component's whole process group; after `lasting` it is started again, on the same data, port
   * and socket. Resolves when it answers.
   */
  kill(component: string, lasting: Micros): Promise<Disturbed>;
  /** SIGSTOP to the component's processes, and SIGCONT after `lasting`. */
  stop(component: string, lasting: Micros): Promise<Disturbed>;
}

/**
 * What is under test: started here (local.ts), or attached to (target-stack.ts). A run's watchdog is opened before
 * its stack by whoever composes the run, handed to the stack and to the load's processes alike, and closed
 * after both.
 */
export interface Stack {
  readonly endpoints: Endpoints;
  /** `local`, `target`. */
  readonly kind: 'local' | 'target';
  readonly settings: readonly AppliedSetting[];
  /** Settles (never rejects) when a component ended that was not told to; pending for ever otherwise. */
  readonly failure: Promise<StackFailure>;
  /** The log files so far, name -> path; they go into the bundle, cut to a limit. Empty for a target. Gone after close. */
  readonly logs: ReadonlyMap<string, string>;
  /** What can be done to its components on purpose; null for a target, whose processes are not ours. */
  readonly disturb: Disturbance | null;
  /** Stops every process it started and removes every folder it made. Idempotent. */
  close(): Promise<void>;
}

import type { Reachable } from '../address/access.ts';
import type { PostgresAddress } from '../address/probe-address.ts';
import type { ComponentLimits } from '../scenario/limits.ts';
import type { Confine } from '../supervision/process.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import type { Micros } from '../units.ts';
import type { ComponentGroups } from './control-groups.ts';

/** The endpoint of one world server for the load and the probes. */
export interface WorldEndpoint extends Reachable {
  /** Base URL, without a trailing slash: `http://127.0.0.1:4001` (a path is kept: `http://127.0.0.1:8080/1`). */
  readonly url: string;
  /** Its current process on this host, which changes with a restart; null for a target's server. */
  readonly pid: number | null;
}

/** How to connect to the database under test. */
export interface DatabaseEndpoint {
  /** A host name, or the folder of a UNIX socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The current postmaster on this host, for CPU accounting. */
  readonly pid: number | null;
  /** For a target's database: how it is read, in place of the fields above. */
  readonly attached?: Attached;
}

/** A target's database, which is only read. */
export type Attached = Pick<PostgresAddress, 'connectionString' | 'address' | 'shown'>;

/** A component that has limits, or the whole stack, for the probe that compares what it uses. */
export interface LimitedComponent {
  readonly name: string;
  readonly limits: ComponentLimits;
  /** Its current process on this host; of the stack, those of all components. */
  readonly pids: readonly number[];
  readonly groups: ComponentGroups;
}

/** The CPUs that components with limits are not bound to. */
export interface OtherCpus {
  readonly cpus: readonly number[];
  /** The whole stack is bound to the rest, as a machine of its own. */
  readonly besideBox: boolean;
  /** Binds a process of the load to them. */
  readonly confine: Confine;
}

export interface Endpoints {
  readonly worlds: readonly WorldEndpoint[];
  /** True for servers of any kind, without a health check or metrics that capbench can read. */
  readonly unknown?: boolean;
  /** Null where there is none, or where a target's database was not given. */
  readonly database: DatabaseEndpoint | null;
  /** Any other address that a system's own parts understand, by name: `redis`, `edge`. */
  readonly addresses?: Readonly<Record<string, string>>;
  /** A component runs without capbench: its CPU is used for the run, and is not that of a process of the run. */
  readonly partlyGiven?: true;
  /** Absent: no component has limits. */
  readonly limited?: readonly LimitedComponent[];
  /** Absent: no component is bound to CPUs, or together they have all of them. */
  readonly otherCpus?: OtherCpus;
}

/** One documented setting and the value that is applied on this host. */
export interface AppliedSetting {
  readonly setting: string;
  readonly documented: string;
  readonly applied: string;
  /** Why they differ; null where they agree. */
  readonly reason: string | null;
  /** True when this host's hardware does not allow the documented value. */
  readonly hardware: boolean;
}

/** When a fault began and ended, on the host's monotonic clock. */
export interface Disturbed {
  readonly from: Micros;
  /** The component answers again. */
  readonly to: Micros;
  /** Of a restart: the process had ended; until then it may have answered. */
  readonly ended?: Micros;
  /** Of a restart: the process did not end by its own signals, and was killed. */
  readonly forced?: true;
  /** Of a kill: capbench does not start the process again, and `to` is when it had ended. */
  readonly forGood?: true;
}

/**
 * Injects faults into components by name. A fault does not settle `failure`, unless the component does not recover. All
 * methods reject with exit code 93 when it does not recover, and at once when the stack is closed.
 */
export interface Disturbance {
  /**
   * Sends SIGKILL to the component's processes, and restarts it after `lasting` on the same data, port and socket.
   * Resolves when it answers.
   */
  kill(component: string, lasting: Micros): Promise<Disturbed>;
  /** Sends SIGSTOP to the component's processes, and SIGCONT after `lasting`. Resolves when it answers. */
  stop(component: string, lasting: Micros): Promise<Disturbed>;
  /**
   * Ends the component as its close does, with SIGKILL only after its time limit, and starts it once it has ended and
   * `lasting` is over, on the same data, port and socket. Resolves when it answers.
   */
  restart(component: string, lasting: Micros): Promise<Disturbed>;
}

/**
 * The system under test: started here (local.ts), or attached to (target-stack.ts). The run's watchdog is opened before
 * its stack, serves the stack and the load's processes, and is closed after both.
 */
export interface Stack {
  readonly endpoints: Endpoints;
  /** `local`, `target`. */
  readonly kind: 'local' | 'target';
  readonly settings: readonly AppliedSetting[];
  /** Settles (never rejects) when a component ended unexpectedly; stays pending otherwise. */
  readonly failure: Promise<StackFailure>;
  /** Log files, name -> path, whose tails go into the bundle. Empty for a target. Removed by close. */
  readonly logs: ReadonlyMap<string, string>;
  /** Fault injection; null for a target, whose processes are not ours. */
  readonly disturb: Disturbance | null;
  /**
   * Told of each second in which servers answered all that they were asked: they need not be asked whether they still listen,
   * over connections that no player opens. Absent: they are not asked.
   */
  readonly answered?: () => void;
  /** Stops every process it started and removes every folder it made. Idempotent. */
  close(): Promise<void>;
}

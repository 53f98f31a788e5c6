import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Exit } from '../../supervision/process.ts';
import type { Order, Report } from '../fleet/messages.ts';
import { isRecord } from '../json.ts';
import type { HostLimits } from '../limits.ts';

/** Changes with any message. */
export const PROTOCOL = 1;

/** From the machine that runs the scenario to an agent. */
export type ToAgent =
  /** The first one. */
  | { readonly kind: 'hello'; readonly protocol: number; readonly version: string; readonly token: string }
  /** Answered at once, with the agent's monotonic clock. */
  | { readonly kind: 'time'; readonly ask: number }
  | { readonly kind: 'start'; readonly worker: number; readonly marked: boolean }
  /**
   * What the fleet sends to a worker. Of a setup, `workerModule` is the name of a bundle, files have no path, and GO is on the
   * agent's clock. `moduleSha256`: of the player module in it.
   */
  | {
      readonly kind: 'order';
      readonly worker: number;
      readonly order: Order;
      readonly moduleSha256?: string | undefined;
    }
  | { readonly kind: 'stop'; readonly worker: number };

/** From an agent. */
export type FromAgent =
  /** It serves this run. `machine`: the same for all processes of one machine. */
  | {
      readonly kind: 'welcome';
      readonly pid: number;
      readonly machine: string;
      readonly limits: HostLimits;
    }
  /** It does not. */
  | { readonly kind: 'denied'; readonly message: string; readonly hint: string }
  | { readonly kind: 'time'; readonly ask: number; readonly at: number }
  | { readonly kind: 'started'; readonly worker: number; readonly pid: number }
  | { readonly kind: 'notStarted'; readonly worker: number; readonly message: string }
  | { readonly kind: 'report'; readonly worker: number; readonly report: Report }
  | {
      readonly kind: 'exited';
      readonly worker: number;
      readonly exit: Pick<Exit, 'code' | 'signal'>;
      /** Its last lines. */
      readonly log: string;
    };

const TO_AGENT = ['hello', 'time', 'start', 'order', 'stop'];
const FROM_AGENT = ['welcome', 'denied', 'time', 'started', 'notStarted', 'report', 'exited'];

/** Both ends are capbench's, of one version, so checking the kind suffices. */
const isOneOf = (message: unknown, kinds: readonly string[]): boolean =>
  isRecord(message) && typeof message.kind === 'string' && kinds.includes(message.kind);
export const isToAgent = (message: unknown): message is ToAgent => isOneOf(message, TO_AGENT);
export const isFromAgent = (message: unknown): message is FromAgent => isOneOf(message, FROM_AGENT);

/** Differs from machine to machine, and from start to start; containers of one machine have the same. */
export function machineId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return hostname();
  }
}

import { writeFile } from 'node:fs/promises';
import { monotonic } from '../../clock.ts';
import { generatorFailed } from '../../errors.ts';
import type { Exit } from '../../supervision/process.ts';
import { settlesWithin } from '../../supervision/time-limit.ts';
import type { WorkerProcess } from '../fleet/fleet.ts';
import { isOrder, type Order, type Report } from '../fleet/messages.ts';
import type { FromAgent } from './messages.ts';

const STOP_MS = 8_000;

interface RemoteOrders {
  send(order: Order): void;
  stop(): void;
  abandon(): void;
}

type OfWorker = Extract<FromAgent, { readonly worker: number }>;

/** A load worker of an agent, as the fleet knows its own. */
export class RemoteWorker implements WorkerProcess {
  readonly name: string;
  readonly log: string;
  readonly owner: string;
  readonly exited: Promise<Exit>;
  /** Rejects where it could not be started. */
  readonly started: Promise<void>;
  pid = 0;
  private readonly orders: RemoteOrders;
  private readonly listeners: ((message: unknown) => void)[] = [];
  private lastLines = '';
  private hasEnded = false;
  private onExit: (exit: Exit) => void = () => {};
  private onStart: (error: Error | null) => void = () => {};

  constructor(name: string, log: string, owner: string, orders: RemoteOrders) {
    this.name = name;
    this.log = log;
    this.owner = owner;
    this.orders = orders;
    this.exited = new Promise((resolve) => {
      this.onExit = resolve;
    });
    this.started = new Promise((resolve, reject) => {
      this.onStart = (error) => (error === null ? resolve() : reject(error));
    });
    this.started.catch(() => undefined);
  }

  send(message: unknown): void {
    if (isOrder(message)) this.orders.send(message);
  }

  onMessage(listener: (message: unknown) => void): void {
    this.listeners.push(listener);
  }

  tail(lines = 20): string {
    return this.lastLines.split('\n').slice(-lines).join('\n');
  }

  async stop(): Promise<Exit> {
    if (!this.hasEnded) this.orders.stop();
    if (!(await settlesWithin(this.exited, STOP_MS))) this.orders.abandon();
    return this.exited;
  }

  receive(message: OfWorker): void {
    if (message.kind === 'started') {
      this.pid = message.pid;
      this.onStart(null);
    } else if (message.kind === 'notStarted') {
      this.onStart(
        generatorFailed(
          `load worker ${message.worker}: ${message.message}`,
          'see the limits of the load machine: capbench doctor',
        ),
      );
      void this.ended({ code: null, signal: null }, '');
    } else if (message.kind === 'report') {
      this.tell(message.report);
    } else {
      void this.ended(message.exit, message.log);
    }
  }

  /** The connection has ended; `because` is null where that was meant. */
  lose(because: string | null, hint: string): void {
    if (this.hasEnded) return;
    if (because !== null) this.tell({ kind: 'refused', message: because, hint, of: 'generator' });
    void this.ended({ code: null, signal: null }, this.lastLines);
  }

  private tell(report: Report): void {
    for (const listener of this.listeners) listener(report);
  }

  private async ended(exit: Pick<Exit, 'code' | 'signal'>, log: string): Promise<void> {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const at = monotonic();
    this.lastLines = log;
    await writeFile(this.log, log, { mode: 0o600 }).catch(() => undefined);
    this.onExit({ ...exit, at });
  }
}

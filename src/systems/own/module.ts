import { causeOfError } from '../../address/connection-cause.ts';
import { monotonic } from '../../clock.ts';
import { OUTCOME, type Outcome } from '../../load/outcome.ts';
import type { Connection, Dialler, Listener, Protocol } from '../../load/player/connection.ts';
import { CONNECT_TIMEOUT_MS } from '../../load/player/socket.ts';
import type { SocketPlan } from '../../load/player/socket-protocol.ts';
import type { SourceTools } from '../../load/source.ts';
import type { Operation, Result, Session } from '../../player.d.ts';
import { random } from '../../rng.ts';
import { inShort, type LoadedModule, lastNumberOf } from './module-file.ts';
import { openContext } from './player-context.ts';

/** What a module's random numbers are for; no other stream has this one. */
const PLAY = 42;

interface ModulePlan extends Omit<SocketPlan, 'codec'>, Pick<SourceTools, 'now' | 'log'> {
  readonly module: LoadedModule;
  readonly seed: number;
  /** Of all players. */
  readonly players: number;
  readonly urls: readonly string[];
}

/** Players that a module of the user's own plays. Whatever it does wrong is told with its name. */
export class ModuleProtocol implements Protocol {
  private readonly plan: ModulePlan;
  /** Of the module: a socket by `context.openSocket`, an operation that it settled, connections of its own. */
  private readonly traffic = { opened: false, settled: false, others: false };

  /** `watch` is told of connections that are not capbench's (tracked-dial.ts). */
  constructor(plan: ModulePlan, watch: (seen: () => void) => void = () => {}) {
    this.plan = plan;
    watch(() => {
      this.traffic.others = true;
    });
  }

  get unseenTraffic(): string | null {
    const { opened, settled, others } = this.traffic;
    const what = others
      ? 'opened connections of its own'
      : settled && !opened
        ? 'settled operations and opened no socket by context.openSocket'
        : null;
    return what === null
      ? null
      : `the player module ${this.plan.module.name} ${what}: their bytes are not seen`;
  }

  dial(player: number, dialler: Dialler): void {
    const begin = monotonic();
    const connection = new ModuleConnection(player, this.plan, this.traffic);
    let over = false;
    const fail = (message: string, hint: string | null = null): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      connection.cut();
      dialler.refused(player, { kind: 'other', what: `${this.plan.module.name}: ${message}`, hint });
    };
    const timer = setTimeout(
      () => fail(`connect gave no session within ${CONNECT_TIMEOUT_MS / 1e3} s`),
      CONNECT_TIMEOUT_MS,
    );
    connection.open().then(
      () => {
        // It came after all: nobody wants it any more.
        if (over) return connection.cut();
        if (!dialler.isOpen) return fail('given up');
        if (!connection.isOpen) return fail('the connection was lost while it was made');
        over = true;
        clearTimeout(timer);
        dialler.welcomed(player, connection, connection.welcome, monotonic() - begin);
      },
      (thrown: unknown) => fail(`connect: ${inShort(thrown)}`, hintOf(thrown)),
    );
  }
}

/** What to do about what `connect` threw, where it is of a connection. */
function hintOf(thrown: unknown): string | null {
  return thrown instanceof Error ? causeOfError(thrown).hint : null;
}

const OUTCOMES: Readonly<Record<Result, Outcome>> = {
  ok: OUTCOME.ok,
  rejected: OUTCOME.rejected,
  failed: OUTCOME.failed,
};

class ModuleConnection implements Connection {
  isOpen = true;
  private readonly plan: ModulePlan;
  private readonly traffic: ModuleProtocol['traffic'];
  private readonly player: number;
  private readonly own: ReturnType<typeof openContext>;
  /** Null before it is connected, and once it has been closed. */
  private session: Session | null = null;
  private listener: Listener | null = null;
  /** Numbers of the operations that the module has and has not settled. */
  private readonly given = new Set<number>();
  private isOver = false;

  constructor(player: number, plan: ModulePlan, traffic: ModuleProtocol['traffic']) {
    const id = plan.ids[player]!;
    this.traffic = traffic;
    this.player = player;
    this.plan = plan;
    this.own = openContext({
      ...plan,
      player: id,
      route: plan.route(player),
      random: random(plan.seed, PLAY, id),
      opened: () => {
        traffic.opened = true;
      },
      transferred: (bytesIn, bytesOut) => this.listener?.transferred(bytesIn, bytesOut),
      settle: (operation, result) => this.settle(operation, result),
      lost: (reason) => this.lose(reason),
    });
  }

  get welcome(): { readonly lastSequence: number | null; readonly stated: null } {
    return { lastSequence: lastNumberOf(this.session), stated: null };
  }

  /** @throws whatever the module throws */
  async open(): Promise<void> {
    // A module that needs no session may return nothing.
    this.session = (await this.plan.module.connect(this.own.context)) ?? {};
  }

  listen(listener: Listener): void {
    this.listener = listener;
  }

  send(_operation: number, sequence: number, due: number): number {
    const { session } = this;
    if (session === null) return 0;
    const operation: Operation = Object.freeze({ number: sequence, due });
    this.given.add(sequence);
    try {
      const result = this.plan.module.perform(session, operation, this.own.context);
      if (typeof result === 'object' && result !== null && 'then' in result) {
        result.then(
          (later) => this.returned(operation, later),
          (thrown: unknown) => this.threw(operation, thrown),
        );
      } else {
        this.returned(operation, result);
      }
    } catch (thrown) {
      this.threw(operation, thrown);
    }
    return 0;
  }

  /** The module may take its time for it. */
  close(): void {
    const end = (): void => this.end();
    void this.leave().then(end, end);
  }

  cut(): void {
    void this.leave();
    this.end();
  }

  /** Tells the module that the session is over, once; a session that never was has no end. */
  private async leave(): Promise<void> {
    const { session } = this;
    this.isOpen = false;
    if (session === null) return;
    this.session = null;
    try {
      await this.plan.module.close?.(session);
    } catch (thrown) {
      this.complain(`close: ${inShort(thrown)}`);
    }
  }

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.own.end();
    queueMicrotask(() => this.listener?.ended(this.player, this));
  }

  /** The module says that the connection has ended. */
  private lose(reason: unknown): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    // One that was never made is for connect to tell.
    if (this.listener === null) return;
    this.complain(`a connection was lost: ${inShort(reason ?? 'the module does not say why')}`);
    this.listener.ended(this.player, this);
  }

  private returned(operation: Operation, result: unknown): void {
    if (result !== undefined) this.settle(operation, result);
  }

  /** What has been settled before is settled; what it threw is told all the same. */
  private threw(operation: Operation, thrown: unknown): void {
    this.complain(`perform: ${inShort(thrown)}`);
    if (this.given.delete(operation.number)) this.tell(operation.number, OUTCOME.failed);
  }

  private settle(operation: unknown, result: unknown): void {
    // Of a session that has ended, nothing counts any more.
    if (this.listener !== null && !this.isOpen) return;
    const number = numberOf(operation);
    const outcome = outcomeOf(result);
    if (!this.given.delete(number)) {
      const what = 'settled an operation twice, or one that it was never given';
      if (this.listener === null) this.complain(what);
      else if (this.listener.received(this.player, this, 0)) this.listener.unexpected(this.named(what));
      return;
    }
    this.tell(number, outcome ?? OUTCOME.failed);
    // Last: to put what it said into words may throw.
    if (outcome === null)
      this.complain(`settled an operation as ${inShort(result)}, expected ok, rejected or failed`);
  }

  private tell(number: number, outcome: Outcome): void {
    const { listener, player } = this;
    if (listener === null || !listener.received(player, this, 0)) return;
    if (outcome !== OUTCOME.failed) this.traffic.settled = true;
    listener.answered(player, number, outcome);
    listener.receivedAll(player);
  }

  private complain(what: string): void {
    this.plan.errors.add(this.named(what));
  }

  private named(what: string): string {
    return `the player module ${this.plan.module.name}: ${what}`;
  }
}

const numberOf = (operation: unknown): number =>
  typeof operation === 'object' && operation !== null && 'number' in operation
    ? Number(operation.number)
    : Number.NaN;

const outcomeOf = (result: unknown): Outcome | null =>
  typeof result === 'string' && Object.hasOwn(OUTCOMES, result) ? OUTCOMES[result as Result] : null;

import { causeOfError } from '../../address/connection-cause.ts';
import { monotonic } from '../../clock.ts';
import { OUTCOME, type Outcome } from '../../load/outcome.ts';
import type { Connection, Dialler, Listener, Protocol, Welcome } from '../../load/player/connection.ts';
import type { PlayerSockets } from '../../load/player/player-sockets.ts';
import { CONNECT_TIMEOUT_MS } from '../../load/player/socket.ts';
import type { SocketPlan } from '../../load/player/socket-protocol.ts';
import type { WatchedDials } from '../../load/player/watched-dials.ts';
import type { SourceTools } from '../../load/source.ts';
import type { Context, Operation, Result, Session } from '../../player.d.ts';
import { random } from '../../rng.ts';
import type { OperationSpec } from '../../scenario/operations.ts';
import { type LoadedModule, lastNumberOf, oneLine } from './module-file.ts';
import { openContext } from './player-context.ts';
import type { SocketPlayers } from './players-schema.ts';

/** For a connect whose error is none of the network. */
const CONNECT_HINT =
  "see in the module's connect where that comes from, and what the server answered it; lines of context.log are in logs/ of the bundle";

/** The stream of a module's random numbers; no number in load/streams.ts may be equal. */
const PLAY = 42;

interface ModulePlan
  extends Omit<SocketPlan, 'codec'>,
    Pick<SourceTools, 'now' | 'log' | 'deliveries' | 'figures'> {
  /** The connections that the module opens to the servers, and what it did that cannot be seen. */
  readonly sockets: PlayerSockets;
  readonly dials: WatchedDials;
  /** What `context.openSocket` offers and accepts, unless it is called with something else. */
  readonly client: SocketPlayers;
  /** The variables of `context.env`. */
  readonly env: Readonly<Record<string, string>>;
  readonly module: LoadedModule;
  readonly seed: number;
  /** Number of all players, and of those in a group. */
  readonly players: number;
  readonly group: number;
  /** The kinds of operations, by their index in the workload. */
  readonly operations: readonly Pick<OperationSpec, 'id' | 'due'>[];
  readonly urls: readonly string[];
  /** What the module's `prepare` returned. */
  readonly prepared: unknown;
}

/** Players of a user's module. Its errors are reported with its name. */
export class ModuleProtocol implements Protocol {
  readonly sockets: PlayerSockets;
  readonly countsSockets = true;
  private readonly plan: ModulePlan;
  /** Whether the module settled an operation. */
  private readonly traffic = { settled: false };
  private readonly turns = new Turns();
  private readonly groups: Groups;

  constructor(plan: ModulePlan) {
    this.plan = plan;
    this.groups = new Groups(plan);
    this.sockets = plan.sockets;
  }

  unseenTraffic(silent: boolean): string | null {
    const { hidden, elsewhere } = this.plan.dials;
    const idle = silent ? 'settled operations while its connections to the targets carried nothing' : null;
    const unseen = this.traffic.settled && this.sockets.opened === 0 ? unconnected(elsewhere) : idle;
    const what = hidden ?? unseen;
    return what === null
      ? null
      : `the player module ${this.plan.module.name} ${what}: its bytes are not all counted`;
  }

  dial(player: number, dialler: Dialler): void {
    const begin = monotonic();
    const connection = new ModuleConnection(player, this.plan, this.traffic, this.turns, this.groups);
    let over = false;
    const fail = (message: string, hint: string | null = null): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      connection.cut();
      dialler.refused(player, { kind: 'other', what: `${this.plan.module.name}: ${message}`, hint });
    };
    const timer = setTimeout(
      () => fail(`connect returned no session within ${CONNECT_TIMEOUT_MS / 1e3} s`, CONNECT_HINT),
      CONNECT_TIMEOUT_MS,
    );
    connection.open().then(
      () => {
        // It came after the timeout.
        if (over) return connection.cut();
        if (!dialler.isOpen) return fail('cancelled');
        if (!connection.isOpen) return fail('the connection was lost while connecting', CONNECT_HINT);
        over = true;
        clearTimeout(timer);
        dialler.welcomed(player, connection, connection.welcome, monotonic() - begin);
      },
      (thrown: unknown) => fail(`connect: ${oneLine(thrown)}`, hintOf(thrown) ?? CONNECT_HINT),
    );
  }
}

/** Of a module that settled operations over connections that nobody saw. */
function unconnected(elsewhere: ReadonlySet<string>): string {
  const what = 'settled operations and opened no connection to a target that capbench saw';
  return elsewhere.size === 0 ? what : `${what}, only to ${[...elsewhere].join(', ')}`;
}

/** The hint for an error of `connect`, if it is a network error. */
function hintOf(thrown: unknown): string | null {
  return thrown instanceof Error ? causeOfError(thrown).hint : null;
}

const OUTCOMES: Readonly<Record<Result, Outcome>> = {
  ok: OUTCOME.ok,
  rejected: OUTCOME.rejected,
  failed: OUTCOME.failed,
  idle: OUTCOME.idle,
};

/** The groups of a worker's players that anybody asked for. */
class Groups {
  private readonly plan: Pick<ModulePlan, 'players' | 'group'>;
  private readonly shared = new Map<number, Record<string, unknown>>();

  constructor(plan: Groups['plan']) {
    this.plan = plan;
  }

  /** The group of a player, by its number among all players. */
  of(player: number): Context['group'] {
    const { players, group } = this.plan;
    const index = Math.floor(player / group);
    const shared = this.shared.get(index) ?? {};
    this.shared.set(index, shared);
    return { index, size: Math.min(group, players - index * group), shared };
  }
}

/** Counts the turns of the event loop in which operations are performed. HOT. */
class Turns {
  private number = 0;
  private isOpen = false;
  private readonly end = (): void => {
    this.isOpen = false;
  };
  private readonly endSoon = (): void => process.nextTick(this.end);

  /** The number of the current turn. */
  get current(): number {
    if (!this.isOpen) {
      this.isOpen = true;
      this.number += 1;
      // A tick that a microtask asks for runs when no microtask is left, and before the next event is looked at.
      queueMicrotask(this.endSoon);
    }
    return this.number;
  }
}

/** Of a call of the module's, which is in the errors already. */
class ReportedError extends Error {}

class ModuleConnection implements Connection {
  isOpen = true;
  private readonly plan: ModulePlan;
  private readonly traffic: ModuleProtocol['traffic'];
  private readonly turns: Turns;
  private readonly player: number;
  private readonly own: ReturnType<typeof openContext>;
  private readonly began = monotonic();
  /** Microseconds; null until the module reports it. */
  private loggedInAfter: number | null = null;
  /** Null before `connect` and after `close`. */
  private session: Session | null = null;
  /** The last number that the session's server knows; null if it reports none. */
  private lastNumber: number | null = null;
  private listener: Listener | null = null;
  /** The turn of the latest operation, and the first number of that turn. */
  private turn = 0;
  private firstOfTurn = 0;
  /** Numbers of the module's unsettled operations. */
  private readonly unsettled = new Set<number>();
  private isOver = false;
  private lastDue: number | null = null;

  constructor(
    player: number,
    plan: ModulePlan,
    traffic: ModuleProtocol['traffic'],
    turns: Turns,
    groups: Groups,
  ) {
    this.turns = turns;
    const id = plan.ids[player]!;
    this.traffic = traffic;
    this.player = player;
    this.plan = plan;
    this.own = openContext({
      ...plan,
      player: id,
      route: plan.route(player),
      random: random(plan.seed, PLAY, id),
      settle: (operation, result) => this.settle(operation, result),
      lastDue: () => this.lastDue,
      start: (kind) => this.start(kind),
      group: () => groups.of(id),
      lost: (reason) => this.lose(reason),
      loggedIn: () => {
        this.loggedInAfter ??= monotonic() - this.began;
      },
    });
  }

  get welcome(): Welcome {
    const { loggedInAfter } = this;
    return {
      ...{ lastSequence: this.lastNumber, stated: null },
      ...(loggedInAfter === null ? {} : { loggedInAfter }),
    };
  }

  /** @throws what the module throws, and an Error for a wrong `lastNumber` */
  async open(): Promise<void> {
    // A module without sessions may return nothing.
    this.session = (await this.plan.module.connect(this.own.context)) ?? {};
    this.lastNumber = lastNumberOf(this.session);
  }

  listen(listener: Listener): void {
    this.listener = listener;
  }

  send(kind: number, sequence: number, due: number): number {
    const { session } = this;
    if (session === null) return 0;
    const operation: Operation = Object.freeze({
      kind: this.plan.operations[kind]!.id,
      number: sequence,
      due,
    });
    const { current } = this.turns;
    if (current !== this.turn) {
      this.turn = current;
      this.firstOfTurn = sequence;
    }
    this.unsettled.add(sequence);
    this.lastDue = due;
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

  /** Waits for the module's `close`. */
  close(): void {
    const end = (): void => this.end();
    void this.closeSession().then(end, end);
  }

  cut(): void {
    void this.closeSession();
    this.end();
  }

  /** Calls the module's `close` once, if there is a session. */
  private async closeSession(): Promise<void> {
    const { session } = this;
    this.isOpen = false;
    if (session === null) return;
    this.session = null;
    try {
      await this.plan.module.close?.(session);
    } catch (thrown) {
      if (!(thrown instanceof ReportedError)) this.reportError(`close: ${oneLine(thrown)}`);
    }
  }

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.own.end();
    queueMicrotask(() => this.listener?.ended(this.player, this));
  }

  /** The module reports the loss of the connection. */
  private lose(reason: unknown): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    // Before the welcome, `connect` reports it.
    if (this.listener === null) return;
    this.reportError(`a connection was lost: ${oneLine(reason ?? 'no reason given')}`);
    this.listener.ended(this.player, this);
  }

  /** Begins an operation of a kind that is due after an answer; the module's `context.start`. @throws an Error for another kind */
  private start(kind: unknown): boolean {
    const { operations } = this.plan;
    const operation = operations.findIndex(({ id }) => id === kind);
    if (operations[operation]?.due !== 'answer') {
      const kinds = operations.flatMap(({ id, due }) => (due === 'answer' ? [id] : []));
      const expected =
        kinds.length === 0
          ? 'and no kind of the scenario has due: answer'
          : `expected one with due: answer: ${kinds.join(', ')}`;
      const what = `start: got ${oneLine(kind)}, ${expected}`;
      this.reportError(what);
      // Thrown here, and often thrown on by perform.
      throw new ReportedError(this.named(what));
    }
    return this.isOpen && this.listener?.begin(this.player, this, operation) === true;
  }

  private returned(operation: Operation, result: unknown): void {
    if (result !== undefined) this.settle(operation, result);
  }

  /** `perform` threw: the operation has failed, unless it is settled. */
  private threw(operation: Operation, thrown: unknown): void {
    if (!(thrown instanceof ReportedError)) this.reportError(`perform: ${oneLine(thrown)}`);
    if (this.unsettled.delete(operation.number)) this.answer(operation.number, OUTCOME.failed);
  }

  private settle(operation: unknown, result: unknown): void {
    // Results after the end of the session do not count.
    if (this.listener !== null && !this.isOpen) return;
    const number = numberOf(operation);
    const outcome = outcomeOf(result);
    if (!this.unsettled.delete(number)) {
      const what = 'settled an operation twice, or one that it did not get';
      if (this.listener === null) this.reportError(what);
      else if (this.listener.received(this.player, this, 0)) this.listener.unexpected(this.named(what));
      return;
    }
    if (outcome === OUTCOME.idle) this.idle(number);
    else this.answer(number, outcome ?? OUTCOME.failed);
    // Last, since converting the result to text may throw.
    if (outcome === null)
      this.reportError(`settled an operation as ${oneLine(result)}, expected ok, rejected, failed or idle`);
  }

  /** Idle is what waits for nothing: otherwise slow answers could hide behind it. */
  private idle(number: number): void {
    if (this.turns.current === this.turn && number >= this.firstOfTurn) {
      this.listener?.idled(this.player, this, number);
      return;
    }
    this.answer(number, OUTCOME.failed);
    this.reportError(
      'settled an operation as idle after it had waited, so it has failed: idle is only what perform says at once, before it awaits anything',
    );
  }

  private answer(number: number, outcome: Outcome): void {
    const { listener, player } = this;
    if (listener === null || !listener.received(player, this, 0)) return;
    if (outcome !== OUTCOME.failed) this.traffic.settled = true;
    listener.answered(player, number, outcome);
    listener.receivedAll(player);
  }

  private reportError(what: string): void {
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

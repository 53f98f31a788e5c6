import { monotonic } from '../../clock.ts';
import type { Operation, Result, Session } from '../../player.d.ts';
import { random } from '../../rng.ts';
import { OUTCOME, type Outcome } from '../outcome.ts';
import type { Connection, Listener, Welcome } from '../player/connection.ts';
import type { Groups } from './groups.ts';
import { lastNumberOf, oneLine } from './module-file.ts';
import type { ModulePlan } from './module-plan.ts';
import { openContext } from './player-context.ts';
import type { Turns } from './turns.ts';

/** The stream of a module's random numbers; no number in load/streams.ts may be equal. */
const PLAY = 42;

/** What the players of a worker did. */
export interface PlayerTraffic {
  /** Whether an operation was settled as answered. */
  settled: boolean;
}

const OUTCOMES: Readonly<Record<Result, Outcome>> = {
  ok: OUTCOME.ok,
  rejected: OUTCOME.rejected,
  failed: OUTCOME.failed,
  idle: OUTCOME.idle,
};

/** Of a call of the module's, which is in the errors already. */
class ReportedError extends Error {}

/** One player's connection by module: whatever its code holds to be one. */
export class ModuleConnection implements Connection {
  isOpen = true;
  private readonly plan: ModulePlan;
  private readonly traffic: PlayerTraffic;
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

  constructor(player: number, plan: ModulePlan, traffic: PlayerTraffic, turns: Turns, groups: Groups) {
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
      start: (kind, due) => this.start(kind, plan.world === null ? undefined : due),
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
    this.session = (await this.plan.code.connect(this.own.context)) ?? {};
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
      const result = this.plan.code.perform(session, operation, this.own.context);
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
      await this.plan.code.close?.(session);
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

  /** `context.start`. @throws an Error for a kind that is not due after an answer, and a planned time that has not come */
  private start(kind: unknown, due: number | undefined): boolean {
    const { operations } = this.plan;
    const operation = operations.findIndex(({ id }) => id === kind);
    if (operations[operation]?.due !== 'answer') {
      const kinds = operations.flatMap(({ id, due }) => (due === 'answer' ? [id] : []));
      const expected =
        kinds.length === 0
          ? 'and no kind of the scenario has due: answer'
          : `expected one with due: answer: ${kinds.join(', ')}`;
      throw this.wrongStart(`got ${oneLine(kind)}, ${expected}`);
    }
    if (due !== undefined && !(due <= this.plan.now()))
      throw this.wrongStart(`got ${due} as the planned time, expected microseconds of now or before`);
    return this.isOpen && this.listener?.begin(this.player, this, operation, due) === true;
  }

  /** It is thrown in `start`, and often thrown on by perform. */
  private wrongStart(what: string): Error {
    this.reportError(`start: ${what}`);
    return new ReportedError(this.named(`start: ${what}`));
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
    return `${this.plan.code.subject}: ${what}`;
  }
}

const numberOf = (operation: unknown): number =>
  typeof operation === 'object' && operation !== null && 'number' in operation
    ? Number(operation.number)
    : Number.NaN;

const outcomeOf = (result: unknown): Outcome | null =>
  typeof result === 'string' && Object.hasOwn(OUTCOMES, result) ? OUTCOMES[result as Result] : null;

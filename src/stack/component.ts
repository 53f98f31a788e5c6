import { monotonic } from '../clock.ts';
import { messageOf, stackFailed } from '../errors.ts';
import type { SupervisedProcess } from '../supervision/process.ts';
import { pause } from '../supervision/time-limit.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import { type Micros, toMillis } from '../units.ts';
import type { Disturbed } from './stack.ts';

/** One life of a component: from a start to the end of its process. */
export interface ComponentProcess {
  readonly process: SupervisedProcess;
  /** Settles (never rejects) when it ended, or broke, without being told to. */
  readonly failure: Promise<StackFailure>;
  /** Resolves when it answers a question; rejects when it does not within its limit, or is aborted. */
  answers(signal: AbortSignal): Promise<void>;
}

/** A part of the stack that has one process at a time, and may be killed and started again on purpose. */
export interface Component {
  /** `postgres`, `world-2`. */
  readonly name: string;
  /** Of the process of now. */
  readonly pid: number;
  readonly log: string;
  /** Of any of its lives, and of a start that was to be the next one. */
  readonly failure: Promise<StackFailure>;
  /** True from the first moment of a disturbance to its end, and after one that failed. */
  readonly disturbed: boolean;
  /** See Disturbance. One that is asked for during another one begins after it. */
  kill(lasting: Micros): Promise<Disturbed>;
  stop(lasting: Micros): Promise<Disturbed>;
  /** Ends the process: with `abruptly` by SIGKILL, otherwise as it is used to. Idempotent. */
  close(abruptly?: boolean): Promise<void>;
}

/**
 * Keeps a component from one life to the next. `begin` starts its process on the data of the one before it and
 * resolves when it answers; where it rejects, it has left nothing. `closing` ends what is going on at once.
 */
export function openComponent(
  first: ComponentProcess,
  begin: (signal: AbortSignal) => Promise<ComponentProcess>,
  closing: AbortSignal,
): Component {
  const { name } = first.process;
  let life = first;
  let disturbed = false;
  let turn: Promise<unknown> = Promise.resolve();
  let closed: Promise<void> | undefined;
  let fail: (failure: StackFailure) => void = () => {};
  const failure = new Promise<StackFailure>((resolve) => {
    fail = resolve;
  });
  const live = (next: ComponentProcess): void => {
    life = next;
    void next.failure.then(fail);
  };
  live(first);

  const disturb = (done: string, how: () => Promise<void>): Promise<Disturbed> => {
    const disturbance = turn.then(async () => {
      if (closing.aborted) throw closedMeanwhile(name, done);
      const from = monotonic();
      disturbed = true;
      try {
        await how();
      } catch (error) {
        if (closing.aborted) throw closedMeanwhile(name, done);
        const message = `did not come back after it was ${done}: ${messageOf(error)}`;
        const hint = `see logs/${name}.log`;
        fail({ component: name, message, hint });
        throw stackFailed(`${name}: ${message}`, hint, error);
      }
      disturbed = false;
      return { from, to: monotonic() };
    });
    turn = disturbance.catch(() => {});
    return disturbance;
  };

  const close = async (abruptly: boolean): Promise<void> => {
    await turn;
    if (abruptly) await life.process.kill();
    await life.process.stop();
  };
  return {
    name,
    log: first.process.log,
    failure,
    get pid() {
      return life.process.pid;
    },
    get disturbed() {
      return disturbed;
    },
    kill: (lasting) =>
      disturb('killed', async () => {
        const before = life.process;
        const again = performance.now() + toMillis(lasting);
        await before.kill();
        await pause(Math.max(0, again - performance.now()), closing);
        live(await begin(closing));
        before.forget();
      }),
    stop: (lasting) =>
      disturb('stopped', async () => {
        await life.process.suspend();
        await pause(toMillis(lasting), closing);
        life.process.resume();
        const lost = life.failure.then(({ message }) => Promise.reject(new Error(message)));
        await Promise.race([life.answers(closing), lost]);
      }),
    close(abruptly = false) {
      closed ??= close(abruptly);
      return closed;
    },
  };
}

const closedMeanwhile = (name: string, done: string) =>
  stackFailed(`the stack was closed while ${name} was ${done}`);

import { monotonic } from '../clock.ts';
import { messageOf, stackFailed } from '../errors.ts';
import type { SupervisedProcess } from '../supervision/process.ts';
import { pause } from '../supervision/time-limit.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import { type Micros, toMillis } from '../units.ts';
import type { Disturbed } from './stack.ts';

/** One process of a component, from its start to its end. */
export interface ComponentProcess {
  readonly process: SupervisedProcess;
  /** Settles (never rejects) when it ended or broke unexpectedly. */
  readonly failure: Promise<StackFailure>;
  /** Resolves when it answers a request; rejects when it does not within its limit, or is aborted. */
  answers(signal: AbortSignal): Promise<void>;
}

/** How a process ended that was asked to. */
type Ending = Pick<Disturbed, 'ended' | 'forced'>;

/** A part of the stack that has one process at a time, which faults may kill and restart. */
export interface Component {
  /** `postgres`, `world-2`. */
  readonly name: string;
  /** Of the current process; null where it runs without capbench. */
  readonly pid: number | null;
  /** Null where it writes none that capbench has. */
  readonly log: string | null;
  /** The failure of any of its processes, or of a restart. */
  readonly failure: Promise<StackFailure>;
  /** True from the beginning of a fault to its end, and after a fault from which it did not recover. */
  readonly disturbed: boolean;
  /** See Disturbance. Faults are injected one after the other. */
  kill(lasting: Micros): Promise<Disturbed>;
  stop(lasting: Micros): Promise<Disturbed>;
  restart(lasting: Micros): Promise<Disturbed>;
  /** Ends the process: with `abruptly` by SIGKILL, otherwise with its own signals. Idempotent. */
  close(abruptly?: boolean): Promise<void>;
}

/**
 * A component and its successive processes. `start` starts a process on the data of the one before and resolves when it
 * answers; where it rejects, it leaves nothing behind. `closing` aborts a fault in progress.
 */
export function openComponent(
  first: ComponentProcess,
  start: (signal: AbortSignal) => Promise<ComponentProcess>,
  closing: AbortSignal,
): Component {
  const { name } = first.process;
  let current = first;
  let disturbed = false;
  let turn: Promise<unknown> = Promise.resolve();
  let closed: Promise<void> | undefined;
  let fail: (failure: StackFailure) => void = () => {};
  const failure = new Promise<StackFailure>((resolve) => {
    fail = resolve;
  });
  const adopt = (next: ComponentProcess): void => {
    current = next;
    void next.failure.then(fail);
  };
  adopt(first);

  const disturb = (done: string, how: () => Promise<Ending>): Promise<Disturbed> => {
    const disturbance = turn.then(async () => {
      if (closing.aborted) throw closedMeanwhile(name, done);
      const from = monotonic();
      disturbed = true;
      let ending: Ending = {};
      try {
        ending = await how();
      } catch (error) {
        if (closing.aborted) throw closedMeanwhile(name, done);
        const message = `did not recover after it was ${done}: ${messageOf(error)}`;
        const hint = `see logs/${name}.log`;
        fail({ component: name, message, hint });
        throw stackFailed(`${name}: ${message}`, hint, error);
      }
      disturbed = false;
      return { from, to: monotonic(), ...ending };
    });
    turn = disturbance.catch(() => {});
    return disturbance;
  };

  const close = async (abruptly: boolean): Promise<void> => {
    await turn;
    if (abruptly) await current.process.kill();
    await current.process.stop();
  };
  return {
    name,
    log: first.process.log,
    failure,
    get pid() {
      return current.process.pid;
    },
    get disturbed() {
      return disturbed;
    },
    kill: (lasting) =>
      disturb('killed', async () => {
        const before = current.process;
        const restartAt = performance.now() + toMillis(lasting);
        await before.kill();
        await pause(Math.max(0, restartAt - performance.now()), closing);
        adopt(await start(closing));
        before.forget();
        return {};
      }),
    stop: (lasting) =>
      disturb('stopped', async () => {
        await current.process.suspend();
        await pause(toMillis(lasting), closing);
        current.process.resume();
        const lost = current.failure.then(({ message }) => Promise.reject(new Error(message)));
        await Promise.race([current.answers(closing), lost]);
        return {};
      }),
    restart: (lasting) =>
      disturb('restarted', async () => {
        const restartAt = performance.now() + toMillis(lasting);
        const { signal, at: ended } = await current.process.stop();
        await pause(Math.max(0, restartAt - performance.now()), closing);
        adopt(await start(closing));
        return signal === 'SIGKILL' ? { ended, forced: true } : { ended };
      }),
    close(abruptly = false) {
      closed ??= close(abruptly);
      return closed;
    },
  };
}

const closedMeanwhile = (name: string, done: string) =>
  stackFailed(`the stack was closed while ${name} was ${done}`);

import { messageOf } from '../errors.ts';
import { aborted, settlesWithin } from '../supervision/time-limit.ts';

/** Longer than the time limits of all resources together. */
const CLOSE_LIMIT_MS = 60_000;
/** The limit after an abort; the watchdog ends what is not closed by then. */
const LEAVE_MS = 1_000;

/** The resources that a run has opened and must close. */
export class OpenResources {
  private readonly all: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.all.push(close);
  }

  /** Also closes a resource that opens after the run has stopped waiting for it. */
  addWhenOpen<T>(opening: Promise<T>, close: (opened: T) => Promise<void>): void {
    this.add(() => opening.then(close, () => undefined));
  }

  /**
   * Closes the last one first. One that fails or takes too long does not keep the others open: it becomes a warning, and
   * the watchdog ends what it leaves.
   */
  async close(abort: AbortSignal): Promise<readonly string[]> {
    const warnings: string[] = [];
    const closing = (async () => {
      for (const close of this.all.toReversed()) {
        await close().catch(
          (thrown) => void warnings.push(`a part of the run was not closed properly: ${messageOf(thrown)}`),
        );
      }
    })();
    await Promise.race([settlesWithin(closing, CLOSE_LIMIT_MS), aborted(abort)]);
    if (!(await settlesWithin(closing, LEAVE_MS)) && !abort.aborted) {
      warnings.push(
        `the run was not closed within ${CLOSE_LIMIT_MS / 1e3} s: the watchdog ends its remaining processes`,
      );
    }
    return [...warnings];
  }
}

import { messageOf } from '../errors.ts';
import { aborted, settlesWithin } from '../supervision/time-limit.ts';

/** All that is closed has limits of its own, which are shorter together. */
const CLOSE_LIMIT_MS = 60_000;
/** The same for who wants to leave at once: what is not closed by then the watchdog ends. */
const LEAVE_MS = 1_000;

/** What was opened in a run, to be closed again. */
export class OpenResources {
  private readonly all: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.all.push(close);
  }

  /** Also what is up when nobody waits for it any more is closed; where it never came up there is nothing to close. */
  addWhenOpen<T>(opening: Promise<T>, close: (opened: T) => Promise<void>): void {
    this.add(() => opening.then(close, () => undefined));
  }

  /**
   * The last opened first. One that fails, or takes too long, does not keep the others open: it is told, and what it
   * leaves is the watchdog's.
   */
  async close(abort: AbortSignal): Promise<readonly string[]> {
    const warnings: string[] = [];
    const closing = (async () => {
      for (const close of this.all.toReversed()) {
        await close().catch(
          (thrown) => void warnings.push(`not closed as it should be: ${messageOf(thrown)}`),
        );
      }
    })();
    await Promise.race([settlesWithin(closing, CLOSE_LIMIT_MS), aborted(abort)]);
    if (!(await settlesWithin(closing, LEAVE_MS)) && !abort.aborted) {
      warnings.push(`not all was closed within ${CLOSE_LIMIT_MS / 1e3} s: the watchdog ends what is left`);
    }
    return [...warnings];
  }
}

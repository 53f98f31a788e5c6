import { interrupted, stackFailed } from '../../errors.ts';
import { describeExit, type NodeProcess } from '../../supervision/process.ts';
import { aborted, settlesWithin } from '../../supervision/time-limit.ts';
import { isReport, type Preparation, type WorkerSetup } from './messages.ts';

/** Accounts by the thousand take minutes to make. */
const LIMIT_MS = 5 * 60_000;
/** For what the module did while it was loaded, or in its `prepare`. */
const HINT = 'correct what the module does when it is loaded, or in its prepare; see logs/prepare.log';

/**
 * Runs the module's `prepare` in a process of its own, once, before the load workers exist; null where it exports none.
 * The process has ended when this settles.
 * @throws CapbenchError 93 with what the module did wrong, 105 when aborted
 */
export async function prepareOnce(
  setup: WorkerSetup,
  child: NodeProcess,
  signal: AbortSignal,
): Promise<Preparation | null> {
  const name = setup.module?.name ?? '';
  const answer = new Promise<Preparation | null>((resolve, reject) => {
    child.onMessage((message) => {
      if (!isReport(message)) return;
      if (message.kind === 'prepared') resolve(message.preparation);
      else if (message.kind === 'refused') reject(stackFailed(message.message, message.hint ?? HINT));
    });
    void child.exited.then((exit) =>
      reject(
        stackFailed(
          `the player module ${name} ended its process before the players connected: ${describeExit(exit)}. ${child.tail(3)}`.trim(),
          HINT,
        ),
      ),
    );
  });
  answer.catch(() => undefined);
  const left = aborted(signal).then((): never => {
    throw interrupted('stopped while the player module prepared the run');
  });
  left.catch(() => undefined);
  try {
    child.send({ kind: 'prepare', setup });
    const ended = Promise.race([answer, left]);
    if (!(await settlesWithin(ended, LIMIT_MS)))
      throw stackFailed(
        `the player module ${name} was not loaded and prepared within ${LIMIT_MS / 60_000} minutes`,
        HINT,
      );
    return await ended;
  } finally {
    await child.stop();
  }
}

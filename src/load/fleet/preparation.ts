import { interrupted, stackFailed } from '../../errors.ts';
import { describeExit, type NodeProcess } from '../../supervision/process.ts';
import { aborted, settlesWithin } from '../../supervision/time-limit.ts';
import { isReport, type Preparation, type WorkerSetup } from './messages.ts';

/** Accounts by the thousand take minutes to make. */
const LIMIT_MS = 5 * 60_000;

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
  const wrong = (message: string): Error =>
    stackFailed(
      message,
      'correct its prepare, which runs once before the players connect; see logs/prepare.log',
    );
  const failed = (what: string): Error => wrong(`the player module ${name}: prepare ${what}`);
  const answer = new Promise<Preparation | null>((resolve, reject) => {
    child.onMessage((message) => {
      if (!isReport(message)) return;
      if (message.kind === 'prepared') resolve(message.preparation);
      else if (message.kind === 'refused') reject(wrong(message.message));
    });
    void child.exited.then((exit) =>
      reject(failed(`ended its process: ${describeExit(exit)}. ${child.tail(3)}`.trim())),
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
      throw failed(`did not end within ${LIMIT_MS / 60_000} minutes`);
    return await ended;
  } finally {
    await child.stop();
  }
}

import { bundleFile } from '../supervision/bundle-file.ts';
import { describeExit, KILL, startProcess } from '../supervision/process.ts';
import type { RunFolder } from '../supervision/run-folder.ts';
import { settlesWithin, unlessAborted } from '../supervision/time-limit.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import type { Answer, BenchmarkName, Order } from './benchmark.ts';

/** Beyond warm-up and measurement, on a slow machine that does something else, too. */
const OVERDUE_MS = 30_000;

/**
 * One repetition of a benchmark in a fresh process: in about one of a hundred V8 compiles the same code to something slower,
 * and keeps it. V8 uses no threads of its own there, so that the number of cores changes nothing.
 * Rejects with the signal's reason, and with exit code 93 where no process can be started.
 */
export async function repeatOnce(
  benchmark: BenchmarkName,
  { warmUpMs, measureMs }: { readonly warmUpMs: number; readonly measureMs: number },
  { folder, watchdog }: { readonly folder: RunFolder; readonly watchdog: Watchdog },
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted();
  const own = await startProcess({
    ...{ name: `score-${benchmark}`, module: bundleFile('score-benchmark'), watchdog, ladder: [KILL] },
    execArgv: ['--single-threaded'],
    // `ws` uses native code where somebody has installed it.
    env: { WS_NO_BUFFER_UTIL: '1', WS_NO_UTF_8_VALIDATE: '1' },
    log: folder.file(`${benchmark}.log`),
  });
  try {
    let answer: Answer | null = null;
    const answered = new Promise<void>((resolve) => {
      own.onMessage((message) => {
        answer = message as Answer;
        resolve();
      });
    });
    const order: Order = { benchmark, warmUpMs, measureMs, folder: folder.path };
    own.send(order);
    const limit = warmUpMs + measureMs + OVERDUE_MS;
    const inTime = await unlessAborted(settlesWithin(Promise.race([answered, own.exited]), limit), signal);
    if (answer !== null) return answer;
    if (!inTime) return { failed: `there was no result within ${Math.ceil(limit / 1e3)} s` };
    return { failed: `its process ended: ${describeExit(await own.exited)} ${own.tail(3)}`.trim() };
  } finally {
    await own.stop();
  }
}

import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundleFile } from '../../src/supervision/bundle-file.ts';
import { describeExit, startProcess } from '../../src/supervision/process.ts';
import { openRunFolder, type RunFolder } from '../../src/supervision/run-folder.ts';
import { unlessAborted } from '../../src/supervision/time-limit.ts';
import { openWatchdog, type Watchdog } from '../../src/supervision/watchdog.ts';
import { type Figures, isFigures } from './figures.ts';

/** What the parts of one run share. */
export interface BenchRun {
  readonly watchdog: Watchdog;
  readonly folder: RunFolder;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
  /** Those that were started and not stopped yet; whoever ends the run stops them. */
  readonly helpers: Set<Helper>;
}

/** A process of the benchmark's own. */
export interface Helper {
  /** What it says next. @throws when it ends without a word, or the run is aborted. */
  next(): Promise<Figures>;
  tell(order: string): void;
  /** What it says to that. */
  ask(question: string): Promise<Figures>;
  stop(): Promise<void>;
}

/** Everything that is started ends with this, whatever happens: by us, or by the watchdog. */
export async function withRun<T>(
  signal: AbortSignal,
  progress: BenchRun['progress'],
  work: (run: BenchRun) => Promise<T>,
): Promise<T> {
  const watchdog = await openWatchdog(process.env);
  try {
    const folder = await openRunFolder(watchdog, [tmpdir(), '/tmp']);
    const run: BenchRun = { watchdog, folder, signal, progress, helpers: new Set() };
    try {
      return await work(run);
    } finally {
      await Promise.all([...run.helpers].map((helper) => helper.stop()));
      await folder.remove();
    }
  } finally {
    await watchdog.close();
  }
}

let started = 0;

interface HelperOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node's. */
  readonly execArgv?: readonly string[];
}

/** Starts `dist/bench-<name>.js`; it ends with the run, however that ends. */
export async function startHelper(
  { watchdog, folder, signal, helpers }: BenchRun,
  name: string,
  args: readonly (string | number)[],
  { env = {}, execArgv = [] }: HelperOptions = {},
): Promise<Helper> {
  started += 1;
  const child = await startProcess({
    name: `${name}-${started}`,
    ...{ module: bundleFile(`bench-${name}`), execArgv },
    args: args.map(String),
    env,
    log: folder.file(`${name}-${started}.log`),
    watchdog,
  });
  const messages: Figures[] = [];
  let wake = (): void => {};
  child.onMessage((message) => {
    if (!isFigures(message)) return;
    messages.push(message);
    wake();
  });
  const ended = child.exited.then((exit) => {
    throw new Error(`${name} ended without a report (${describeExit(exit)}): ${child.tail(5)}`);
  });
  ended.catch(() => {});
  const next = async (): Promise<Figures> => {
    const spoken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    if (messages.length === 0) await unlessAborted(Promise.race([spoken, ended]), signal);
    const [first] = messages.splice(0, 1);
    if (first === undefined) throw new Error(`${name} sent no figures`);
    return first;
  };
  const helper: Helper = {
    next,
    tell: (order) => child.send(order),
    ask(question) {
      child.send(question);
      return next();
    },
    async stop() {
      await child.stop();
      helpers.delete(helper);
    },
  };
  helpers.add(helper);
  return helper;
}

export const pauseSeconds = (seconds: number, signal: AbortSignal): Promise<void> =>
  sleep(seconds * 1e3, undefined, { signal });

import { type ChildProcess, fork } from 'node:child_process';
import type { FromWorker, LoadedMatch, ToWorker, WorkerUsage } from '../worker-messages.ts';

export interface WorkersPlan {
  readonly count: number;
  /** The bundle of the worker process. */
  readonly module: string;
  /** V8's old space, in MB. */
  readonly heap: number;
  received(worker: number, message: Exclude<FromWorker, { readonly kind: 'ready' | 'usage' }>): void;
  /** The matches that a worker's replacement continues, which it loads from Redis. */
  lost(worker: number): readonly number[];
  /** A replacement has loaded its matches. */
  replaced(worker: number, matches: readonly LoadedMatch[]): void;
  log(sentence: string): void;
}

/** The worker processes of a server. One that ends is replaced; what is sent meanwhile waits. */
export interface Workers {
  /** Starts them; resolves to the matches that each has loaded, when all are ready. */
  start(matchesOf: (worker: number) => readonly number[]): Promise<readonly (readonly LoadedMatch[])[]>;
  send(worker: number, message: Exclude<ToWorker, { readonly kind: 'recover' | 'close' }>): void;
  /** Of all workers together. */
  usage(): {
    readonly active: number;
    readonly lost: number;
    readonly largestHeapBytes: number;
    readonly evicted: number;
    readonly redisFailures: number;
  };
  /** They write what they have acknowledged, and end. */
  close(): Promise<void>;
}

interface Slot {
  child: ChildProcess | null;
  isReady: boolean;
  waiting: ToWorker[];
  usage: WorkerUsage;
}

const NOTHING: WorkerUsage = { heapBytes: 0, evicted: 0, redisFailures: 0 };
/** A worker that ends at once must not be started again and again without a pause. */
const REPLACE_MS = 50;

export function openWorkers(plan: WorkersPlan): Workers {
  const slots: Slot[] = Array.from({ length: plan.count }, () => ({
    ...{ child: null, isReady: false, waiting: [], usage: NOTHING },
  }));
  let isClosing = false;
  let lost = 0;

  function startOne(worker: number, matches: readonly number[]): Promise<readonly LoadedMatch[]> {
    const slot = slots[worker]!;
    const child = fork(plan.module, [], {
      execArgv: [`--max-old-space-size=${plan.heap}`, '--max-semi-space-size=1'],
      env: { ...process.env, WORKER_ID: String(worker + 1) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    slot.child = child;
    slot.isReady = false;
    child.on('error', (error) => plan.log(`Worker ${worker + 1}: ${error.message}`));
    child.send({ kind: 'recover', matches } satisfies ToWorker);
    return new Promise((resolve) => {
      child.on('message', (message: FromWorker) => {
        if (message.kind === 'usage') slot.usage = message.usage;
        else if (message.kind === 'ready') {
          slot.isReady = true;
          resolve(message.matches);
          for (const one of slot.waiting.splice(0)) child.send(one);
        } else plan.received(worker, message);
      });
      child.once('exit', (code, signal) => ended(worker, signal ?? `exit code ${code}`));
    });
  }

  function ended(worker: number, how: string): void {
    const slot = slots[worker]!;
    slot.child = null;
    slot.isReady = false;
    slot.usage = NOTHING;
    if (isClosing) return;
    lost += 1;
    plan.log(`Worker ${worker + 1} ended with ${how}, and is replaced.`);
    const matches = plan.lost(worker);
    setTimeout(() => {
      if (isClosing) return;
      void startOne(worker, matches).then((found) => plan.replaced(worker, found));
    }, REPLACE_MS);
  }

  return {
    start: (matchesOf) => Promise.all(slots.map((_, worker) => startOne(worker, matchesOf(worker)))),
    send(worker, message) {
      const slot = slots[worker]!;
      if (slot.isReady) slot.child?.send(message, () => undefined);
      else slot.waiting.push(message);
    },
    usage() {
      return {
        active: slots.filter(({ isReady }) => isReady).length,
        lost,
        largestHeapBytes: Math.max(...slots.map(({ usage }) => usage.heapBytes)),
        evicted: slots.reduce((sum, { usage }) => sum + usage.evicted, 0),
        redisFailures: slots.reduce((sum, { usage }) => sum + usage.redisFailures, 0),
      };
    },
    async close() {
      isClosing = true;
      await Promise.all(
        slots.map(
          ({ child }) =>
            new Promise<void>((resolve) => {
              if (child === null) return resolve();
              child.once('exit', () => resolve());
              child.send({ kind: 'close' } satisfies ToWorker, (error) => error !== null && resolve());
            }),
        ),
      );
    },
  };
}

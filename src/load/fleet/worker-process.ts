import { messageOf } from '../../errors.ts';
import { isRecord } from '../json.ts';
import type { WorkerModule } from '../source.ts';
import { LoadWorker } from './load-worker.ts';
import { isOrder, type Report, type WorkerSetup } from './messages.ts';

/**
 * The entry of a fleet's worker process: takes orders over its channel, and ends with the channel, however the
 * fleet ended.
 */
const CLOSE_STEP_MS = 10;
const CLOSE_STEPS = 200;
const ALIVE_MS = 1_000;

let worker: LoadWorker | null = null;
/** As it is before a module could replace it. */
const exit = process.exit.bind(process);

const tell = (report: Report): void => {
  if (process.connected) process.send?.(report);
};
const refuse = (message: string): void => tell({ kind: 'refused', message, hint: null });

/** The user's own module that plays here, by its name; null where none does. */
let module: string | null = null;

const broken = (thrown: unknown): void => {
  const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : messageOf(thrown);
  if (module === null) tell({ kind: 'broken', message });
  else refuse(`the player module ${module} did not catch an error: ${message}`);
};

const isWorkerModule = (module: unknown): module is WorkerModule =>
  isRecord(module) && typeof module.openProtocol === 'function';

async function begin(setup: WorkerSetup): Promise<void> {
  const loaded: unknown = await import(setup.workerModule);
  if (!isWorkerModule(loaded))
    throw new Error(`${setup.workerModule} exports no openProtocol(setup, tools, ids)`);
  worker = new LoadWorker(setup, loaded, process, tell);
  await worker.connect();
}

/** It shares this process: what it does to it is told with its name. */
function watchModule(name: string): void {
  module = name;
  process.exit = (code) => {
    refuse(`the player module ${name} called process.exit(${code ?? ''})`);
    throw new Error('process.exit is not for a player module');
  };
}

/** The servers get a moment to agree to the end of their connections. */
function leave(): void {
  worker?.close();
  let steps = 0;
  setInterval(() => {
    steps += 1;
    if (worker === null || worker.isClosed || steps > CLOSE_STEPS) exit(0);
  }, CLOSE_STEP_MS);
}

process.on('uncaughtException', broken);
process.on('unhandledRejection', broken);
process.on('disconnect', () => exit(0));
process.on('message', (order) => {
  if (!isOrder(order)) return;
  if (order.kind === 'setup') {
    if (order.setup.module !== null) watchModule(order.setup.module.name);
    setInterval(() => tell({ kind: 'alive' }), ALIVE_MS);
    begin(order.setup).catch(broken);
  } else if (order.kind === 'go') {
    worker?.start(order.go);
  } else if (order.kind === 'stop') {
    worker?.stop();
  } else if (order.kind === 'drop') {
    worker?.drop(order);
  } else if (order.kind === 'tellLedger') {
    worker?.tellLedger(order.ask);
  } else {
    leave();
  }
});

import { CapbenchError, messageOf } from '../../errors.ts';
import { isRecord } from '../json.ts';
import type { WorkerModule } from '../source.ts';
import { foreignStack } from './foreign-stack.ts';
import { LoadWorker } from './load-worker.ts';
import { isOrder, type Report, type WorkerSetup } from './messages.ts';

/** The entry of a load worker's process: handles messages of the fleet, and ends when the channel closes. */
const CLOSE_STEP_MS = 10;
const CLOSE_STEPS = 200;
const CLOSE_SECONDS = (CLOSE_STEP_MS * CLOSE_STEPS) / 1e3;
const HEARTBEAT_MS = 1_000;
/** How long a preparation that is stopped may take to undo what it has begun. */
const PREPARE_GRACE_MS = 1_000;

let worker: LoadWorker | null = null;
/** Saved before the player module can replace it. */
const exit = process.exit.bind(process);

const send = (report: Report): void => {
  if (process.connected) process.send?.(report);
};
const refuse = (message: string, hint: string | null = null): void =>
  send({ kind: 'refused', message, hint, of: 'generator' });

/** Where capbench's own code is. */
const HERE = new URL('.', import.meta.url).href;

/** Name of the user's player module, or null. */
let module: string | null = null;

const crash = (thrown: unknown): void => {
  const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : messageOf(thrown);
  if (module === null) send({ kind: 'crashed', message });
  else refuse(`the player module ${module} did not catch an error: ${foreignStack(message, HERE)}`);
};

const isWorkerModule = (module: unknown): module is WorkerModule =>
  isRecord(module) && typeof module.openProtocol === 'function';

async function begin(setup: WorkerSetup): Promise<void> {
  const loaded: unknown = await import(setup.workerModule);
  if (!isWorkerModule(loaded))
    throw new Error(`${setup.workerModule} exports no openProtocol(setup, tools, ids)`);
  worker = new LoadWorker(setup, loaded, process, send);
  await worker.connect();
}

/** In a process of its own, which ends then. */
async function prepare(setup: WorkerSetup): Promise<void> {
  const loaded: unknown = await import(setup.workerModule);
  if (!isWorkerModule(loaded)) throw new Error(`${setup.workerModule} exports no openProtocol`);
  const ended = new AbortController();
  let grace = PREPARE_GRACE_MS;
  process.once('SIGTERM', () => {
    ended.abort();
    setTimeout(() => exit(0), grace);
  });
  try {
    const preparation = (await loaded.prepare?.(setup, log, ended.signal)) ?? null;
    send({ kind: 'prepared', preparation });
  } catch (thrown) {
    refuse(messageOf(thrown), thrown instanceof CapbenchError ? (thrown.hint ?? null) : null);
  }
  grace = 0;
}

const log = (line: string): void => void process.stdout.write(`${line}\n`);

/** The player module shares this process, so errors that it causes name it. */
function watchModule(name: string): void {
  module = name;
  process.exit = (code) => {
    refuse(`the player module ${name} called process.exit(${code ?? ''})`);
    throw new Error('a player module must not call process.exit');
  };
}

/** Gives the servers time to answer the close of their connections. */
function shutDown(): void {
  worker?.close();
  let steps = 0;
  const waiting = setInterval(() => {
    steps += 1;
    if (worker !== null && !worker.isClosed && steps <= CLOSE_STEPS) return;
    clearInterval(waiting);
    const errors = [...(worker?.lateErrors ?? [])];
    if (module === null || !process.connected) exit(0);
    if (worker?.isClosed === false)
      errors.push([`the player module ${module}: close did not end within ${CLOSE_SECONDS} s`, 1]);
    process.send?.({ kind: 'closed', errors } satisfies Report, () => exit(0));
  }, CLOSE_STEP_MS);
}

process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);
process.on('disconnect', () => exit(0));
process.on('message', (order) => {
  if (!isOrder(order)) return;
  if (order.kind === 'setup') {
    if (order.setup.module !== null) watchModule(order.setup.module.name);
    setInterval(() => send({ kind: 'heartbeat' }), HEARTBEAT_MS);
    begin(order.setup).catch(crash);
  } else if (order.kind === 'prepare') {
    if (order.setup.module !== null) watchModule(order.setup.module.name);
    prepare(order.setup).catch(crash);
  } else if (order.kind === 'go') {
    worker?.start(order.go);
  } else if (order.kind === 'stop') {
    worker?.stop();
  } else if (order.kind === 'drop') {
    worker?.drop(order);
  } else if (order.kind === 'settled') {
    worker?.settled();
  } else if (order.kind === 'readLedger') {
    worker?.readLedger(order.ask);
  } else if (order.kind === 'readTraffic') {
    worker?.readTraffic(order);
  } else {
    shutDown();
  }
});

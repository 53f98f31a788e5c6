import { messageOf } from '../../errors.ts';
import { type OpenWire, openPostWire, type WireName } from '../monster/wire.ts';
import { isOrder, type Report, type WorkerSetup } from './messages.ts';
import { Shift } from './shift.ts';

/**
 * The entry of a fleet's worker process: takes orders over its channel, and ends with the channel, however the
 * fleet ended.
 */
const CLOSE_STEP_MS = 10;
const CLOSE_STEPS = 200;

let shift: Shift | null = null;

const tell = (report: Report): void => {
  if (process.connected) process.send?.(report);
};
const broken = (thrown: unknown): void => {
  const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : messageOf(thrown);
  tell({ kind: 'broken', message });
};

/** Autocannon is loaded where it is asked for. */
async function wireOf(name: WireName): Promise<OpenWire> {
  if (name === 'undici') return openPostWire;
  return (await import('../autocannon/wire.ts')).openAutocannonWire;
}

async function begin(setup: WorkerSetup): Promise<void> {
  const wire = await wireOf(setup.wire);
  shift = new Shift(setup, process, wire, tell);
  await shift.connect();
}

/** The servers get a moment to agree to the end of their connections. */
function leave(): void {
  shift?.close();
  let steps = 0;
  setInterval(() => {
    steps += 1;
    if (shift === null || shift.isClosed || steps > CLOSE_STEPS) process.exit(0);
  }, CLOSE_STEP_MS);
}

process.on('uncaughtException', broken);
process.on('unhandledRejection', broken);
process.on('disconnect', () => process.exit(0));
process.on('message', (order) => {
  if (!isOrder(order)) return;
  if (order.kind === 'setup') {
    begin(order.setup).catch(broken);
  } else if (order.kind === 'go') {
    shift?.start(order.go);
  } else if (order.kind === 'stop') {
    shift?.stop();
  } else if (order.kind === 'drop') {
    shift?.drop(order);
  } else if (order.kind === 'tellLedger') {
    shift?.tellLedger(order.ask);
  } else {
    leave();
  }
});

import { monotonic } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { ReadyFleet } from '../load/engine.ts';
import { STREAM } from '../load/streams.ts';
import type { FaultFacts, RowFindings } from '../measurement/measurements.ts';
import type { RowErrors, Verification } from '../probe/verification.ts';
import { streamSeed } from '../rng.ts';
import type { PlannedFault } from '../scenario/workload.ts';
import type { Disturbance } from '../stack/stack.ts';
import type { Micros } from '../units.ts';
import type { OutageLog } from './outages.ts';

/** Everything that the injection of faults and the check of the rows after each need. */
export interface FaultScene {
  readonly seed: number;
  readonly go: Micros;
  /** The last due time, after GO. */
  readonly end: Micros;
  /** Null for a target, whose processes are not ours: only connections can be dropped. */
  readonly disturb: Disturbance | null;
  readonly fleet: ReadyFleet;
  readonly verification: Verification | null;
  /** The component that stores the verified rows. */
  readonly keptIn: string | null;
  readonly outages: OutageLog;
  /** Called when a fault is over, in that order. Times are on the monotonic clock. */
  readonly note: (fault: FaultFacts) => void;
}

export interface Injection {
  /** Starts no further fault; resolves when those in progress are over. */
  finish(): Promise<void>;
}

/**
 * Injects every planned fault at its time. Faults of one component wait for each other, so that a component that is down
 * is not killed again. A component that does not recover is a failure of the stack, and is recorded here.
 */
export function injectFaults(planned: readonly PlannedFault[], scene: FaultScene): Injection {
  let stopped = false;
  /** The pending waits, which `finish` ends; a signal would have hundreds of listeners. */
  const waits = new Set<(due: boolean) => void>();
  const until = (at: number): Promise<boolean> =>
    new Promise((resolve) => {
      const over = (due: boolean): void => {
        clearTimeout(timer);
        waits.delete(over);
        resolve(due);
      };
      // A timer may fire up to a millisecond early, which would put a fault into the stage before its own.
      const timer = setTimeout(() => over(true), Math.max(0, Math.ceil((at - monotonic()) / 1e3) + 1));
      waits.add(over);
    });
  const busy = new Map<string, Promise<void>>();
  const unreadable: Unreadable = { begun: 0, over: Promise.resolve() };
  const look = rowChecks(scene, unreadable);
  const all = planned.map(async (fault, index) => {
    if (!(await until(scene.go + fault.at))) return;
    const before = busy.get(fault.of) ?? Promise.resolve();
    const own = before.then(async () => {
      scene.note(stopped ? missed(fault) : await inject(fault, index, scene, look, unreadable));
    });
    busy.set(fault.of, own);
    await own;
  });
  return {
    async finish() {
      stopped = true;
      for (const over of [...waits]) over(false);
      await Promise.all(all);
    },
  };
}

/** The faults of components that the rows are read from: how many have begun, and the end of those in progress. */
interface Unreadable {
  begun: number;
  over: Promise<unknown>;
}

/**
 * Compares the rows, one comparison after the other, and returns what each finds beyond the one before. While a fault has
 * the rows' component down, it waits; a comparison that such a fault interrupts is repeated.
 *
 * What is lost is seen after a fault, which may not be its cause where faults of several components overlap. What is lost in a
 * stated window is the loss of the component that excuses it, so only the faults of such a component have any.
 */
function rowChecks(
  { verification, fleet, outages }: FaultScene,
  unreadable: Readonly<Unreadable>,
): (of: string) => Promise<RowFindings | null> {
  const isExcuse = (of: string): boolean => verification?.losses?.some((loss) => loss.of === of) === true;
  let known: RowErrors = { lost: 0, phantom: 0, duplicated: 0, holes: 0 };
  let last: Promise<RowFindings | null> = Promise.resolve(null);
  const read = async (from: Verification): Promise<RowErrors> => {
    for (;;) {
      await unreadable.over;
      const { begun } = unreadable;
      try {
        return await from.compareNow(() => fleet.ledger(), outages.all);
      } catch (error) {
        if (unreadable.begun === begun) throw error;
      }
    }
  };
  const look = async (of: string): Promise<RowFindings | null> => {
    if (verification === null) return null;
    const now = await read(verification);
    const { lostInWindow = 0 } = known;
    const found = now.lostInWindow === undefined || isExcuse(of) ? now : { ...now, lostInWindow };
    const more = (kind: keyof RowErrors): number => Math.max(0, (found[kind] ?? 0) - (known[kind] ?? 0));
    const fresh = {
      lost: more('lost'),
      phantom: more('phantom'),
      duplicated: more('duplicated'),
      holes: more('holes'),
      ...(found.lostInWindow === undefined ? {} : { lostInWindow: more('lostInWindow') }),
    };
    known = found;
    return fresh;
  };
  return (of) => {
    last = last.catch(() => null).then(() => look(of));
    return last;
  };
}

/** A fault that was still waiting for the one before it when the load ended. */
const missed = ({ id, action, of }: PlannedFault): FaultFacts => ({
  ...{ id, action, of, from: monotonic(), to: null },
  ...{ dropped: null, rows: null, error: 'the load ended while the fault before it was in progress' },
});

async function inject(
  fault: PlannedFault,
  index: number,
  scene: FaultScene,
  look: (of: string) => Promise<RowFindings | null>,
  unreadable: Unreadable,
): Promise<FaultFacts> {
  const { id, action, of, lasting, sharePercent, stage } = fault;
  const { disturb, fleet, seed } = scene;
  let facts: FaultFacts = {
    ...{ id, action, of, from: monotonic(), to: null },
    ...{ dropped: null, rows: null, error: null },
  };
  try {
    if (action === 'drop') {
      const dropped = await fleet.drop(sharePercent, streamSeed(seed, STREAM.drops, index), stage);
      return { ...facts, to: monotonic(), dropped };
    }
    if (disturb === null)
      throw new Error(`${of} belongs to a target: capbench does not ${action} its processes`);
    const end = scene.outages.begin({ of, action, from: facts.from - scene.go });
    const disturbing = disturb[action](of, lasting);
    // The rows cannot be read until this component has recovered.
    if (of === scene.keptIn || scene.verification?.losses?.some((loss) => loss.of === of)) {
      unreadable.begun += 1;
      unreadable.over = Promise.all([unreadable.over, disturbing.catch(() => undefined)]);
    }
    facts = { ...facts, ...(await disturbing) };
    end(facts.to === null || facts.forGood === true ? null : facts.to - scene.go);
    if ((facts.ended ?? facts.from) >= scene.go + scene.end) {
      const what = facts.ended === undefined ? 'it began' : 'the process ended';
      facts = { ...facts, error: `${what} only when the load was over, so nothing was tested` };
    }
    return { ...facts, rows: await look(of) };
  } catch (thrown) {
    return { ...facts, error: messageOf(thrown) };
  }
}

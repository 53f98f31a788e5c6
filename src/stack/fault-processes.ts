import { monotonic } from '../clock.ts';
import { badInput, stackFailed } from '../errors.ts';
import { continueTree, killTree, startTime, stopTree } from '../supervision/process-tree.ts';
import { pause } from '../supervision/time-limit.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import { toMillis } from '../units.ts';
import type { Disturbance, Disturbed, Stack } from './stack.ts';

/** A process of this host that faults may hit by consent (`--fault-process`). */
export interface FaultProcess {
  readonly name: string;
  readonly pid: number;
  /** startTime of supervision/process-tree.ts: the pid may be reused. */
  readonly startedAt: string;
}

/** Whether the pid is still that of the process. */
const isThere = ({ pid, startedAt }: FaultProcess): boolean => startTime(pid) === startedAt;

/**
 * The stack with named processes as further targets of its faults: `stop` sends SIGSTOP, and SIGCONT after `lasting`; `kill`
 * sends SIGKILL, and nothing starts the process again. Each is to the process and its descendants. One that was stopped is
 * continued by the watchdog, too, however capbench ends.
 * @throws CapbenchError (104) where a pid belongs to another process by now
 */
export function withFaultProcesses(
  stack: Stack,
  processes: readonly FaultProcess[],
  watchdog: Pick<Watchdog, 'guardStopped' | 'releaseStopped'>,
): Stack {
  if (processes.length === 0) return stack;
  for (const one of processes) {
    if (isThere(one)) continue;
    throw badInput(
      `--fault-process: process ${one.pid} (${one.name}) has ended, or its pid is another process's by now`,
      'start it, and name its present pid',
    );
  }
  const closing = new AbortController();
  const open = new Set<Promise<unknown>>();
  const named = (name: string): FaultProcess | undefined => processes.find((one) => one.name === name);
  const living = (one: FaultProcess): FaultProcess => {
    if (!isThere(one)) throw stackFailed(`${one.name}: process ${one.pid} has ended before the fault`);
    return one;
  };
  const kill = async (one: FaultProcess): Promise<Disturbed> => {
    const from = monotonic();
    await killTree(living(one).pid);
    return { from, to: monotonic(), forGood: true };
  };
  const stop = async (one: FaultProcess, lasting: number): Promise<Disturbed> => {
    const { pid } = living(one);
    await watchdog.guardStopped(pid);
    const from = monotonic();
    try {
      await stopTree(pid);
      await pause(toMillis(lasting), closing.signal);
    } finally {
      if (isThere(one)) continueTree(pid);
      watchdog.releaseStopped(pid);
    }
    return { from, to: monotonic() };
  };
  const watched = <T>(doing: Promise<T>): Promise<T> => {
    open.add(doing);
    void doing.catch(() => undefined).finally(() => open.delete(doing));
    return doing;
  };
  /** Of a component of the stack; null where it has none that faults could hit. */
  const own = (name: string): Disturbance => {
    if (stack.disturb === null) throw stackFailed(`${name} is not named by --fault-process`);
    return stack.disturb;
  };
  const disturb: Disturbance = {
    async kill(name, lasting) {
      const one = named(name);
      return one === undefined ? own(name).kill(name, lasting) : watched(kill(one));
    },
    async stop(name, lasting) {
      const one = named(name);
      return one === undefined ? own(name).stop(name, lasting) : watched(stop(one, lasting));
    },
    restart: async (name, lasting) => own(name).restart(name, lasting),
  };
  return {
    ...stack,
    disturb,
    async close() {
      closing.abort();
      await Promise.allSettled([...open]);
      await stack.close();
    },
  };
}

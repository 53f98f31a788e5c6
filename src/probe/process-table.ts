import { readdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { type ProcessReading, readProcess, readSmall } from '../supervision/proc.ts';

/** After this many reads the event loop gets a turn. */
const AT_ONCE = 200;

/** The pids of all processes, lowest first; none without /proc. */
export const pidsNow = (): number[] => {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter(Number.isInteger)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
};

/** Newer versions of Node name their main thread so, and with it the process. */
const NODE_THREAD = 'MainThread';

/** The program's name, without its folder and its arguments, which may hold secrets. */
function programOf(pid: number): string | null {
  const program = readSmall(`/proc/${pid}/cmdline`)?.split('\0', 1)[0]?.split('/').at(-1);
  return program === undefined || program === '' ? null : program;
}

/** A scan costs about 16 us of CPU for each process; kernel threads are read only once. */
export function openProcessTable() {
  let kernel: ReadonlySet<number> = new Set();
  const names = new Map<string, string>();

  const nameOf = ({ pid, started, command }: ProcessReading): string => {
    if (command !== NODE_THREAD) return command;
    const id = `${pid} ${started}`;
    const name = names.get(id) ?? programOf(pid) ?? command;
    names.set(id, name);
    return name;
  };

  return {
    /** All processes except kernel threads, which work for every process; empty without /proc. Lowest pids first. */
    async scan() {
      const readings: ProcessReading[] = [];
      const threads = new Set<number>();
      let read = 0;
      for (const pid of pidsNow()) {
        if (kernel.has(pid)) {
          threads.add(pid);
          continue;
        }
        const reading = readProcess(pid);
        if (reading === null) continue;
        if (reading.kernelThread) threads.add(pid);
        else readings.push({ ...reading, command: nameOf(reading) });
        read += 1;
        if (read % AT_ONCE === 0) await turn();
      }
      kernel = threads;
      return readings;
    },
    // Kernel threads are children of process 2, which is not visible in a container.
    /** Whether all processes of the host are visible. */
    complete: readProcess(2)?.kernelThread ?? false,
  };
}

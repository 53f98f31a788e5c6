import { type ProcessReading, readProcess, sizesOf } from '../supervision/proc.ts';
import { childrenOf } from '../supervision/process-tree.ts';
import { openTotal } from './total.ts';

/** What the child processes of a server add to what it reports of itself. */
export interface FamilyReading {
  /** User and system CPU of its descendants since the first reading; the share of those that ended stays. */
  readonly childCpuSeconds: number;
  /** Of the server and its descendants: the private memory of all, plus the largest shared part once. */
  readonly memoryBytes: number;
  /** The server and its descendants. */
  readonly processes: number;
  /** In each interval the CPU of the process that used most in it, since the first reading. */
  readonly busiestSeconds: number;
}

/**
 * Follows the descendants of a server's process of this host, which a server with worker processes has. `read` is null for a
 * server that has had none, and without /proc. Its counters begin again when the server was started again.
 */
export function openServerFamily(pidOf: () => number | null): { read(): FamilyReading | null } {
  let server: string | null = null;
  let children = openTotal();
  let before: ReadonlyMap<string, number> = new Map();
  let busiestSeconds = 0;
  let hasHadChildren = false;

  const startAgain = (of: string): void => {
    server = of;
    children = openTotal();
    before = new Map();
    busiestSeconds = 0;
  };

  return {
    read() {
      const pid = pidOf();
      const root = pid === null ? null : readProcess(pid);
      if (root === null) return null;
      if (idOf(root) !== server) startAgain(idOf(root));
      const descendants = livingBelow(root.pid);
      hasHadChildren ||= descendants.length > 0;
      if (!hasHadChildren) return null;
      const now = new Map([root, ...descendants].map((one) => [idOf(one), one.ownSeconds]));
      // A process counts from its second reading on.
      const grown = [...now].map(([id, used]) => used - (before.get(id) ?? used));
      busiestSeconds += Math.max(0, ...grown);
      before = now;
      return {
        childCpuSeconds: children(descendants.map((one) => [idOf(one), one.ownSeconds])),
        memoryBytes: sizesOf([root, ...descendants].map((one) => one.pid)).residentBytes,
        processes: now.size,
        busiestSeconds,
      };
    },
  };
}

/** A process, whose pid may be reused. */
export const idOf = ({ pid, started }: ProcessReading): string => `${pid} ${started}`;

/** Its descendants. */
export const livingBelow = (pid: number): readonly ProcessReading[] =>
  childrenOf(pid).flatMap((child) => {
    const reading = readProcess(child);
    return reading === null || reading.state === 'Z' ? [] : [reading, ...livingBelow(child)];
  });

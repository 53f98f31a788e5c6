import type { ProcessReading } from '../supervision/proc.ts';

/** To whom a process belongs; PostgreSQL's belong to the run, too. The named ones are of a target. */
export type Owner = 'run' | 'postgres' | 'foreign' | `process ${string}`;

/** A process outside the run, and the CPU that it and the children it waited for have used during the run. */
export interface ForeignProcess {
  readonly name: string;
  readonly pid: number;
  readonly cpuSeconds: number;
}

interface Known {
  readonly reading: ProcessReading;
  readonly owner: Owner;
  /** CPU seconds that it and the children it waited for have used since the first scan. */
  readonly used: number;
}

/** CPU seconds of an ended process that are counted already, and that the kernel will add to whichever process reaps it. */
interface Counted {
  readonly owner: Owner;
  seconds: number;
}

/** Half a tick, since sums of ticks in seconds are not exact. */
const ROUNDING = 0.005;
/** How many ended processes are remembered by name. */
const REMEMBERED = 20;

const idOf = ({ pid, started }: ProcessReading): string => `${pid} ${started}`;
const totalOf = ({ ownSeconds, reapedSeconds }: ProcessReading): number => ownSeconds + reapedSeconds;

/**
 * The CPU use of the run, of PostgreSQL and of other processes, from scans a second apart. Each process is counted while
 * it lives. The CPU between the last scan and its end, and that of a process between two scans, shows in the reaped time
 * of the process that waits for it: its growth beyond what was already counted of its ended children. An orphan is
 * reaped by init, and what was counted is deducted there.
 */
export function openCpuAccount() {
  const seconds = new Map<Owner, number>();
  const add = (owner: Owner, more: number): void => void seconds.set(owner, (seconds.get(owner) ?? 0) + more);
  let known: ReadonlyMap<string, Known> | null = null;
  let ended: ForeignProcess[] = [];
  /** Time of ended processes that no process has reaped yet. Forgotten after one more scan. */
  let unreaped: Counted[] = [];

  /** The owner of the nearest root above it; where its parent has ended, the owner it had before. */
  const ownersOf = (
    scan: readonly ProcessReading[],
    roots: ReadonlyMap<number, Owner>,
  ): Map<number, Owner> => {
    const byPid = new Map(scan.map((reading) => [reading.pid, reading]));
    const owners = new Map<number, Owner>();
    const ownerOf = (reading: ProcessReading, depth: number): Owner => {
      const settled = owners.get(reading.pid) ?? roots.get(reading.pid);
      if (settled !== undefined) return settled;
      const parent = byPid.get(reading.parent);
      const inherited = parent === undefined || depth > scan.length ? 'foreign' : ownerOf(parent, depth + 1);
      const owner = inherited === 'foreign' ? (known?.get(idOf(reading))?.owner ?? 'foreign') : inherited;
      owners.set(reading.pid, owner);
      return owner;
    };
    for (const reading of scan) owners.set(reading.pid, ownerOf(reading, 0));
    return owners;
  };

  /** The counted time of ended processes, by the nearest living ancestor; `orphaned` has none. */
  const countedOf = (gone: ReadonlyMap<string, Known>, living: ReadonlySet<number>) => {
    const goneByPid = new Map([...gone.values()].map((one) => [one.reading.pid, one.reading]));
    const byAncestor = new Map<number, Counted[]>();
    const orphaned: Counted[] = [];
    for (const { reading, owner } of gone.values()) {
      let parent = reading.parent;
      for (let climbed = 0; !living.has(parent) && climbed < gone.size; climbed++) {
        parent = goneByPid.get(parent)?.parent ?? parent;
      }
      const counted = { owner, seconds: totalOf(reading) };
      if (living.has(parent)) byAncestor.set(parent, [...(byAncestor.get(parent) ?? []), counted]);
      else orphaned.push(counted);
    }
    return { byAncestor, orphaned };
  };

  return {
    /**
     * Adds a scan of all processes.
     * @param roots the processes whose descendants belong to an owner; they may change between scans.
     * @param most CPU seconds of the whole host since the scan before.
     */
    add(scan: readonly ProcessReading[], roots: ReadonlyMap<number, Owner>, most: number) {
      const owners = ownersOf(scan, roots);
      const gone = new Map(known ?? []);
      for (const reading of scan) gone.delete(idOf(reading));
      const { byAncestor, orphaned } = countedOf(gone, new Set(scan.map(({ pid }) => pid)));

      // First from each ancestor's own growth; what is left was reaped by another process, now or by the next scan.
      const deducted = scan.map((reading) => {
        const before = known?.get(idOf(reading));
        const grown = before === undefined ? 0 : reading.reapedSeconds - before.reading.reapedSeconds;
        const own = byAncestor.get(reading.pid) ?? [];
        return { reading, before, own, rest: deduct(own, grown).rest };
      });
      const leftOver = [...orphaned, ...[...byAncestor.values()].flat()].filter(
        ({ seconds }) => seconds > ROUNDING,
      );
      const open = [...unreaped, ...leftOver];
      const now = new Map<string, Known>();
      for (const { reading, before, own, rest } of deducted) {
        const owner = owners.get(reading.pid) ?? 'foreign';
        const others = deduct(open, rest);
        const moved =
          before === undefined ? (known === null ? 0 : totalOf(reading)) : ownGrowth(before, reading);
        const inherited = Math.min(most, Math.max(0, others.rest));
        // Where a foreign process (init) reaps a process of the run, the inherited time belongs to the run.
        const inheritedOwner =
          owner === 'foreign'
            ? ([...own, ...others.reaped].find((one) => one.owner !== 'foreign')?.owner ?? owner)
            : owner;
        add(owner, moved);
        add(inheritedOwner, inherited);
        const used = (before?.used ?? 0) + moved + (inheritedOwner === owner ? inherited : 0);
        now.set(idOf(reading), { reading, owner, used });
      }
      unreaped = leftOver.filter((one) => one.seconds > ROUNDING);
      ended = [...ended, ...[...gone.values()].filter(({ owner }) => owner === 'foreign').map(foreignOf)]
        .sort(busiestFirst)
        .slice(0, REMEMBERED);
      known = now;
    },
    /** User and system CPU since the first scan. Never falls. */
    seconds: (owner: Owner) => seconds.get(owner) ?? 0,
    /** The pids of an owner's living processes, as of the last scan. */
    pids: (owner: Owner) =>
      [...(known?.values() ?? [])].filter((one) => one.owner === owner).map(({ reading }) => reading.pid),
    /** The busiest first. */
    foreign: () =>
      [...(known?.values() ?? [])]
        .filter(({ owner }) => owner === 'foreign')
        .map(foreignOf)
        .concat(ended)
        .sort(busiestFirst),
  };
}

const ownGrowth = ({ reading: before }: Known, now: ProcessReading): number =>
  Math.max(0, now.ownSeconds - before.ownSeconds);

const foreignOf = ({ reading, used }: Known): ForeignProcess => ({
  name: reading.command,
  pid: reading.pid,
  cpuSeconds: used,
});

const busiestFirst = (a: ForeignProcess, b: ForeignProcess): number => b.cpuSeconds - a.cpuSeconds;

/** Deducts counted time from the growth of reaped time, in order. Returns the rest, and whose time was deducted. */
function deduct(
  counted: readonly Counted[],
  growth: number,
): { readonly rest: number; readonly reaped: readonly Counted[] } {
  let rest = growth;
  const reaped = counted.filter((one) => {
    const taken = Math.min(Math.max(0, rest), one.seconds);
    one.seconds -= taken;
    rest -= taken;
    return taken > ROUNDING;
  });
  return { rest: rest > ROUNDING ? rest : 0, reaped };
}

export type CpuAccount = ReturnType<typeof openCpuAccount>;

import type { ProcessReading } from '../supervision/proc.ts';

/** Whose a process is. PostgreSQL's are of the run too. */
export type Owner = 'run' | 'postgres' | 'foreign';

/** A process that is not of the run, and the CPU it used while it was watched, with that of children it waited for. */
export interface ForeignProcess {
  readonly name: string;
  readonly pid: number;
  readonly cpuSeconds: number;
}

interface Known {
  readonly reading: ProcessReading;
  readonly owner: Owner;
  /** What it and those it waited for have used since they were watched. */
  readonly used: number;
}

/** What somebody who waits for a process will add to its own account: already counted here. */
interface Debt {
  readonly owner: Owner;
  seconds: number;
}

/** Half a tick: sums of ticks as seconds are not exact. */
const ROUNDING = 0.005;
/** Of those that have ended, as many are remembered by name. */
const REMEMBERED = 20;

const idOf = ({ pid, started }: ProcessReading): string => `${pid} ${started}`;
const totalOf = ({ ownSeconds, reapedSeconds }: ProcessReading): number => ownSeconds + reapedSeconds;

/**
 * Who used how much CPU, from scans a second apart. Each process is counted while it lives; what it used between the
 * last scan and its end, and all of a process that no scan has seen, arrives with whoever waited for it: the growth of
 * the waiter's reaped time beyond what was already counted of its children that are gone. Where the waiter is not the
 * parent (an orphan's is init), what was counted is taken off there.
 */
export function openCpuAccount() {
  const seconds: Record<Owner, number> = { run: 0, postgres: 0, foreign: 0 };
  let known: ReadonlyMap<string, Known> | null = null;
  let ended: ForeignProcess[] = [];
  /** Processes that are gone and have not yet been seen with anybody. Forgotten after one more scan. */
  let adrift: Debt[] = [];

  /** Nearest root above; where there is none any more (its parent ended), what it was. */
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

  /** What became of the processes that are gone: to whom they were left, and those left to nobody. */
  const debtsOf = (gone: ReadonlyMap<string, Known>, living: ReadonlySet<number>) => {
    const goneByPid = new Map([...gone.values()].map((one) => [one.reading.pid, one.reading]));
    const left = new Map<number, Debt[]>();
    const orphaned: Debt[] = [];
    for (const { reading, owner } of gone.values()) {
      let parent = reading.parent;
      for (let climbed = 0; !living.has(parent) && climbed < gone.size; climbed++) {
        parent = goneByPid.get(parent)?.parent ?? parent;
      }
      const debt = { owner, seconds: totalOf(reading) };
      if (living.has(parent)) left.set(parent, [...(left.get(parent) ?? []), debt]);
      else orphaned.push(debt);
    }
    return { left, orphaned };
  };

  return {
    /**
     * Takes in a scan of all processes.
     * @param roots whose descendants belong to whom; they may be other processes than in the scan before.
     * @param most CPU seconds that there were on the host since the scan before.
     */
    add(scan: readonly ProcessReading[], roots: ReadonlyMap<number, Owner>, most: number) {
      const owners = ownersOf(scan, roots);
      const gone = new Map(known ?? []);
      for (const reading of scan) gone.delete(idOf(reading));
      const { left, orphaned } = debtsOf(gone, new Set(scan.map(({ pid }) => pid)));

      // First each pays for its own; what they did not wait for, somebody else did: now, or (a scan takes time) next.
      const paid = scan.map((reading) => {
        const before = known?.get(idOf(reading));
        const grown = before === undefined ? 0 : reading.reapedSeconds - before.reading.reapedSeconds;
        const debts = left.get(reading.pid) ?? [];
        return { reading, before, debts, rest: pay(debts, grown).rest };
      });
      const unpaid = [...orphaned, ...[...left.values()].flat()].filter(({ seconds }) => seconds > ROUNDING);
      const open = [...adrift, ...unpaid];
      const now = new Map<string, Known>();
      for (const { reading, before, debts, rest } of paid) {
        const owner = owners.get(reading.pid) ?? 'foreign';
        const others = pay(open, rest);
        const moved =
          before === undefined ? (known === null ? 0 : totalOf(reading)) : ownGrowth(before, reading);
        const inherited = Math.min(most, Math.max(0, others.rest));
        // An outsider (init) who waited for a process of the run inherits the run's last moments.
        const heir =
          owner === 'foreign'
            ? ([...debts, ...others.payers].find((debt) => debt.owner !== 'foreign')?.owner ?? owner)
            : owner;
        seconds[owner] += moved;
        seconds[heir] += inherited;
        const used = (before?.used ?? 0) + moved + (heir === owner ? inherited : 0);
        now.set(idOf(reading), { reading, owner, used });
      }
      adrift = unpaid.filter((debt) => debt.seconds > ROUNDING);
      ended = [...ended, ...[...gone.values()].filter(({ owner }) => owner === 'foreign').map(foreignOf)]
        .sort(busiestFirst)
        .slice(0, REMEMBERED);
      known = now;
    },
    /** User and system CPU since the first scan. Never falls. */
    seconds: (owner: Owner) => seconds[owner],
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

/** Takes off what was already counted, in order: what is left of the growth, and what was taken off. */
function pay(
  debts: readonly Debt[],
  growth: number,
): { readonly rest: number; readonly payers: readonly Debt[] } {
  let rest = growth;
  const payers = debts.filter((debt) => {
    const taken = Math.min(Math.max(0, rest), debt.seconds);
    debt.seconds -= taken;
    rest -= taken;
    return taken > ROUNDING;
  });
  return { rest: rest > ROUNDING ? rest : 0, payers };
}

export type CpuAccount = ReturnType<typeof openCpuAccount>;

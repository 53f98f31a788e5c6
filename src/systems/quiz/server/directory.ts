import type { LoadedMatch } from '../worker-messages.ts';

/** A match as the server's first process knows it: who plays it, and which worker has it. */
export interface KnownMatch {
  readonly id: number;
  readonly code: string;
  readonly worker: number;
  readonly players: number[];
}

/** Where the matches of a server are. */
export class Directory {
  /** Created matches, from the first to the last acknowledgement. */
  readonly matches = new Map<number, KnownMatch>();
  private readonly byCode = new Map<string, KnownMatch>();
  private readonly byPlayer = new Map<number, KnownMatch>();
  /** By worker. */
  private readonly loads: number[];
  private readonly most: number;
  /** The most matches at once since the start. */
  peak = 0;

  constructor(workers: number, matchesPerWorker: number) {
    this.loads = new Array<number>(workers).fill(0);
    this.most = matchesPerWorker;
  }

  get active(): number {
    return this.matches.size;
  }

  /** Workers with a match. */
  get busyWorkers(): number {
    return this.loads.filter((load) => load > 0).length;
  }

  ofPlayer(player: number): KnownMatch | undefined {
    return this.byPlayer.get(player);
  }

  ofCode(code: string): KnownMatch | undefined {
    return this.byCode.get(code);
  }

  /** The matches of a worker. */
  of(worker: number): readonly KnownMatch[] {
    return [...this.matches.values()].filter((match) => match.worker === worker);
  }

  /** Takes a place at the worker with the fewest matches; null when all are full. */
  reserve(): number | null {
    let least = 0;
    for (const [worker, load] of this.loads.entries()) if (load < this.loads[least]!) least = worker;
    if (this.loads[least]! >= this.most) return null;
    this.loads[least]! += 1;
    return least;
  }

  /** Gives the place back. */
  release(worker: number): void {
    this.loads[worker]! -= 1;
  }

  /** A match at a reserved place. */
  add(match: KnownMatch): void {
    this.matches.set(match.id, match);
    this.byCode.set(match.code, match);
    for (const player of match.players) this.byPlayer.set(player, match);
    this.peak = Math.max(this.peak, this.matches.size);
  }

  join(id: number, player: number): void {
    const match = this.matches.get(id);
    if (match === undefined || match.players.includes(player)) return;
    match.players.push(player);
    this.byPlayer.set(player, match);
    this.byCode.delete(match.code);
  }

  /** Forgets a match and gives its place back. */
  remove(id: number): KnownMatch | undefined {
    const match = this.matches.get(id);
    if (match === undefined) return undefined;
    this.matches.delete(id);
    this.byCode.delete(match.code);
    for (const player of match.players) if (this.byPlayer.get(player) === match) this.byPlayer.delete(player);
    this.release(match.worker);
    return match;
  }

  /**
   * Takes over what the workers have loaded, and returns the ids of those that nobody plays any more: a player is in one match only, and
   * the newest is that in which it is.
   */
  recover(loaded: readonly (readonly LoadedMatch[])[]): readonly (readonly [worker: number, id: number])[] {
    const newest = new Map<number, number>();
    for (const { players } of loaded.flat())
      for (const { player, entry } of players) newest.set(player, Math.max(newest.get(player) ?? 0, entry));
    const old: (readonly [number, number])[] = [];
    for (const [worker, matches] of loaded.entries()) {
      for (const { id, code, players } of matches) {
        if (players.some(({ player, entry }) => entry < newest.get(player)!)) old.push([worker, id]);
        else {
          this.loads[worker]! += 1;
          this.add({ id, code, worker, players: players.map(({ player }) => player) });
        }
      }
    }
    return old;
  }
}

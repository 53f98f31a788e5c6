const NONE: ReadonlySet<number> = new Set();

/** Numbers that timed out on the connection that is open: should they be answered later, the ledger is to know. */
export class LateNumbers {
  private readonly byPlayer = new Map<number, Set<number>>();

  add(player: number, sequence: number): void {
    const known = this.byPlayer.get(player);
    if (known === undefined) this.byPlayer.set(player, new Set([sequence]));
    else known.add(sequence);
  }

  /** True when the number was late, and is no longer. */
  delete(player: number, sequence: number): boolean {
    return this.byPlayer.get(player)?.delete(sequence) ?? false;
  }

  of(player: number): ReadonlySet<number> {
    return this.byPlayer.get(player) ?? NONE;
  }

  /** The connection is over: answers to these will not come. */
  clear(player: number): void {
    this.byPlayer.delete(player);
  }
}

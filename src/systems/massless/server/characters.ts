import { FixedHistogram, geometricBounds } from '../../../server/fixed-histogram.ts';
import { counter } from '../../../server/page.ts';
import type { Character } from './character.ts';
import type { Store } from './store.ts';

interface Held {
  readonly character: Character;
  /** Players, or joins under way. */
  users: number;
}

const SECONDS = geometricBounds(0.001, 1.5, 30);

/**
 * The characters in this server's zones: loaded when their players come in, kept until they have left and are saved. Where one is
 * here, its row in PostgreSQL is older.
 */
export class Characters {
  readonly #store: Pick<Store, 'load' | 'save'>;
  readonly #held = new Map<number, Held>();
  readonly #loading = new Map<number, Promise<Held | null>>();
  readonly #counts = { saves: 0, rows: 0 };
  readonly #seconds = new FixedHistogram(SECONDS);

  constructor(store: Pick<Store, 'load' | 'save'>) {
    this.#store = store;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Keeps it here until `release`; null where there is none. Rejects with ConnectionLost while PostgreSQL is away. */
  async take(id: number): Promise<Character | null> {
    const held = this.#held.get(id) ?? (await this.#load(id));
    if (held === null) return null;
    held.users += 1;
    return held.character;
  }

  /** It stays until it is saved. */
  release(character: Character): void {
    const held = this.#held.get(character.row.id);
    if (held?.character !== character) return;
    held.users -= 1;
    if (held.users === 0 && character.row === character.saved && !character.isMoving) this.forget(character);
  }

  /** It is in a zone of another server, or is loaded again. */
  forget(character: Character): void {
    const { id } = character.row;
    if (this.#held.get(id)?.character === character) this.#held.delete(id);
  }

  /** Saves those that have changed; rejects as Store.save does. */
  async save(): Promise<void> {
    const changed = [...this.#held.values()].flatMap(({ character }) =>
      character.row === character.saved || character.isMoving ? [] : [character],
    );
    const rows = changed.map(({ row }) => row);
    const since = performance.now();
    await this.#store.save(rows);
    if (rows.length > 0) {
      this.#counts.saves += 1;
      this.#counts.rows += rows.length;
      this.#seconds.record((performance.now() - since) / 1e3);
    }
    for (const [i, character] of changed.entries()) character.saved = rows[i]!;
    for (const { character, users } of this.#held.values())
      if (users === 0 && character.row === character.saved) this.forget(character);
  }

  /** As Prometheus text. */
  render(): string {
    return [
      counter('capbench_massless_saves_total', this.#counts.saves),
      counter('capbench_massless_saved_rows_total', this.#counts.rows),
      this.#seconds.render('capbench_massless_save_seconds'),
    ].join('');
  }

  #load(id: number): Promise<Held | null> {
    const before = this.#loading.get(id);
    if (before !== undefined) return before;
    const loading = this.#store
      .load(id)
      .then((row) => {
        if (row === null) return null;
        const held: Held = { character: { row, saved: row, isMoving: false }, users: 0 };
        this.#held.set(id, held);
        return held;
      })
      .finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }
}

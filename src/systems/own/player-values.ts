import type { WorkerSetup } from '../../load/fleet/messages.ts';
import { rowsOf } from '../../load/player-data.ts';
import { MARK } from '../../secret-shapes.ts';
import type { Fill, ValueOf } from './template.ts';

/** Shorter values would be found in any text. */
const SHORTEST_SECRET = 4;

/** The values of a worker's players, by the names that texts of the scenario have in braces. */
export class PlayerValues {
  /** Of a player who has logged in. */
  readonly tokens: string[] = [];
  private readonly ids: Int32Array;
  private readonly rows: readonly (readonly string[])[];
  private readonly columns: readonly string[];
  private readonly environment: Readonly<Record<string, string>>;

  private constructor(
    ids: Int32Array,
    rows: PlayerValues['rows'],
    { data, environment }: WorkerSetup['inputs'],
  ) {
    this.ids = ids;
    this.rows = rows;
    this.columns = data?.columns ?? [];
    this.environment = environment;
  }

  /** @throws an Error when the file of data has changed */
  static async open({ inputs }: Pick<WorkerSetup, 'inputs'>, ids: Int32Array): Promise<PlayerValues> {
    return new PlayerValues(ids, inputs.data === null ? [] : await rowsOf(inputs.data, ids), inputs);
  }

  readonly of: ValueOf = (name): Fill => {
    if (name === 'player') return (player) => String(this.ids[player]);
    if (name === 'id') return (_player, sequence) => String(sequence);
    if (name === 'token') return (player) => this.tokens[player] ?? '';
    if (name.startsWith('env.')) {
      const value = this.environment[name.slice('env.'.length)] ?? '';
      return () => value;
    }
    const column = this.columns.indexOf(name);
    return (player) => this.rows[player]?.[column] ?? '';
  };

  /** What a server said to a player, without what was said to the server: it may repeat a password. */
  redacted(player: number, text: string): string {
    const secrets = [...(this.rows[player] ?? []), this.tokens[player] ?? '']
      .filter(({ length }) => length >= SHORTEST_SECRET)
      .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
      // One may be a part of another.
      .sort((a, b) => b.length - a.length);
    return secrets.reduce((clean, secret) => clean.replaceAll(secret, MARK), text);
  }
}

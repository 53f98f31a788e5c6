/** An operation of a system. Operations are counted, timed and judged by `id`. */
export interface OperationSpec {
  /** In report.json and in scenarios: `intent`. */
  readonly id: string;
  /** In `throughput.<plural>PerSecond`: `intents`. */
  readonly plural: string;
  /** In sentences, of several: `intents`. */
  readonly label: string;
  /** For terminal columns, at most 12 characters; absent: the label, cut. */
  readonly short?: string | undefined;
  readonly unit: 'ops';
  /** `player`: each player has its own schedule (load/player/); `other`: a Source of the system performs it (load/source.ts). */
  readonly actor: 'player' | 'other';
  /**
   * `schedule`: due at times that are fixed beforehand (the open part of the load); `answer`: due when a player begins it,
   * which follows from an answer (the closed part). The latter has no rate and no schedule.
   */
  readonly due: 'schedule' | 'answer';
  /** What counts as an answer, for the reader. */
  readonly answer: string;
  /** Percentage that the game itself rejects; absent: not declared. */
  readonly rejectedPercent?: number | undefined;
}

/** In a sentence, after `the`: `intents`, or `create operations` of a kind that a scenario has named. */
export const nounOf = ({ id, label }: Pick<OperationSpec, 'id' | 'label'>): string =>
  label === id ? `${id} operations` : label;

/** A value for each operation, by id. Plain data: it is sent between processes and written to files. */
export type PerOperation<T> = Readonly<Record<string, T>>;

/** Makes such a map, in the order of the operations. */
export const perOperation = <T>(
  operations: readonly Pick<OperationSpec, 'id'>[],
  of: (id: string, index: number) => T,
): PerOperation<T> => Object.fromEntries(operations.map(({ id }, index) => [id, of(id, index)]));

/** The value of an operation. @throws an Error for an unknown operation, which is a bug */
export function ofOperation<T>(map: PerOperation<T>, id: string): T {
  const found = Object.hasOwn(map, id) ? map[id] : undefined;
  if (found === undefined)
    throw new Error(`unknown operation "${id}", expected one of ${Object.keys(map).join(', ')}`);
  return found;
}

/** Maps each value, in the same order. */
export const mapOperations = <T, U>(map: PerOperation<T>, of: (value: T, id: string) => U): PerOperation<U> =>
  Object.fromEntries(Object.entries(map).map(([id, value]) => [id, of(value, id)]));

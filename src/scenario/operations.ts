/** What an operation of a system is. An operation is counted, timed and judged by its `id`, and by nothing else. */
export interface OperationSpec {
  /** In report.json and in scenarios: `intent`. */
  readonly id: string;
  /** In `throughput.<plural>PerSecond`: `intents`. */
  readonly plural: string;
  /** In sentences, of several: `intents`. */
  readonly label: string;
  /** In columns of a terminal, at most 12 characters; absent: the label, cut. */
  readonly short?: string | undefined;
  readonly unit: 'ops';
  /** `player`: due to each player by its own schedule (load/player/); `other`: a source of the system's makes them (load/source.ts). */
  readonly actor: 'player' | 'other';
  /** By a schedule that was fixed beforehand, or after an answer to what went before. */
  readonly due: 'schedule' | 'answer';
  /** What counts as an answer, in a sentence. */
  readonly answer: string;
  /** The share that the game itself refuses, in percent; absent: nobody declares that it refuses any. */
  readonly rejectedPercent?: number | undefined;
}

/** Something of each operation, by its id. Plain data: it is sent between processes and written into files. */
export type PerOperation<T> = Readonly<Record<string, T>>;

/** The one way to make such a map: in the order of the operations. */
export const perOperation = <T>(
  operations: readonly Pick<OperationSpec, 'id'>[],
  of: (id: string, index: number) => T,
): PerOperation<T> => Object.fromEntries(operations.map(({ id }, index) => [id, of(id, index)]));

/** What a map holds of an operation. @throws an Error that names an operation it does not know: a bug of ours */
export function ofOperation<T>(map: PerOperation<T>, id: string): T {
  const found = Object.hasOwn(map, id) ? map[id] : undefined;
  if (found === undefined)
    throw new Error(`nothing is known of the operation "${id}", but of ${Object.keys(map).join(', ')}`);
  return found;
}

/** A map with each value made into another, in the same order. */
export const mapOperations = <T, U>(map: PerOperation<T>, of: (value: T, id: string) => U): PerOperation<U> =>
  Object.fromEntries(Object.entries(map).map(([id, value]) => [id, of(value, id)]));

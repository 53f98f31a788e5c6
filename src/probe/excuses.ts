import type { Ledger } from '../load/engine.ts';
import type { UnsavedNumbersData } from '../load/unsaved-numbers.ts';
import type { FaultAction } from '../scenario/scenario.ts';

/** What an outage of a component may cost, as its system states. */
export interface StatedLoss {
  /** The component, as faults name it. */
  readonly of: string;
  /** How long before the outage the lost operations were acknowledged, at most; null: at any time. */
  readonly withinSeconds: number | null;
  /** Only by these faults; absent: by every fault after which its memory is another one. */
  readonly by?: readonly FaultAction[] | undefined;
}

/** A component was away. Microseconds after GO; `to` is null until it answers again. */
export interface Outage {
  readonly of: string;
  readonly action: FaultAction;
  readonly from: number;
  readonly to: number | null;
}

/** The acknowledged numbers that may be missing, by entity. */
export type ExcusableNumbers = ReadonlyMap<number, ReadonlySet<number>>;

export const NOTHING_EXCUSABLE: ExcusableNumbers = new Map();

/** Acknowledgements that were on their way when the component died arrive so much later, at most; microseconds. */
const ON_THEIR_WAY = 500_000;

/**
 * An acknowledged number is excusable by an outage of a component with a stated loss when it was acknowledged in the window
 * before the outage, and was never reported as saved. While the component is away nothing that is acknowledged can depend on
 * it. A component that was only stopped has lost nothing.
 */
function isExcused(losses: readonly StatedLoss[], outages: readonly Outage[]): (at: number) => boolean {
  const windows = outages.flatMap(({ of, action, from }) =>
    losses
      .filter((loss) => loss.of === of && action !== 'stop' && loss.by?.includes(action) !== false)
      .map(({ withinSeconds }) => ({
        from: withinSeconds === null ? Number.NEGATIVE_INFINITY : from - withinSeconds * 1e6,
        to: from + ON_THEIR_WAY,
      })),
  );
  return (at) => windows.some(({ from, to }) => at >= from && at <= to);
}

/** Triples [entity, number, at], as objects. */
const triplesOf = (data: Float64Array): { entity: number; number: number; at: number }[] =>
  Array.from({ length: data.length / 3 }, (_, i) => ({
    entity: data[3 * i]!,
    number: data[3 * i + 1]!,
    at: data[3 * i + 2]!,
  }));

export function excusableNumbers(
  levels: UnsavedNumbersData | undefined,
  losses: readonly StatedLoss[],
  outages: readonly Outage[],
): ExcusableNumbers {
  if (levels === undefined || losses.length === 0 || outages.length === 0) return NOTHING_EXCUSABLE;
  const excused = isExcused(losses, outages);
  const numbers = new Map<number, Set<number>>();
  for (const { entity, number, at } of [...triplesOf(levels.unsaved), ...triplesOf(levels.forgotten)]) {
    if (excused(at)) numbers.set(entity, (numbers.get(entity) ?? new Set()).add(number));
  }
  return numbers;
}

/** The welcomes that contradict the record: an unsaved number that a welcome lacks is a loss unless an outage excuses it. */
export function welcomeBreaches(
  { breaches, levels }: Pick<Ledger, 'breaches' | 'levels'>,
  losses: readonly StatedLoss[],
  outages: readonly Outage[],
): Ledger['breaches'] {
  const excused = isExcused(losses, outages);
  const lost = triplesOf(levels?.forgotten ?? new Float64Array(0)).filter(({ at }) => !excused(at));
  const examples = lost.map(
    ({ entity, number, at }) =>
      `entity ${entity}: welcomed without number ${number}, which was acknowledged at ${(at / 1e6).toFixed(1)} s`,
  );
  return {
    ...breaches,
    forgotten: breaches.forgotten + lost.length,
    examples: [...breaches.examples, ...examples].slice(0, MOST_EXAMPLES),
  };
}

const MOST_EXAMPLES = 10;

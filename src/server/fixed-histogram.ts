/** A histogram with fixed buckets by inclusive upper bound, as in Prometheus; the last bucket is unbounded. */
export class FixedHistogram {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(ascendingBounds: readonly number[]) {
    this.#bounds = ascendingBounds;
    this.#counts = new Float64Array(ascendingBounds.length + 1);
  }

  record(value: number, times = 1): void {
    let low = 0;
    let high = this.#bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= this.#bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    this.#counts[low]! += times;
    this.#sum += value * times;
  }

  /** As Prometheus text, with cumulative counts. */
  render(name: string): string {
    let cumulative = 0;
    let text = `# TYPE ${name} histogram\n`;
    for (let i = 0; i < this.#counts.length; i++) {
      cumulative += this.#counts[i]!;
      text += `${name}_bucket{le="${this.#bounds[i] ?? '+Inf'}"} ${cumulative}\n`;
    }
    return `${text}${name}_sum ${this.#sum}\n${name}_count ${cumulative}\n`;
  }
}

/** first, first x factor, first x factor^2 ... up to the first bound that reaches `last`; four significant digits. */
export function geometricBounds(first: number, factor: number, last: number): number[] {
  const bounds: number[] = [];
  for (let bound = first; bounds.length === 0 || (bounds.at(-1) ?? 0) < last; bound *= factor) {
    bounds.push(Number(bound.toPrecision(4)));
  }
  return bounds;
}

import { isSame, type Spot } from './area.ts';

/** So many of its last moves are kept; a world that forgets more is told apart by its numbers. */
const MOST_MOVES = 512;

interface Step extends Spot {
  readonly number: number;
  /** It was acknowledged; without that it may have been applied or not. */
  isApplied: boolean;
}

/** The moves of one agent over all of its connections, so that a world that goes on has to go on at the right spot. */
export class Trail {
  /** Where it stood before the first of them; null where that is not kept any more. */
  #start: Spot | null = null;
  #isNew = true;
  #steps: Step[] = [];

  sent(number: number, { x, z }: Spot): void {
    this.#steps.push({ number, x, z, isApplied: false });
    if (this.#steps.length <= MOST_MOVES) return;
    this.#steps.shift();
    this.#start = null;
  }

  applied(number: number): void {
    const step = this.#steps.findLast((one) => one.number === number);
    if (step !== undefined) step.isApplied = true;
  }

  refused(number: number): void {
    this.#steps = this.#steps.filter((one) => one.number !== number);
  }

  /**
   * A world has welcomed the agent: it has its commands up to the number `last`, and those beyond are void. Returns what is wrong
   * with the spot, or null.
   */
  welcomed(last: number, spot: Spot): string | null {
    if (this.#isNew) {
      [this.#isNew, this.#start] = [false, spot];
      return null;
    }
    this.#steps = this.#steps.filter(({ number }) => number <= last);
    for (const step of this.#steps.toReversed()) {
      if (isSame(step, spot)) return null;
      if (step.isApplied)
        return `its move ${step.number} led to ${step.x}, ${step.z}, and it is welcome at ${spot.x}, ${spot.z}`;
    }
    if (this.#start === null || isSame(this.#start, spot)) return null;
    return `it began at ${this.#start.x}, ${this.#start.z}, and is welcome at ${spot.x}, ${spot.z}`;
  }
}

import { MULBERRY_STEP, mulberry32, streamSeed } from '../../rng.ts';
import { STREAM } from '../streams.ts';

/** Draws choices by weight, from a random stream for each player. HOT. */
export class WeightedChoice {
  /** Cumulative shares of the choices. */
  private readonly ends: Float64Array;
  private readonly state: Int32Array;

  /** `set` tells several sets of choices of the same players apart, from 0. */
  constructor(choices: readonly { readonly weight: number }[], seed: number, ids: Int32Array, set = 0) {
    const total = choices.reduce((sum, { weight }) => sum + weight, 0);
    let sum = 0;
    this.ends = Float64Array.from(choices, ({ weight }) => {
      sum += weight;
      return sum / total;
    });
    this.state = Int32Array.from(ids, (id) =>
      set === 0 ? streamSeed(seed, STREAM.choice, id) : streamSeed(seed, STREAM.choice, id, set),
    );
  }

  /** The index of the player's next choice. */
  draw(player: number): number {
    const state = (this.state[player]! + MULBERRY_STEP) | 0;
    this.state[player] = state;
    const share = mulberry32(state);
    const { ends } = this;
    let choice = 0;
    while (choice < ends.length - 1 && share >= ends[choice]!) choice++;
    return choice;
  }
}

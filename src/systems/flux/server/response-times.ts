import { performance } from 'node:perf_hooks';
import type { FixedHistogram } from '../../../server/fixed-histogram.ts';
import type { OperationQueue } from './operation-queue.ts';

/** Measures response times: when the operations of the batch in flight were received, run-length encoded, since the commands of a post have one time. */
export class ResponseTimes {
  readonly #times: Float64Array;
  readonly #lengths: Int32Array;
  #runs = 0;

  constructor(batchOperations: number) {
    this.#times = new Float64Array(batchOperations);
    this.#lengths = new Int32Array(batchOperations);
  }

  /** Notes the times of receipt of the `count` oldest operations. */
  begin(queue: OperationQueue, count: number): void {
    this.#runs = 0;
    for (let i = 0; i < count; i++) {
      const arrived = queue.arrived[queue.slot(i)]!;
      if (this.#runs > 0 && this.#times[this.#runs - 1] === arrived) {
        this.#lengths[this.#runs - 1]! += 1;
      } else {
        this.#times[this.#runs] = arrived;
        this.#lengths[this.#runs] = 1;
        this.#runs++;
      }
    }
  }

  /** Records the response times: the operations are answered now. */
  end(seconds: FixedHistogram): void {
    const now = performance.now();
    for (let run = 0; run < this.#runs; run++) {
      seconds.record((now - this.#times[run]!) / 1e3, this.#lengths[run]!);
    }
  }
}

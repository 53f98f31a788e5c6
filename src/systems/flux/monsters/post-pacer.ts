import type { WorkerSetup } from '../../../load/fleet/messages.ts';
import { OperationalTime } from '../../../load/operational-time.ts';
import { toMicros } from '../../../load/pacer.ts';
import { MULBERRY_STEP, mulberry32, streamSeed } from '../../../rng.ts';
import type { Workload } from '../../../scenario/workload.ts';
import { FLUX_STREAM, type FluxWorkload } from '../workload.ts';
import { lanesOf, workerOfLane } from './lanes.ts';

type PostPlan = Pick<Workload, 'seed' | 'timeline'> &
  Partial<Pick<Workload, 'players'>> &
  Pick<FluxWorkload, 'monsters' | 'postRate'>;

/**
 * One worker's part of the schedule of posts: post k belongs to lane k mod lanes. Every due time is computed from k only, so a
 * worker skips the posts of others without drawing random numbers.
 */
export class PostPacer {
  /** The post that is due next. */
  post = -1;
  lane = -1;
  /** Infinity when none is left before the end. */
  due = 0;
  private readonly rate: number;
  private readonly time: OperationalTime;
  private readonly end: number;
  private readonly seed: number;
  private readonly lanes: number;
  private readonly share: Pick<WorkerSetup, 'worker' | 'workers'>;

  constructor(plan: PostPlan, share: PostPacer['share']) {
    const { seed, timeline, players, monsters } = plan;
    this.rate = plan.postRate;
    this.time = new OperationalTime(timeline, players);
    this.end = timeline.end;
    this.seed = streamSeed(seed, FLUX_STREAM.post);
    this.lanes = lanesOf(monsters);
    this.share = share;
    this.advance();
  }

  advance(): void {
    const { worker, workers } = this.share;
    if (this.rate <= 0 || this.lanes === 0 || worker >= this.lanes) {
      this.due = Number.POSITIVE_INFINITY;
      return;
    }
    do {
      this.post += 1;
      this.lane = this.post % this.lanes;
    } while (workerOfLane(this.lane, workers) !== worker);
    const jitter = mulberry32((this.seed + Math.imul(this.post + 1, MULBERRY_STEP)) | 0);
    const due = toMicros(this.time.wallAt((this.post + jitter) / this.rate));
    this.due = due < this.end ? due : Number.POSITIVE_INFINITY;
  }
}

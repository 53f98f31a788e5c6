import type { LoadSecond } from '../load/engine.ts';

/** The steps of a run, in order (R2). */
export type Phase =
  | 'calibrate'
  | 'stack'
  | 'ceilings'
  | 'connect'
  | 'ramp'
  | 'warm-up'
  | 'measure'
  | 'drain'
  | 'verify'
  | 'close';

/** Who wants to see the run while it goes on. */
export interface Observer {
  phase(phase: Phase): void;
  second(second: LoadSecond): void;
}

/** `stop`: no more load, drain and verify. `abort`: leave everything and close. */
export interface StopSignals {
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
}

/** What ends a run from outside of its story; `crash` settles with what was thrown where nobody could catch it. */
export interface RunSignals extends StopSignals {
  readonly crash: Promise<unknown>;
}

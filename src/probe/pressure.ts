import { readSmall } from '../supervision/proc.ts';

/** Pressure stall totals of the host (PSI), in seconds since the boot; null where the kernel keeps none. */
export interface Pressure {
  /** Every task that could work was waiting for memory. */
  readonly memoryFullSeconds: number | null;
  /** Some task was ready to run and had no CPU. */
  readonly cpuSomeSeconds: number | null;
}

/** `full avg10=0.00 avg60=0.00 avg300=0.00 total=51018256`: the total is in microseconds. */
export function stalledSeconds(text: string | null, line: 'some' | 'full'): number | null {
  const total = new RegExp(`^${line} .*total=(\\d+)$`, 'm').exec(text ?? '')?.[1];
  return total === undefined ? null : Number(total) / 1e6;
}

export const pressure = (): Pressure => ({
  memoryFullSeconds: stalledSeconds(readSmall('/proc/pressure/memory'), 'full'),
  cpuSomeSeconds: stalledSeconds(readSmall('/proc/pressure/cpu'), 'some'),
});

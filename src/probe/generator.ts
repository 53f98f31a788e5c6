import { percentileOf } from '../histogram.ts';
import { type LoadSecond, type LoadSlice, TRAFFIC } from '../load/engine.ts';
import { toMillis } from '../units.ts';
import type { Sample } from './probe.ts';

/** The counts of each second that become series. */
export const COUNTED = ['scheduled', 'ok', 'rejected', 'failed', 'timedOut', 'skipped'] as const;

/** Turns each second of the load into samples. Counters are summed here, from zero. */
export function generatorSamples(): (second: LoadSecond) => Sample[] {
  const totals = new Map<string, number>();
  const counter = (series: string, delta: number): Sample => {
    const value = (totals.get(series) ?? 0) + delta;
    totals.set(series, value);
    return { series, kind: 'counter', value };
  };
  const gauge = (series: string, value: number): Sample => ({ series, kind: 'gauge', value });

  return (second) => {
    const traffic = TRAFFIC.map((name) => counter(`load.${name}`, second[name]));
    if (second.sockets !== null) {
      traffic.push(gauge('load.connections', second.sockets.open));
      traffic.push(counter('load.handshakes', second.sockets.handshakes));
    }
    const samples: Sample[] = [
      gauge('load.connected', second.connected),
      // Without a worker's part, a total is none.
      ...((second.missing ?? 0) > 0 ? [] : traffic),
    ];
    for (const [name, operation] of Object.entries(second.operations)) {
      for (const outcome of COUNTED) samples.push(counter(`load.${name}.${outcome}`, operation[outcome]));
      const idle = `load.${name}.idle`;
      if (operation.idle > 0 || totals.has(idle)) samples.push(counter(idle, operation.idle));
      samples.push(gauge(`load.${name}.inFlight`, operation.inFlight));
      for (const p of [50, 95, 99]) {
        const value = percentileOf(operation.due, p);
        if (value !== null) samples.push(gauge(`load.${name}.p${p}Ms`, toMillis(value)));
      }
    }
    second.workers.forEach((worker, index) => {
      if (worker === null) return;
      const { memoryBytes, cpuSeconds } = worker;
      if (memoryBytes !== null) samples.push(gauge(`generator.${index}.memoryBytes`, memoryBytes));
      if (cpuSeconds !== null) samples.push(counter(`generator.${index}.cpuSeconds`, cpuSeconds));
      if (!('utilisation' in worker)) return;
      samples.push(
        gauge(`generator.${index}.loopDelayMs`, worker.maxLoopDelayMs),
        gauge(`generator.${index}.stalledMs`, worker.stalledMs),
        gauge(`generator.${index}.utilisation`, worker.utilisation),
      );
      if (worker.waitedSeconds !== null) {
        samples.push(counter(`generator.${index}.waitedSeconds`, worker.waitedSeconds));
      }
    });
    return samples;
  };
}

/** The samples of one slice, a fifth of a second, whose time is its end. */
export const sliceSamples = (slice: LoadSlice): Sample[] =>
  Object.entries(slice.operations).flatMap(([name, { answered, p95 }]) => {
    const gauge = (series: string, value: number): Sample => ({ series, kind: 'gauge', value });
    return [
      gauge(`load.${name}.slice.answered`, answered),
      ...(p95 === null ? [] : [gauge(`load.${name}.slice.p95Ms`, toMillis(p95))]),
    ];
  });

import { DEFAULT_METRICS, type GateSettings } from '../scenario/gate.ts';
import { selects } from './metric.ts';

/** What decides whether a version is worse than another. */
export interface Gate {
  /** A change for the worse beyond this is a regression. */
  readonly thresholdPercent: number;
  /** Family-wise: of all metrics that decide together. */
  readonly confidencePercent: number;
  /** Names of metrics, or of families of them (metric.ts). */
  readonly metrics: readonly string[];
}

/** What decides where nothing else is said: figures that differ little from run to run. */
export const DEFAULT_GATE: Gate = {
  ...{ thresholdPercent: 5, confidencePercent: 99 },
  metrics: [
    ...['cpuPerOperation', 'answeredPercent', 'rowWritesPerOperation', 'bytesPerOperation'],
    'memoryPerPlayer',
  ],
};

/** The gate of a scenario (null: it has none), with what the command line says instead. */
export function gateOf(settings: GateSettings | null, flags: Partial<Gate> = {}): Gate {
  const { threshold, confidence, metrics: named = [DEFAULT_METRICS] } = settings ?? {};
  const percent = (text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : Number.parseFloat(text);
  const metrics = (flags.metrics ?? named).flatMap((one) =>
    one === DEFAULT_METRICS ? DEFAULT_GATE.metrics : [one],
  );
  return {
    thresholdPercent: flags.thresholdPercent ?? percent(threshold, DEFAULT_GATE.thresholdPercent),
    confidencePercent: flags.confidencePercent ?? percent(confidence, DEFAULT_GATE.confidencePercent),
    metrics: [...new Set(metrics)],
  };
}

/** Whether a change of this metric decides. */
export const isGated = ({ metrics }: Pick<Gate, 'metrics'>, name: string): boolean =>
  metrics.some((selector) => selects(selector, name));

import { z } from 'zod';
import { type Finding, findingAt } from './finding.ts';
import { list, map, word } from './leaf.ts';
import { nearest } from './nearest.ts';
import type { OperationSpec } from './operations.ts';

/** Metrics whose change may decide whether a version is worse, by the first part of their names (compare/metric.ts). */
export const GATE_METRICS = [
  ...['cpuPerOperation', 'answeredPercent', 'rowWritesPerOperation', 'bytesPerOperation', 'memoryPerPlayer'],
  ...['operationsPerSecond', 'latencyP95', 'latencyP99'],
] as const;

/** Stands for the metrics that decide where a gate names none. */
export const DEFAULT_METRICS = 'default';

export const GATE_METRIC = `${DEFAULT_METRICS}, ${GATE_METRICS.join(', ')}, or one of several: cpuPerOperation.database, latencyP95.intent`;
const PATTERN = new RegExp(String.raw`^(?:${DEFAULT_METRICS}|(?:${GATE_METRICS.join('|')})(?:\.[\w-]+)?)$`);
const MOST_METRICS = 100;

/** Whether it is the name of metrics that may decide. */
export const isGateMetric = (name: string): boolean => PATTERN.test(name);

/** Percent: below the first number noise would decide, and beyond the second nothing does. */
export const THRESHOLD = [0.1, 90] as const;
export const CONFIDENCE = [80, 99.99] as const;

/** `5%`. A text, which a bundle's scenario holds as it was read. */
function percentage([least, most]: readonly [number, number]) {
  const error = `a percentage of ${least}% to ${most}%, such as ${most > 95 ? 99 : 5}%`;
  return z
    .string({ error })
    .regex(/^\d+(?:\.\d+)?%$/, { error })
    .refine((text) => Number.parseFloat(text) >= least && Number.parseFloat(text) <= most, { error });
}

/** `gate:` of a scenario. Without defaults, so that the hash of a scenario that does not name it stays the same. */
export const gateSchema = map({
  threshold: percentage(THRESHOLD)
    .optional()
    .describe('A change for the worse beyond this is a regression. Default: 5%'),
  confidence: percentage(CONFIDENCE)
    .optional()
    .describe('How sure a regression has to be, of all metrics that decide together. Default: 99%'),
  metrics: list(word(PATTERN, GATE_METRIC), MOST_METRICS, 'metrics', 1)
    .optional()
    .describe('What decides. Default: [default]'),
});

export type GateSettings = Readonly<z.output<typeof gateSchema>>;

/** Latencies of operations that the scenario does not have: such a gate would never come to a conclusion. */
export const gateFindings = (
  { metrics = [] }: GateSettings = {},
  operations: readonly Pick<OperationSpec, 'id'>[],
): readonly Finding[] =>
  metrics.flatMap((name, i) => {
    const operation = /^latencyP\d+\.(.+)$/.exec(name)?.[1];
    const ids = operations.map(({ id }) => id);
    if (operation === undefined || ids.includes(operation)) return [];
    const near = nearest(operation, ids);
    return [
      findingAt(
        ['gate', 'metrics', i],
        `got the operation "${operation}", expected one of ${ids.join(', ')}`,
        near === undefined ? null : `did you mean "${near}"?`,
      ),
    ];
  });

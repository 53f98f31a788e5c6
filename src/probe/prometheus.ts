/** One line of the Prometheus text format: a name, its labels as they stand, and a value. */
export interface Metric {
  readonly name: string;
  /** `reason="time"`, or the empty string. */
  readonly labels: string;
  readonly value: number;
}

/** Reads the Prometheus text exposition format; lines that are comments or no metric are passed over. */
export function parsePrometheus(text: string): Metric[] {
  const metrics: Metric[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const open = line.indexOf('{');
    const close = line.lastIndexOf('}');
    const labelled = open !== -1 && close > open;
    const end = labelled ? close + 1 : line.indexOf(' ');
    if (end <= 0) continue;
    const value = Number(line.slice(end).trim().split(' ')[0]);
    if (Number.isNaN(value)) continue;
    metrics.push({
      name: labelled ? line.slice(0, open) : line.slice(0, end),
      labels: labelled ? line.slice(open + 1, close) : '',
      value,
    });
  }
  return metrics;
}

/** Cumulative `le` buckets of one histogram as bounds and cumulative counts, in the order of the text. */
export function bucketsOf(
  metrics: readonly Metric[],
  name: string,
): { readonly bounds: readonly number[]; readonly cumulative: readonly number[] } {
  const bounds: number[] = [];
  const cumulative: number[] = [];
  for (const metric of metrics) {
    if (metric.name !== `${name}_bucket`) continue;
    const bound = /le="([^"]+)"/.exec(metric.labels)?.[1];
    if (bound === undefined) continue;
    bounds.push(bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound));
    cumulative.push(metric.value);
  }
  return { bounds, cumulative };
}

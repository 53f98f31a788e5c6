import { HistogramLogWriter } from 'hdr-histogram-js';
import { toHdr } from '../hdr-histogram.ts';
import { countOf } from '../histogram.ts';
import type { Measurements } from '../measurement/measurements.ts';

const KINDS = ['due', 'service', 'lag'] as const;

/**
 * `histograms/<op>-<kind>.hlog`: each histogram of the measure phase as one interval in HdrHistogram's log
 * format, in microseconds; the column of the maximum is in milliseconds. Those without a value are left out.
 */
export function histogramLogs(m: Measurements, scale: number): ReadonlyMap<string, string> {
  const logs = new Map<string, string>();
  const from = m.measured?.from ?? 0;
  const to = m.measured?.to ?? 0;
  // The time of GO; the intervals count from there.
  const start = Date.parse(m.startedAt) + 1000 * (m.phases.go ?? 0);
  for (const [op, facts] of Object.entries(m.operations)) {
    for (const kind of KINDS) {
      const data = facts[kind];
      if (countOf(data) === 0) continue;
      let text = '';
      const writer = new HistogramLogWriter((line) => {
        text += line;
      });
      writer.outputComment(`[${op}, ${kind}: microseconds; scale ${scale}]`);
      writer.outputLogFormatVersion();
      writer.outputComment(
        `[StartTime: ${(start / 1000).toFixed(3)} (seconds since epoch), ${new Date(start).toISOString()}]`,
      );
      writer.outputLegend();
      writer.outputIntervalHistogram(toHdr(data), from, to, 1000);
      logs.set(`histograms/${op}-${kind}.hlog`, text);
    }
  }
  return logs;
}

import type { Measurements } from '../measurement/measurements.ts';
import { plain } from './plain-text.ts';
import { type Labels, type Metric, seriesMetrics, verdictMetrics } from './prometheus-metrics.ts';
import type { Report } from './report.ts';

/**
 * A run in Prometheus' text format 0.0.4, without times, as the textfile collector of node_exporter requires: the verdict,
 * the latency of the measure phase, counters at the end of the run, and gauges at the end of the measure phase.
 */
export function prometheusText(m: Measurements, report: Report): string {
  const until = m.measured?.to ?? Number.POSITIVE_INFINITY;
  const ofSeries = seriesMetrics(m, report).flatMap((metric): Metric[] => {
    // A percentile of the last second says nothing of the run.
    if (metric.labels.quantile !== undefined) return [];
    const last =
      metric.type === 'counter' ? metric.points.at(-1) : metric.points.findLast(([at]) => at <= until);
    return last === undefined ? [] : [{ ...metric, points: [last] }];
  });
  // All lines of a name stand together.
  const families = new Map<string, Metric[]>();
  for (const metric of [...verdictMetrics(m, report), ...ofSeries])
    families.set(metric.name, [...(families.get(metric.name) ?? []), metric]);
  return [...families.values()].map(familyText).join('');
}

function familyText(family: readonly Metric[]): string {
  const [first] = family;
  if (first === undefined) return '';
  const { name, type, help } = first;
  const lines = family.flatMap(({ labels, suffix, points }) =>
    points.map(
      ([, value]) => `${name}${suffix === undefined ? '' : `_${suffix}`}${labelsText(labels)} ${value}`,
    ),
  );
  return [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

const labelsText = (labels: Labels): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(plain(value)).replaceAll('"', '\\"')}"`)
    .join(',')}}`;

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

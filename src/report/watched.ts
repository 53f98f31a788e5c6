import type { MetricFigures } from '../measurement/figures.ts';
import { metricAt } from '../scenario/budget.ts';
import { row, table } from './markup.ts';
import { bytesText, numberText, quantity } from './quantity.ts';
import type { Report } from './report.ts';

type Watched = Pick<Report, 'watch' | 'target' | 'absences'>;

const STATISTICS = [
  ...(['mean', 'min', 'max', 'last', 'rate', 'increase'] as const),
  ...(['p50', 'p90', 'p95', 'p99', 'count'] as const),
];

const isKnown = (figures: MetricFigures | undefined): figures is MetricFigures =>
  figures !== undefined && STATISTICS.some((stat) => figures[stat] !== null);

/** The unit that the name of a metric has, by Prometheus' conventions; null where it has none. */
export function unitOf(name: string, stat: string | null = null): string | null {
  const { unit = 'any' } = metricAt(new Map(), `target.metrics.${name}`, stat) ?? {};
  return unit === 'any' ? null : unit;
}

/** A figure in the unit of its metric. */
function textOf(name: string, stat: (typeof STATISTICS)[number], value: number): string {
  const unit = stat === 'count' ? null : unitOf(name, stat);
  if (unit === 'bytes' || unit === 'bytes/s') return bytesText(value, unit === 'bytes/s');
  return unit === null ? numberText(value) : quantity(value, unit);
}

const rateText = (name: string, value: number): string =>
  unitOf(name, 'rate') === null ? `${numberText(value)}/s` : textOf(name, 'rate', value);

/** A metric that `watch:` names, with its figures; or why there are none. */
function watchedOf({ watch = [], target, absences }: Watched) {
  return watch.map((name) => {
    const figures = Object.hasOwn(target.metrics, name) ? target.metrics[name] : undefined;
    const path = `target.metrics.${name}`;
    const absence =
      absences.find(({ of }) => of === path) ?? absences.find(({ of }) => path.startsWith(`${of}.`));
    return isKnown(figures)
      ? { name, figures, why: null }
      : { name, figures: null, why: absence?.because ?? 'no page was read' };
  });
}

/** In words, by name; a statistic that the metric does not have is left out. */
export const watchedValues = (
  report: Watched,
): readonly (readonly [name: string, values: readonly string[]])[] =>
  watchedOf(report).map(({ name, figures, why }) => [
    name,
    figures === null
      ? [why ?? '']
      : STATISTICS.flatMap((stat) => {
          const value = figures[stat];
          if (value === null) return [];
          return [stat === 'rate' ? rateText(name, value) : `${stat} ${textOf(name, stat, value)}`];
        }),
  ]);

/** The metrics that `watch:` names and that have no figures: a wrong name is easily missed. */
export const unwatchedNotes = (report: Watched): readonly string[] =>
  watchedOf(report).flatMap(({ name, why }) =>
    why === null ? [] : [`watch: ${name} has no figures: ${why}`],
  );

/** The table of a page; none where nothing is watched. */
export function watchedTable(report: Watched): string[] {
  const rows = watchedOf(report).map(({ name, figures, why }) =>
    row([
      why === null ? name : `${name}: ${why}`,
      ...STATISTICS.map((stat) =>
        figures === null || figures[stat] === null ? '' : textOf(name, stat, figures[stat]),
      ),
    ]),
  );
  const head = ['', ...STATISTICS.map((stat) => (stat === 'rate' ? 'per second' : stat))];
  return rows.length === 0 ? [] : [table(head, rows, 'numbers')];
}

import type { MetricFigures } from '../measurement/figures.ts';
import { row, table } from './markup.ts';
import { cellText, numberText } from './quantity.ts';
import type { Report } from './report.ts';

type Watched = Pick<Report, 'watch' | 'target' | 'absences'>;

const STATISTICS = [
  ...(['mean', 'min', 'max', 'last', 'rate', 'increase'] as const),
  ...(['p50', 'p90', 'p95', 'p99', 'count'] as const),
];

const isKnown = (figures: MetricFigures | undefined): figures is MetricFigures =>
  figures !== undefined && STATISTICS.some((stat) => figures[stat] !== null);

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
          return [stat === 'rate' ? `${numberText(value)}/s` : `${stat} ${numberText(value)}`];
        }),
  ]);

/** The table of a page; none where nothing is watched. */
export function watchedTable(report: Watched): string[] {
  const rows = watchedOf(report).map(({ name, figures, why }) =>
    row([
      why === null ? name : `${name}: ${why}`,
      ...STATISTICS.map((stat) =>
        figures === null || figures[stat] === null ? '' : cellText(figures[stat]),
      ),
    ]),
  );
  const head = ['', ...STATISTICS.map((stat) => (stat === 'rate' ? 'per second' : stat))];
  return rows.length === 0 ? [] : [table(head, rows, 'numbers')];
}

import type { HistoryMetric, HistoryReport, Series } from '../compare/history.ts';
import { counted } from '../units.ts';
import { bytesText, numberText, quantity } from './quantity.ts';
import { timeText } from './report-text.ts';

/** `quickstart: 34 runs on Intel Xeon, 2 cores` */
export const seriesTitle = ({ scenario, runs, identity }: Series): string =>
  `${scenario}: ${counted(runs.length, 'run')} on ${identity.CPU ?? 'an unknown CPU'}, ${identity.cores ?? '?'} cores`;

/** From the first run to the newest. */
export function spanText({ runs }: Series): string {
  const [first, last] = [runs.at(0), runs.at(-1)];
  if (first === undefined || last === undefined) return '';
  const commit = last.commit === null ? '' : `, ${shortCommit(last.commit)}`;
  return `${first.startedAt.slice(0, 10)} to ${timeText(last.startedAt)}${commit}`;
}

export const shortCommit = (commit: string): string => commit.slice(0, 8);

/** Of the last runs, or of the newest one. */
export const latestText = ({ values, unit }: HistoryMetric): string =>
  figureText(values.findLast((value) => value !== null) ?? null, unit);

/** Bytes in the unit that keeps them readable. */
export const figureText = (value: number | null, unit: string): string =>
  unit === 'bytes' ? bytesText(value) : quantity(value, unit);

/** `+12.3%`; from 0 there is no percentage. */
export function percentText(change: HistoryMetric['changes'][number]): string {
  const { changePercent } = change;
  if (changePercent === null) return 'from 0';
  return `${changePercent > 0 ? '+' : ''}${numberText(changePercent)}%`;
}

/** `+12.3% since 3f2a1c9d (3 runs), 1 before`; of a metric without a change, or with too few runs, that. */
export function changesText(metric: HistoryMetric, runs: number): string {
  const { changes, ruling, values } = metric;
  const newest = changes.at(-1);
  if (newest === undefined) {
    const known = values.filter((value) => value !== null).length;
    return ruling === 'too few runs' ? `${counted(known, 'run')}: too few` : 'no change';
  }
  const earlier = changes.length === 1 ? '' : `, ${numberText(changes.length - 1)} before`;
  const since = newest.commit === null ? newest.startedAt.slice(0, 10) : shortCommit(newest.commit);
  return `${percentText(newest)} since ${since} (${counted(runs - newest.run, 'run')})${earlier}`;
}

/** What a reader should know of the figures. */
export function historyNotes({
  series,
  leftOut,
  notes,
  thresholdPercent,
  confidencePercent,
  rules,
}: HistoryReport): readonly string[] {
  const deciding = series.filter(({ decides }) => decides).flatMap(({ metrics }) => metrics);
  const releases = deciding.flatMap(({ gated, ruling, label, changes }) => {
    const versions = changes.at(-1)?.versions ?? [];
    return !gated || ruling !== 'worse' || versions.length === 0
      ? []
      : [`${label}: from the same run on, ${versions.join(', ')}`];
  });
  return [
    ...releases,
    ...(leftOut === 0 ? [] : [`${counted(leftOut, 'line')} without a conclusion, in no series`]),
    ...notes,
    `a change: at least ${numberText(thresholdPercent)}% of the mean, at ${confidencePercent}%, in windows of ${counted(rules.window, 'run')}; it decides within ${counted(rules.recent, 'run')}`,
  ];
}

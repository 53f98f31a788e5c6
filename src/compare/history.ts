import { EXIT, type ExitCode } from '../errors.ts';
import { counted } from '../units.ts';
import { type ChangePoint, changePoints, type Detection, SHORTEST_LEVEL } from './change-points.ts';
import { type Gate, isGated } from './gate.ts';
import type { History, HistoryEntry } from './history-entry.ts';
import { type ComparedMetric, FAMILIES, familyOf, metricOf } from './metric.ts';
import { smallnessOf } from './metric-comparison.ts';

/** How a history is checked. */
export interface HistoryRules extends Pick<Detection, 'window'> {
  /** A change counts as new while it began within the last so many runs of its series. */
  readonly recent: number;
  /** A series of fewer runs shows nothing. */
  readonly leastRuns: number;
}

export const HISTORY_RULES: HistoryRules = { window: 50, recent: 10, leastRuns: 10 };
/** Fewer runs have no place for a change. */
export const FEWEST_RUNS = 2 * SHORTEST_LEVEL;

/** A change of a metric that stays, by the run that it began with. */
export interface Change extends Omit<ChangePoint, 'at'> {
  /** The index of that run in its series. */
  readonly run: number;
  readonly startedAt: string;
  readonly commit: string | null;
  /** The last run before it. */
  readonly after: { readonly startedAt: string; readonly commit: string | null };
  /** What else was another release from that run on: `Node v22.12.0 to v22.13.0`. */
  readonly versions: readonly string[];
  readonly ruling: 'better' | 'worse';
}

/** One metric of a series. */
export interface HistoryMetric extends Omit<ComparedMetric, 'name'> {
  readonly metric: string;
  /** It may decide. */
  readonly gated: boolean;
  /** One for each run of the series; null: not measured. */
  readonly values: readonly (number | null)[];
  /** In the order of the runs. */
  readonly changes: readonly Change[];
  /** By the newest change, if it is recent. `too few runs`: so far it could not show any. */
  readonly ruling: 'better' | 'worse' | 'steady' | 'too few runs';
}

/** Runs that can be compared with each other. */
export interface Series {
  readonly scenario: string;
  readonly system: string;
  readonly identity: Readonly<Record<string, string>>;
  /** Where it differs from the newest series of the scenario: `CPU: other (this one: ..)`; empty for the newest. */
  readonly differs: readonly string[];
  /** Its rulings decide. */
  readonly decides: boolean;
  readonly runs: readonly Pick<HistoryEntry, 'id' | 'startedAt' | 'commit' | 'outcome' | 'trials'>[];
  readonly metrics: readonly HistoryMetric[];
}

/** What `capbench history show --json` prints, schemaVersion 1. Fields may be added, never changed. */
export interface HistoryReport {
  readonly schemaVersion: 1;
  readonly kind: 'history';
  /** Of the newest run's gate: a smaller change is none. */
  readonly thresholdPercent: number;
  /** That a change is none of chance, for all gated metrics of a window of a series together. */
  readonly confidencePercent: number;
  readonly rules: HistoryRules;
  /** Lines without a conclusion, which are in no series. */
  readonly leftOut: number;
  /** The newest first. */
  readonly series: readonly Series[];
  readonly outcome: 'pass' | 'regression' | 'inconclusive';
  readonly exitCode: ExitCode;
  /** One sentence: what decided. */
  readonly headline: string;
  /** What else to know: lines that could not be read. */
  readonly notes: readonly string[];
}

/**
 * The series of a history, and what became of them.
 *
 * Of each scenario the series of its newest run decides (`all`: each series). It is a regression where the newest change of a
 * gated metric is one for the worse, and began within the last `recent` runs; that is so whatever the other metrics show. It
 * is inconclusive where a gated metric has fewer than `leastRuns` values, or stopped being measured.
 *
 * @param gateOf the gate for a scenario's settings
 */
export function reportHistory(
  { entries, problems }: History,
  gateOf: (settings: HistoryEntry['gate']) => Gate,
  rules: HistoryRules,
  all = false,
): HistoryReport {
  const valid = entries.filter(({ outcome }) => outcome !== 'invalid');
  const groups = new Map<string, HistoryEntry[]>();
  for (const entry of valid) {
    const key = keyOf(entry);
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  const newestFirst = [...groups.values()].toSorted((a, b) => (startOf(a) < startOf(b) ? 1 : -1));
  const newestOf = new Map<string, readonly HistoryEntry[]>();
  for (const group of newestFirst) {
    const name = nameOf(group);
    if (!newestOf.has(name)) newestOf.set(name, group);
  }
  const gate = gateOf(valid.at(-1)?.gate ?? null);
  const series = newestFirst.map((group) => {
    const newest = newestOf.get(nameOf(group)) ?? group;
    return seriesOf(group, newest, gateOf(group.at(-1)?.gate ?? null), rules, all || newest === group);
  });
  return {
    ...{ schemaVersion: 1, kind: 'history', thresholdPercent: gate.thresholdPercent },
    ...{ confidencePercent: gate.confidencePercent, rules, leftOut: entries.length - valid.length },
    ...{ series, ...verdictOf(series, rules), notes: problems },
  };
}

const keyOf = ({ scenario, identity }: HistoryEntry): string =>
  JSON.stringify([scenario, Object.entries(identity).toSorted(([a], [b]) => (a < b ? -1 : 1))]);

const startOf = (group: readonly HistoryEntry[]): string => group.at(-1)?.startedAt ?? '';
const nameOf = (group: readonly HistoryEntry[]): string => group.at(-1)?.scenario ?? '';

function seriesOf(
  runs: readonly HistoryEntry[],
  newest: readonly HistoryEntry[],
  gate: Gate,
  rules: HistoryRules,
  decides: boolean,
): Series {
  const [identity, latest] = [runs.at(-1)?.identity ?? {}, newest.at(-1)?.identity ?? {}];
  const differs = [...new Set([...Object.keys(latest), ...Object.keys(identity)])].flatMap((name) =>
    identity[name] === latest[name] ? [] : [`${name}: ${identity[name] ?? 'not recorded'}`],
  );
  const names = new Set(runs.flatMap(({ metrics }) => Object.keys(metrics)));
  const rank = (name: string): number => Object.keys(FAMILIES).indexOf(familyOf(name));
  // Of a later capbench, perhaps.
  const known = [...names].filter((name) => rank(name) >= 0).toSorted((a, b) => rank(a) - rank(b));
  // Each of the metrics that decide together may err in its share of the cases.
  const gated = known.filter(
    (name) => isGated(gate, name) && smallnessOf(name, runs, runs.slice(-rules.recent), gate) === null,
  );
  const detection: Detection = {
    ...{ window: rules.window, leastPercent: gate.thresholdPercent },
    significance: (1 - gate.confidencePercent / 100) / Math.max(1, gated.length),
  };
  return {
    ...{ scenario: nameOf(runs), system: runs.at(-1)?.system ?? '', identity, differs, decides },
    runs: runs.map(({ id, startedAt, commit, outcome, trials }) => ({
      id,
      startedAt,
      commit,
      outcome,
      trials,
    })),
    metrics: known.map((name) => historyOf(name, runs, gated.includes(name), detection, rules)),
  };
}

function historyOf(
  name: string,
  runs: readonly HistoryEntry[],
  gated: boolean,
  detection: Detection,
  { recent, leastRuns }: HistoryRules,
): HistoryMetric {
  const { name: metric, ...about } = metricOf(name);
  const values = runs.map(({ metrics }) => metrics[name] ?? null);
  const measured = values.flatMap((value, run) => (value === null ? [] : [{ run, value }]));
  const changes = changePoints(
    measured.map(({ value }) => value),
    detection,
  ).flatMap(({ at, ...point }): Change[] => {
    const [run = 0, before = 0] = [measured[at]?.run, measured[at - 1]?.run];
    const [first, last] = [runs[run], runs[before]];
    if (first === undefined || last === undefined) return [];
    const isHigher = point.meanAfter > point.meanBefore;
    return [
      {
        ...{ run, startedAt: first.startedAt, commit: first.commit, ...point },
        after: { startedAt: last.startedAt, commit: last.commit },
        versions: versionsBetween(last, first),
        ruling: isHigher === (about.better === 'higher') ? 'better' : 'worse',
      },
    ];
  });
  const newest = changes.at(-1);
  const isNew = newest !== undefined && newest.run >= runs.length - recent;
  const isMissing = measured.length < leastRuns || values.at(-1) === null;
  return {
    ...{ metric, ...about, values, changes, gated },
    ruling: isNew ? newest.ruling : isMissing ? 'too few runs' : 'steady',
  };
}

function versionsBetween({ versions: before }: HistoryEntry, { versions: after }: HistoryEntry): string[] {
  return Object.keys(after).flatMap((name) => {
    const [old, now] = [before[name], after[name]];
    return old === undefined || old === now ? [] : [`${name} ${old} to ${now}`];
  });
}

function verdictOf(
  series: readonly Series[],
  { leastRuns, recent }: HistoryRules,
): Pick<HistoryReport, 'outcome' | 'exitCode' | 'headline'> {
  const deciding = series.filter(({ decides }) => decides);
  const several = deciding.length > 1;
  const gated = deciding.flatMap(({ scenario, metrics }) =>
    metrics.flatMap((one) => (one.gated ? [{ ...one, of: several ? ` (${scenario})` : '' }] : [])),
  );
  const worse = gated.filter(({ ruling }) => ruling === 'worse');
  const few = gated.filter(({ ruling }) => ruling === 'too few runs');
  const [only] = deciding;
  const open = [
    ...(few.length === 0
      ? []
      : !several && only !== undefined && only.runs.length < leastRuns
        ? [`${counted(only.runs.length, 'run')}, and at least ${leastRuns} are needed`]
        : [
            `fewer than ${leastRuns} runs, or none of late, of ${few.map(({ label, of }) => label + of).join('; ')}`,
          ]),
    ...deciding.flatMap(({ scenario, metrics }) =>
      metrics.some((one) => one.gated) ? [] : [`no metric of the gate was measured in ${scenario}`],
    ),
  ];
  if (worse.length > 0) {
    const texts = worse.map(({ changes, label, of }) => `${label}${of} ${changeText(changes.at(-1))}`);
    return {
      ...{ outcome: 'regression', exitCode: EXIT.regression },
      headline: [texts.join('; '), ...open].join('; '),
    };
  }
  if (deciding.length === 0)
    return { outcome: 'inconclusive', exitCode: EXIT.invalid, headline: 'there is no run with a conclusion' };
  if (open.length > 0) return { outcome: 'inconclusive', exitCode: EXIT.invalid, headline: open.join('; ') };
  return {
    ...{ outcome: 'pass', exitCode: EXIT.pass },
    headline: `none of ${counted(gated.length, 'metric')} became worse within the last ${counted(recent, 'run')}`,
  };
}

/** `is 12.3% higher since 3f2a1c9d, 2026-11-30` */
export function changeText(change: Change | undefined): string {
  if (change === undefined) return '';
  const { changePercent, meanAfter, meanBefore, commit, startedAt } = change;
  const size = changePercent === null ? '' : ` ${Math.abs(changePercent).toPrecision(3)}%`;
  const since = [...(commit === null ? [] : [commit.slice(0, SHOWN_COMMIT)]), startedAt.slice(0, 10)];
  return `is${size} ${meanAfter > meanBefore ? 'higher' : 'lower'} since ${since.join(', ')}`;
}

const SHOWN_COMMIT = 8;

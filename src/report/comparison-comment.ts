import type { Side } from '../compare/arm.ts';
import type { Comparison } from '../compare/comparison.ts';
import type { MetricComparison } from '../compare/metric-comparison.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import { counted } from '../units.ts';
import { brief, type Comment, clipped, MOST_ROWS } from './comment.ts';
import { comparisonAdvice, intervalText, meanText, percentText, remarksOf } from './comparison-text.ts';
import { tableHead, tableRow } from './markdown.ts';
import { numberText } from './quantity.ts';

/** What a comparison, or a duet, has shown: what is told of both in the same way. */
export interface ComparedVerdict {
  readonly kind: 'comparison' | 'duet';
  readonly scenario: string;
  /** `regression` */
  readonly word: string;
  readonly exitCode: ExitCode;
  /** One sentence. */
  readonly headline: string;
  /** Null where a duet has no pair. */
  readonly comparison: Comparison | null;
  /** comparison.md, or the summary.md of a duet: a heading, and everything else. */
  readonly markdown: string;
}

const RULING_MARKS: Readonly<Record<MetricComparison['ruling'], string>> = {
  ...{ worse: '❌', better: '✅', same: '✅' },
  ...{ underpowered: '⚠️', 'not comparable': '⚠️' },
};

/** A pass is good, no conclusion and an interruption say nothing of the versions. */
const markOf = (exitCode: ExitCode): string =>
  exitCode === EXIT.pass ? '✅' : exitCode === EXIT.invalid || exitCode === EXIT.interrupted ? '⚠️' : '❌';

/** `REGRESSION (91)` */
export const verdictText = ({ word, exitCode }: Pick<ComparedVerdict, 'word' | 'exitCode'>): string =>
  `${word.toUpperCase()} (${exitCode})`;

/** `182 µs, now 204 µs: +12.1%, +9.8% to +14.4%` */
export function changeText(one: MetricComparison): string {
  const interval = one.lowPercent === null ? '' : `, ${intervalText(one)}`;
  return `${meanText(one.base, one.unit)}, now ${meanText(one.head, one.unit)}: ${percentText(one.changePercent)}${interval}`;
}

/**
 * The comment on a comparison: the verdict, the metrics that decided it, or would have, and everything else folded.
 */
export function comparisonComment(verdict: ComparedVerdict): Comment {
  const { kind, scenario, exitCode, headline, comparison, markdown } = verdict;
  const versions = comparison === null ? '' : `, ${brief(versionsText(comparison))}`;
  return {
    about: [kind, scenario],
    short: [
      `### ${markOf(exitCode)} ${verdictText(verdict)}: ${brief(scenario)}${versions}`,
      '',
      brief(headline),
      '',
      ...(comparison === null ? [] : decidedLines(comparison)),
    ],
    // Without its heading, which is above.
    details: [{ title: 'All metrics, and how they were compared', lines: markdown.split('\n').slice(1) }],
  };
}

/** `3f2a1bc against main`: of folders, which say little elsewhere, the commits where each has one. */
function versionsText({ base, head, design }: Comparison): string {
  const [before, after] = design === 'paired' ? [null, null] : [commitOf(base), commitOf(head)];
  return before === null || after === null || before === after
    ? `${head.name} against ${base.name}`
    : `${after} against ${before}`;
}

function commitOf({ trials }: Side): string | null {
  const commits = new Set(trials.map(({ commit }) => commit));
  return commits.size === 1 ? ([...commits][0]?.slice(0, 12) ?? null) : null;
}

/** What decides first. */
const ORDER = ['worse', 'not comparable', 'underpowered', 'better', 'same'] as const;

function decidedLines(comparison: Comparison): readonly string[] {
  const { base, head, design, outcome, metrics, thresholdPercent } = comparison;
  const gated = metrics.filter((one) => one.gated);
  const shown = gated.toSorted((one, other) => ORDER.indexOf(one.ruling) - ORDER.indexOf(other.ruling));
  const wrong = gated.filter(({ ruling }) => ruling !== 'better' && ruling !== 'same').length;
  const remarks = remarksOf(comparison);
  const trials =
    design === 'paired'
      ? `${counted(head.counted, 'pair')} of trials`
      : `${head.counted} against ${counted(base.counted, 'trial')}`;
  return [
    ...(shown.length === 0
      ? []
      : [
          ...tableHead(['', 'metric', 'base', 'head', 'change', 'interval']),
          ...shown
            .slice(0, MOST_ROWS)
            .map((one) =>
              tableRow([
                RULING_MARKS[one.ruling],
                clipped(one.label),
                ...[meanText(one.base, one.unit), meanText(one.head, one.unit)],
                ...[percentText(one.changePercent), intervalText(one)],
              ]),
            ),
          '',
          ...(wrong <= MOST_ROWS ? [] : [`and ${wrong - MOST_ROWS} more`, '']),
        ]),
    ...remarks.slice(0, MOST_ROWS).map((remark) => `- ${brief(remark)}`),
    ...(remarks.length === 0 ? [] : ['']),
    `${trials} · a regression is beyond ${numberText(thresholdPercent)}% · ${counted(gated.length, 'metric')} decide`,
    '',
    ...(outcome === 'pass' ? [] : [`Next: ${brief(comparisonAdvice(comparison))}.`, '']),
  ];
}

import type { Comparison } from '../compare/comparison.ts';
import type { Duet } from '../compare/duet.ts';
import type { Trial } from '../compare/trial.ts';
import { badInput, EXIT } from '../errors.ts';
import { workflowCommands } from './annotations.ts';
import { bencherMetrics } from './bencher.ts';
import { benchmarkAction } from './benchmark-action.ts';
import { brief, commentText, MOST_ROWS } from './comment.ts';
import { intervalText, meanText, percentText } from './comparison-text.ts';
import { duetHeading, duetMarkdown } from './duet-markdown.ts';
import { duetHeadline, duetSize, duetVerdict } from './duet-text.ts';
import type { Format } from './format.ts';
import { tableHead, tableRow } from './markdown.ts';
import { trialsBenchmark } from './run-benchmark.ts';
import { stepSummary } from './step-summary.ts';

/**
 * A duet in a format; figures are those of the head.
 * @throws CapbenchError (104) for a format that a duet has not
 */
export function duetInFormat(
  format: Format,
  duet: Duet,
  comparison: Comparison | null,
  head: readonly Trial[],
): string {
  const figures = () => trialsBenchmark(duet.scenario, head);
  switch (format) {
    case 'summary':
      return stepSummary(duetMarkdown(duet, comparison));
    case 'comment':
      return commentText({
        about: ['duet', duet.scenario],
        short: [
          ...[duetHeading(duet, comparison), '', brief(duetHeadline(duet, comparison)), ''],
          ...foremost(comparison),
        ],
        details: [{ title: duetSize(duet), lines: [duetMarkdown(duet, comparison)] }],
      });
    case 'annotations':
      return workflowCommands([annotation(duet, comparison)]);
    case 'junit':
      throw badInput(
        '--format junit: a duet has no junit.xml',
        'each of its trials has one, in the folder of the trial',
      );
    case 'smaller-is-better':
      return json(benchmarkAction(figures(), 'lower'));
    case 'bigger-is-better':
      return json(benchmarkAction(figures(), 'higher'));
    case 'bencher':
      return json(bencherMetrics(figures()));
  }
}

const ORDER = ['worse', 'not comparable', 'underpowered', 'better', 'same'] as const;

/** The metrics that decided, or would have: as many as one reads. */
function foremost(comparison: Comparison | null): readonly string[] {
  const gated = (comparison?.metrics ?? []).filter((one) => one.gated);
  if (gated.length === 0) return [];
  const sorted = gated.toSorted((one, other) => ORDER.indexOf(one.ruling) - ORDER.indexOf(other.ruling));
  return [
    ...tableHead(['metric', 'base', 'head', 'change', 'interval', 'ruling']),
    ...sorted
      .slice(0, MOST_ROWS)
      .map((one) =>
        tableRow([
          one.label,
          ...[meanText(one.base, one.unit), meanText(one.head, one.unit)],
          ...[percentText(one.changePercent), intervalText(one), one.ruling],
        ]),
      ),
    '',
  ];
}

function annotation(duet: Duet, comparison: Comparison | null) {
  const { word, exitCode } = duetVerdict(duet, comparison);
  const level = exitCode === EXIT.pass ? 'notice' : exitCode === EXIT.invalid ? 'warning' : 'error';
  const title = `${duet.scenario}: ${word} (${exitCode})`;
  return { level, title, message: duetHeadline(duet, comparison) } as const;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

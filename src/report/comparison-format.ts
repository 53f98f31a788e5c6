import type { Comparison } from '../compare/comparison.ts';
import type { MetricComparison } from '../compare/metric-comparison.ts';
import { EXIT } from '../errors.ts';
import { type Annotation, workflowCommands } from './annotations.ts';
import { commentText } from './comment.ts';
import { type ComparedVerdict, changeText, comparisonComment, verdictText } from './comparison-comment.ts';
import { comparisonJunit } from './comparison-junit.ts';
import { comparisonMarkdown } from './comparison-markdown.ts';
import { comparisonWord } from './comparison-text.ts';
import type { VerdictFormat } from './format.ts';
import { stepSummary } from './step-summary.ts';

/** What a comparison has shown. */
export function comparedVerdict(comparison: Comparison): ComparedVerdict {
  const { scenario, exitCode, headline } = comparison;
  const word = comparisonWord(comparison);
  return {
    ...{ kind: 'comparison', scenario, word, exitCode, headline, comparison },
    markdown: comparisonMarkdown(comparison),
  };
}

/** A comparison, or a duet, in a format. */
export function comparedInFormat(format: VerdictFormat, verdict: ComparedVerdict): string {
  switch (format) {
    case 'summary':
      return stepSummary(verdict.markdown);
    case 'comment':
      return commentText(comparisonComment(verdict));
    case 'annotations':
      return workflowCommands(comparisonAnnotations(verdict));
    case 'junit':
      return comparisonJunit(verdict);
  }
}

/** The verdict, and each metric that decides and did not stay the same. */
function comparisonAnnotations(verdict: ComparedVerdict): readonly Annotation[] {
  const { scenario, exitCode, headline, comparison } = verdict;
  const level = exitCode === EXIT.pass ? 'notice' : exitCode === EXIT.invalid ? 'warning' : 'error';
  return [
    { level, title: `${scenario}: ${verdictText(verdict)}`, message: headline },
    ...(comparison?.metrics ?? [])
      .filter(({ gated, ruling }) => gated && ruling !== 'same')
      .map((one) => ({
        ...{ level: LEVELS[one.ruling], title: `${one.label}: ${one.ruling}` },
        message: [changeText(one), ...(one.because === null ? [] : [one.because])].join('; '),
      })),
  ];
}

const LEVELS: Readonly<Record<MetricComparison['ruling'], Annotation['level']>> = {
  ...{ worse: 'error', better: 'notice', same: 'notice' },
  ...{ underpowered: 'warning', 'not comparable': 'warning' },
};

import type { Comparison } from '../compare/comparison.ts';
import type { Duet } from '../compare/duet.ts';
import type { Trial } from '../compare/trial.ts';
import { jsonText } from '../json-document.ts';
import { bencherMetrics } from './bencher.ts';
import { benchmarkAction } from './benchmark-action.ts';
import type { ComparedVerdict } from './comparison-comment.ts';
import { comparedInFormat } from './comparison-format.ts';
import { duetMarkdown } from './duet-markdown.ts';
import { duetHeadline, duetVerdict } from './duet-text.ts';
import type { Format } from './format.ts';
import { trialsBenchmark } from './run-benchmark.ts';

/** A duet in a format; figures are those of the head. */
export function duetInFormat(
  format: Format,
  duet: Duet,
  comparison: Comparison | null,
  head: readonly Trial[],
): string {
  const figures = () => trialsBenchmark(duet.scenario, head);
  switch (format) {
    case 'smaller-is-better':
      return jsonText(benchmarkAction(figures(), 'lower'));
    case 'bigger-is-better':
      return jsonText(benchmarkAction(figures(), 'higher'));
    case 'bencher':
      return jsonText(bencherMetrics(figures()));
    default:
      return comparedInFormat(format, shownBy(duet, comparison));
  }
}

/** What a duet has shown. One that was interrupted, or failed, says nothing of its metrics, though its summary has them so far. */
function shownBy(duet: Duet, comparison: Comparison | null): ComparedVerdict {
  const { word, exitCode } = duetVerdict(duet, comparison);
  return {
    ...{ kind: 'duet', scenario: duet.scenario, word, exitCode },
    comparison: comparison?.exitCode === exitCode ? comparison : null,
    ...{ headline: duetHeadline(duet, comparison), markdown: duetMarkdown(duet, comparison) },
  };
}

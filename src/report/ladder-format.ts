import { badInput, EXIT } from '../errors.ts';
import { jsonText } from '../json-document.ts';
import type { Ladder } from '../model/ladder.ts';
import { workflowCommands } from './annotations.ts';
import { bencherMetrics } from './bencher.ts';
import type { Benchmark } from './benchmark.ts';
import { benchmarkAction } from './benchmark-action.ts';
import { brief, commentText } from './comment.ts';
import type { Format } from './format.ts';
import { ladderHeading, ladderMarkdown } from './ladder-markdown.ts';
import { searchHeadline, searchVerdict } from './ladder-text.ts';
import { stepSummary } from './step-summary.ts';

/** A search in a format. @throws CapbenchError (104) for one that a search has not */
export function ladderInFormat(format: Format, ladder: Ladder): string {
  switch (format) {
    case 'summary':
      return stepSummary(ladderMarkdown(ladder));
    case 'comment':
      return commentText({
        about: ['search', ladder.scenario],
        short: [ladderHeading(ladder), '', brief(searchHeadline(ladder)), ''],
        details: [{ title: `${ladder.steps.length} steps`, lines: [ladderMarkdown(ladder)] }],
      });
    case 'annotations':
      return workflowCommands([annotation(ladder)]);
    case 'junit':
      throw badInput(
        '--format junit: a search has no junit.xml',
        'each of its steps has one, in the folder of the step',
      );
    case 'smaller-is-better':
      return jsonText(benchmarkAction(foundOf(ladder), 'lower'));
    case 'bigger-is-better':
      return jsonText(benchmarkAction(foundOf(ladder), 'higher'));
    case 'bencher':
      return jsonText(bencherMetrics(foundOf(ladder)));
  }
}

function annotation(ladder: Ladder) {
  const { word, exitCode } = searchVerdict(ladder);
  const level = exitCode === EXIT.pass ? 'notice' : exitCode === EXIT.invalid ? 'warning' : 'error';
  const title = `${ladder.scenario}: ${word} (${exitCode})`;
  return { level, title, message: searchHeadline(ladder) } as const;
}

/** The stated number; none where the bound was not found. */
function foundOf({ scenario, result }: Ladder): Benchmark {
  if (result?.found !== true) return { scenario, figures: [] };
  const { players } = result;
  return { scenario, figures: [{ metric: 'players', unit: 'players', better: 'higher', values: [players] }] };
}

import type { Ladder } from '../model/ladder.ts';
import { purposeText, resultFacts, searchHeadline, searchVerdict } from './ladder-text.ts';
import { cell, tableHead, tableRow } from './markdown.ts';
import { capital } from './plain-text.ts';
import { numberText, quantity } from './quantity.ts';
import { timeText } from './report-text.ts';

/** The verdict of a search, as a heading. */
export function ladderHeading(ladder: Ladder): string {
  const { word, exitCode } = searchVerdict(ladder);
  const mark = exitCode === 0 ? '✅' : word === 'found' ? '❌' : '⚠️';
  return `### ${mark} ${word.toUpperCase()} (${exitCode}): ${cell(ladder.scenario)}`;
}

/** summary.md of a search. */
export function ladderMarkdown(ladder: Ladder): string {
  return [
    ladderHeading(ladder),
    '',
    cell(searchHeadline(ladder)),
    '',
    ...resultFacts(ladder).map(([name, text]) => `- ${capital(name)}: ${cell(text)}`),
    '',
    ...tableHead(['', 'players', 'seconds', '', 'verdict', 'p95', 'because']),
    ...ladder.steps.map((step) =>
      tableRow([
        String(step.step),
        numberText(step.players),
        numberText(step.seconds),
        purposeText(step),
        step.outcome,
        quantity(step.latency?.p95Ms ?? null, 'ms'),
        step.because,
      ]),
    ),
    '',
    `${timeText(ladder.startedAt)}, seed ${ladder.seed}, scenario ${ladder.scenarioHash.slice(0, 12)}`,
    '',
  ].join('\n');
}

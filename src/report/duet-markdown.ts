import type { Comparison } from '../compare/comparison.ts';
import type { Duet } from '../compare/duet.ts';
import { findingLines } from './comparison-markdown.ts';
import { duetFacts, duetHeadline, duetVerdict } from './duet-text.ts';
import { cell } from './markdown.ts';
import { capital } from './plain-text.ts';

const MARKS = { pass: '✅', regression: '❌', failed: '❌', 'no conclusion': '⚠️', interrupted: '⚠️' } as const;

/** `### ❌ REGRESSION (91): my-world` */
export function duetHeading(duet: Duet, comparison: Comparison | null): string {
  const { word, exitCode } = duetVerdict(duet, comparison);
  return `### ${MARKS[word]} ${word.toUpperCase()} (${exitCode}): ${cell(duet.scenario)}`;
}

/** summary.md of a duet. */
export function duetMarkdown(duet: Duet, comparison: Comparison | null): string {
  return [
    duetHeading(duet, comparison),
    '',
    `${cell(capital(duetHeadline(duet, comparison)))}.`,
    '',
    ...(comparison === null ? [] : findingLines(comparison)),
    ...duetFacts(duet).map(([name, text]) => `- ${capital(name)}: ${cell(text)}`),
    '',
  ].join('\n');
}

import type { Comparison } from '../compare/comparison.ts';
import type { Duet } from '../compare/duet.ts';
import { isMeasured } from '../compare/next-trial.ts';
import { findingSections } from './comparison-html.ts';
import { duetFacts, duetHeadline, duetVerdict } from './duet-text.ts';
import { factList, row, safe, table } from './markup.ts';
import { page } from './page.ts';
import { capital } from './plain-text.ts';
import { numberText } from './quantity.ts';
import { timeText } from './report-text.ts';

/** duet.html: one file that makes no request; it leads to the pages of the trials beside it. */
export function duetHtml(duet: Duet, comparison: Comparison | null): string {
  const { word, exitCode } = duetVerdict(duet, comparison);
  const colour = word === 'pass' ? 'pass' : word === 'regression' || word === 'failed' ? 'fail' : 'invalid';
  const header = `<header class="${colour}">
<p class="name">${safe(duet.scenario)} <span class="faint">two versions in turn on one machine</span></p>
<h1>${safe(capital(word))} <span class="faint">exit code ${exitCode}</span></h1>
<p class="headline">${safe(capital(duetHeadline(duet, comparison)))}.</p>
</header>`;
  const facts = Object.fromEntries(duetFacts(duet).map(([name, text]) => [name, [text]]));
  return page(
    `${duet.scenario}: ${word} (${exitCode})`,
    [header],
    [
      ...(comparison === null ? [] : findingSections(comparison)),
      { id: 'trials', title: 'Trials', parts: duet.attempts.length === 0 ? [] : [trialTable(duet)] },
      { id: 'duet', title: 'This duet', parts: factList({ ...facts, started: [timeText(duet.startedAt)] }) },
    ],
  );
}

const trialTable = ({ attempts }: Duet): string =>
  table(
    ['', 'Trial', 'Version', 'Verdict', 'Seconds', 'Because'],
    attempts.map((attempt) => {
      const { trial, version, outcome, seconds, because, bundle } = attempt;
      const link = `<a href="${safe(encodeURI(bundle))}/report.html">${trial}</a>`;
      return row(
        [isMeasured(attempt) ? '✓' : '–', { html: link }, version, outcome, numberText(seconds), because],
        isMeasured(attempt) ? '' : 'noted',
      );
    }),
    'trials',
  );

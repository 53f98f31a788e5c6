import type { Side } from '../compare/arm.ts';
import type { Comparison } from '../compare/comparison.ts';
import type { MetricComparison } from '../compare/metric-comparison.ts';
import {
  comparisonAdvice,
  comparisonWord,
  detectableText,
  intervalText,
  meanText,
  methodText,
  percentText,
  RULING_SIGNS,
  sideText,
} from './comparison-text.ts';
import { intervalMark, reachOf } from './interval-mark.ts';
import { list, row, safe, table } from './markup.ts';
import { page, type Section } from './page.ts';
import { capital } from './plain-text.ts';
import { NOTHING } from './quantity.ts';
import { timeText } from './report-text.ts';

const COLOURS = { pass: 'pass', regression: 'fail', inconclusive: 'invalid' } as const;
const ROWS: Readonly<Record<MetricComparison['ruling'], string>> = {
  ...{ better: 'met', same: 'met', worse: 'breached' },
  ...{ underpowered: 'noted', 'not comparable': 'noted' },
};

/** comparison.html: one file that makes no request. */
export function comparisonHtml(comparison: Comparison): string {
  const { scenario, base, head, outcome, exitCode, headline } = comparison;
  const word = comparisonWord(comparison);
  const header = `<header class="${COLOURS[outcome]}">
<p class="name">${safe(scenario)} <span class="faint">base ${safe(sideText(base))} against head ${safe(sideText(head))}</span></p>
<h1>${safe(capital(word))} <span class="faint">exit code ${exitCode}</span></h1>
<p class="headline">${safe(capital(headline))}.</p>
<p class="next">${safe(`Next: ${comparisonAdvice(comparison)}.`)}</p>
<p class="faint">${safe(capital(methodText(comparison)))}.</p>
</header>`;
  return page(
    `${scenario}: ${word} (${exitCode})`,
    [header],
    [
      ...findingSections(comparison),
      { id: 'trials', title: 'Trials', parts: [trialTable('Base', base), trialTable('Head', head)] },
    ],
  );
}

/** What is not comparable, what decides, and what does not. */
export function findingSections(comparison: Comparison): readonly Section[] {
  const { notComparable, metrics, notes } = comparison;
  const [deciding, others] = [metrics.filter(({ gated }) => gated), metrics.filter(({ gated }) => !gated)];
  return [
    {
      ...{ id: 'differences', title: 'Not comparable' },
      parts:
        notComparable.length === 0
          ? []
          : [
              table(
                ['What', 'Base', 'Head'],
                notComparable.map(({ what, base, head }) => row([what, base, head])),
              ),
            ],
    },
    {
      ...{ id: 'metrics', title: 'What decides' },
      parts: [
        ...(deciding.length === 0 ? [] : [metricTable(deciding, comparison)]),
        ...listOf([...reasonsOf(deciding), ...notes]),
      ],
    },
    {
      ...{ id: 'others', title: 'What does not decide' },
      parts: others.length === 0 ? [] : [metricTable(others, comparison), ...listOf(reasonsOf(others))],
    },
  ];
}

/** Why they have no ruling, or do not decide. */
const reasonsOf = (metrics: readonly MetricComparison[]): readonly string[] =>
  metrics.flatMap(({ label, because }) => (because === null ? [] : [`${label}: ${because}`]));

const listOf = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : [list(lines)]);

function metricTable(
  metrics: readonly MetricComparison[],
  { thresholdPercent }: Pick<Comparison, 'thresholdPercent'>,
): string {
  const reach = reachOf(metrics, thresholdPercent);
  return table(
    ['', 'Metric', 'Base', 'Head', 'Change', 'Interval', '', 'Shows from', 'Ruling', 'Spread (CV)'],
    metrics.map((one) =>
      row(
        [
          one.gated ? RULING_SIGNS[one.ruling] : '·',
          one.label,
          meanText(one.base, one.unit),
          meanText(one.head, one.unit),
          percentText(one.changePercent),
          intervalText(one),
          { html: intervalMark(one, thresholdPercent, reach) },
          detectableText(one),
          one.ruling,
          `${spreadText(one.base.cvPercent)}, ${spreadText(one.head.cvPercent)}`,
        ],
        one.gated ? ROWS[one.ruling] : '',
      ),
    ),
    'comparison',
  );
}

const spreadText = (percent: number | null): string =>
  percent === null ? NOTHING : percentText(percent).replace('+', '');

const trialTable = (name: string, { trials }: Side): string =>
  table(
    [name, 'Verdict', 'Started', 'Commit', 'Seed', 'Left out'],
    trials.map(({ name: bundle, outcome, exitCode, startedAt, commit, seed, leftOut }) =>
      row([
        bundle,
        `${outcome} (${exitCode})`,
        timeText(startedAt),
        commit?.slice(0, 12) ?? NOTHING,
        String(seed),
        leftOut ?? '',
      ]),
    ),
  );

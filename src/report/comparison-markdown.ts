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
  remarksOf,
  sideText,
} from './comparison-text.ts';
import { cell, tableHead, tableRow } from './markdown.ts';
import { capital } from './plain-text.ts';

const MARKS = { pass: '✅', regression: '❌', inconclusive: '⚠️' } as const;
const RULINGS: Readonly<Record<MetricComparison['ruling'], string>> = {
  ...{ better: '✅', same: '✅', worse: '❌' },
  ...{ underpowered: '⚠️', 'not comparable': '⚠️' },
};

/** comparison.md: verdict and what decided first, the rest folded. */
export function comparisonMarkdown(comparison: Comparison): string {
  const { scenario, base, head, outcome, exitCode, headline } = comparison;
  return [
    `### ${MARKS[outcome]} ${comparisonWord(comparison).toUpperCase()} (${exitCode}): ${cell(scenario)}`,
    '',
    `${cell(capital(headline))}.`,
    '',
    ...findingLines(comparison),
    cell(`Base ${sideText(base)}, head ${sideText(head)}: ${methodText(comparison)}.`),
    ...(outcome === 'pass' ? [] : ['', cell(`Next: ${comparisonAdvice(comparison)}.`)]),
    '',
  ].join('\n');
}

/** What is not comparable, the metrics that decide, and folded those that do not. */
export function findingLines(comparison: Comparison): readonly string[] {
  const { notComparable, metrics } = comparison;
  const [deciding, others] = [metrics.filter(({ gated }) => gated), metrics.filter(({ gated }) => !gated)];
  return [
    ...(notComparable.length === 0
      ? []
      : [
          ...tableHead(['not comparable', 'base', 'head']),
          ...notComparable.map(({ what, base, head }) => tableRow([what, base, head])),
          '',
        ]),
    ...(deciding.length === 0 ? [] : [...metricRows(deciding), '']),
    ...remarksOf(comparison).map((remark) => `- ${cell(remark)}`),
    ...(remarksOf(comparison).length === 0 ? [] : ['']),
    ...(others.length === 0
      ? []
      : [
          '<details><summary>What does not decide</summary>',
          '',
          ...metricRows(others),
          '',
          '</details>',
          '',
        ]),
  ];
}

const metricRows = (metrics: readonly MetricComparison[]): readonly string[] => [
  ...tableHead(['', 'metric', 'base', 'head', 'change', 'interval', 'shows from', 'ruling']),
  ...metrics.map((one) =>
    tableRow([
      one.gated ? RULINGS[one.ruling] : '',
      one.label,
      meanText(one.base, one.unit),
      meanText(one.head, one.unit),
      percentText(one.changePercent),
      intervalText(one),
      detectableText(one),
      one.ruling,
    ]),
  ),
];

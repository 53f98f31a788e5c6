import { numberText } from '../../../src/report/quantity.ts';
import { columnsOf } from '../../columns.ts';
import { type Finding, SENSITIVITY_PAIRS, type Sensitivity } from './findings.ts';
import type { LiveDecision } from './live.ts';

type Rows = readonly (readonly string[])[];

const percent = (value: number | null): string => (value === null ? '-' : `${numberText(value)}%`);
const signed = (value: number | null): string =>
  value === null ? '-' : `${value < 0 ? '' : '+'}${value.toFixed(1)}%`;

const findingRows = (findings: readonly Finding[]): Rows => [
  [
    'version',
    'CPU per operation',
    'its interval',
    'decided after',
    'regression',
    'pass',
    'no conclusion',
    'better',
  ],
  ...findings.map(({ arm, changePercent, lowPercent, highPercent, ending, rates }) => {
    const share = (count: number): string => `${((100 * count) / rates.decisions).toFixed(1)}%`;
    return [
      ...[arm, signed(changePercent), `${signed(lowPercent)} to ${signed(highPercent)}`],
      'pairs' in ending ? `${ending.pairs} pairs` : `as a duet, ${rates.pairs.toFixed(1)} pairs`,
      ...[share(rates.regression), share(rates.pass), share(rates.inconclusive), share(rates.better)],
    ];
  }),
];

const sensitivityRows = (all: readonly Sensitivity[]): Rows => [
  ['metric', 'decides', 'CV', ...SENSITIVITY_PAIRS.map((n) => `${n} pairs`)],
  ...all.map(({ label, gated, cvPercent, detectable }) => [
    ...[label, gated ? 'yes' : 'no', percent(cvPercent)],
    ...detectable.map(percent),
  ]),
];

const liveRows = (live: readonly LiveDecision[]): Rows => [
  ['live', 'exit code', 'pairs', 'minutes', 'without a conclusion', 'CPU per operation'],
  ...live.map(({ arm, exitCode, pairs, minutes, withoutConclusion, metrics }) => [
    ...[arm, String(exitCode), String(pairs), minutes.toFixed(1), String(withoutConclusion)],
    signed(metrics.find(({ metric }) => metric === 'cpuPerOperation.server')?.changePercent ?? null),
  ]),
];

const asText = (rows: Rows): string => columnsOf(rows);
const asMarkdown = ([head = [], ...rows]: Rows): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** All tables, for a terminal or for the README. */
export function tablesOf(
  findings: readonly Finding[],
  sensitivities: readonly Sensitivity[],
  live: readonly LiveDecision[],
  isMarkdown: boolean,
): string {
  const all = [
    ...(findings.length === 0 ? [] : [findingRows(findings)]),
    ...(sensitivities.length === 0 ? [] : [sensitivityRows(sensitivities)]),
    ...(live.length === 0 ? [] : [liveRows(live)]),
  ];
  return all.map(isMarkdown ? asMarkdown : asText).join('\n\n');
}

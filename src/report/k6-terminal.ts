import { ofOperation } from '../scenario/operations.ts';
import { numberText, plain, quantity } from './format.ts';
import type { K6Report } from './k6-report.ts';
import {
  heading,
  NARROWEST,
  reasonLines,
  section,
  type TerminalStyle,
  verdictLine,
  WIDEST,
} from './terminal.ts';
import { budgetLines } from './terminal-budgets.ts';
import { connectingText, countsTexts, latencyLines, sharesText } from './terminal-figures.ts';
import { fact, fold, palette } from './terminal-text.ts';

/** As the summary that ends a run, of what k6 told. */
export function k6TerminalSummary(report: K6Report, style: TerminalStyle): string {
  const paint = palette(style.colour);
  const width = Math.min(WIDEST, Math.max(NARROWEST, style.width)) - 1;
  return [
    '',
    ...heading(report, paint, width),
    ...section('BUDGETS', budgetLines(report, paint, width), paint),
    ...section('LOAD', fold(loadLines(report), width - 4), paint),
    ...section('LATENCY', latencyLines(report, paint), paint),
    ...reasonLines(report, paint, width),
    verdictLine(report, style.page, paint),
    '',
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

function loadLines(report: K6Report): string[] {
  const { load, network, summaries, run, generator, operations } = report;
  return [
    fact(
      'generator',
      `k6, ${summaries} ${summaries === 1 ? 'process' : 'processes'}`,
      run === null ? '' : `run ${plain(run)}`,
    ),
    fact('players', `${numberText(load.peakCcu)} of ${numberText(load.requestedCcu)} requested`),
    fact('measure phase', quantity(load.durationSeconds, 's')),
    ...operations.flatMap(({ id, label }) => {
      const counts = ofOperation(load.operations, id);
      if (counts === null) return [fact(label, 'not counted')];
      if (counts.scheduled === 0) return [];
      const told = countsTexts(counts, ofOperation(load.sentPercent, id));
      return [fact(label, ...told, sharesText(report, id))];
    }),
    connectingText(network),
    fact('own lag', `p99 ${quantity(generator.ownLagP99Ms, 'ms')}`, 'the worst process and operation'),
  ];
}

import { ofOperation } from '../scenario/operations.ts';
import { plain } from './plain-text.ts';
import { numberText, quantity } from './quantity.ts';
import type { K6Report } from './report.ts';
import { sharesText } from './report-text.ts';
import { summaryText, type TerminalStyle } from './terminal.ts';
import { connectingText, countsTexts, latencyLines } from './terminal-figures.ts';
import { fact, fold, type Palette } from './terminal-text.ts';

/** The summary of a run for summaries of k6. */
export function k6TerminalSummary(report: K6Report, style: TerminalStyle): string {
  const lines = (paint: Palette, width: number): string[] => [
    ...fold(loadLines(report), width),
    '',
    ...latencyLines(report, paint, width),
  ];
  return summaryText(report, style, {
    keyNotes: report.notes,
    notes: report.notes,
    key: lines,
    all: (paint, width) => [...lines(paint, width).map((line) => (line === '' ? '' : `    ${line}`)), ''],
  });
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
      if (counts.scheduled === 0) return [];
      return [fact(label, ...countsTexts(counts, ofOperation(load.sentPercent, id)), sharesText(report, id))];
    }),
    connectingText(network),
    fact('schedule lag', `p99 ${quantity(generator.ownLagP99Ms, 'ms')}`, 'the worst process and operation'),
  ];
}

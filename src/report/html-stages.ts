import { cellText, numberText, quantity } from './format.ts';
import { row, table } from './html-table.ts';
import type { Report } from './report.ts';
import { connectionsText, rateText, sentPercentOf } from './terminal-stages.ts';

const HEAD = [
  '',
  'At',
  'For',
  'Rate',
  'Operations',
  'Sent',
  'p50',
  'p95',
  'p99',
  'Commands p95',
  'Failed',
  'Skipped',
];

/** The measure phase in its parts: what was due in each. */
export function stageTable({ stages }: Report): string {
  const rows = stages.map((stage) => {
    const { intent, monsterCommand } = stage.latency;
    const counts = stage.load.operations;
    return row([
      stage.name,
      ...[stage.from, stage.to - stage.from].map((value) => quantity(value, 's')),
      rateText(stage),
      quantity(stage.throughput.operationsPerSecond, '/s').replace(' /s', '/s'),
      quantity(sentPercentOf(stage), '%'),
      ...[intent.due.p50, intent.due.p95, intent.due.p99, monsterCommand.due.p95].map(cellText),
      ...(['failed', 'skipped'] as const).map((of) =>
        numberText(counts.intent[of] + counts.monsterCommand[of]),
      ),
    ]);
  });
  const told = stages.flatMap((stage) => {
    const text = connectionsText(stage);
    return text === null ? [] : [row([stage.name, text])];
  });
  return `${table(HEAD, rows, 'numbers')}${told.length === 0 ? '' : table(['', 'Connections'], told)}<p class="note">Of what was due in the stage, whenever it was answered; latencies in milliseconds, of intents where nothing else is said. Connections: what happened while the stage went on.</p>`;
}

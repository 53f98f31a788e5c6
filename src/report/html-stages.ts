import { ofOperation } from '../scenario/operations.ts';
import { capital, cellText, numberText, quantity } from './format.ts';
import { row, table } from './html-table.ts';
import type { Report } from './report.ts';
import { connectionsText, rateText, sentPercentOf } from './terminal-stages.ts';

/** The measure phase in its parts: what was due in each. */
export function stageTable({ stages, operations }: Report): string {
  const [first, ...others] = operations;
  const head = [
    ...['', 'At', 'For', 'Rate', 'Operations', 'Sent', 'p50', 'p95', 'p99'],
    ...others.map(({ label }) => `${capital(label)} p95`),
    ...['Failed', 'Skipped'],
  ];
  const rows = stages.map((stage) => {
    const due = first === undefined ? [] : dueOf(stage, first.id, ['p50', 'p95', 'p99']);
    return row([
      stage.name,
      ...[stage.from, stage.to - stage.from].map((value) => quantity(value, 's')),
      rateText(stage),
      quantity(stage.throughput.operationsPerSecond, '/s').replace(' /s', '/s'),
      quantity(sentPercentOf(stage), '%'),
      ...[...due, ...others.flatMap(({ id }) => dueOf(stage, id, ['p95']))].map(cellText),
      ...(['failed', 'skipped'] as const).map((of) =>
        numberText(Object.values(stage.load.operations).reduce((sum, counts) => sum + counts[of], 0)),
      ),
    ]);
  });
  const told = stages.flatMap((stage) => {
    const text = connectionsText(stage);
    return text === null ? [] : [row([stage.name, text])];
  });
  return `${table(head, rows, 'numbers')}${told.length === 0 ? '' : table(['', 'Connections'], told)}<p class="note">Of what was due in the stage, whenever it was answered; latencies in milliseconds, of ${first?.label ?? 'nothing'} where nothing else is said. Connections: what happened while the stage went on.</p>`;
}

const dueOf = (
  { latency }: Report['stages'][number],
  op: string,
  stats: readonly ('p50' | 'p95' | 'p99')[],
): (number | null)[] => stats.map((stat) => ofOperation(latency, op).due[stat]);

import type { OpenPercentiles, Percentiles } from '../measurement/figures.ts';
import { ofOperation } from '../scenario/operations.ts';
import { agentTable } from './agents.ts';
import { BOX_COLUMNS, boxCells } from './boxes.ts';
import { folded, list, row, safe, table } from './markup.ts';
import { capital } from './plain-text.ts';
import { numberText, quantity } from './quantity.ts';
import type { Report } from './report.ts';
import { closedText, sharesText } from './report-text.ts';
import { percentileText } from './ruling-text.ts';

const STATISTICS = ['mean', 'min', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const;

export function latencyTable({ latency: all, operations }: Report): string {
  const cells = (p: Percentiles | OpenPercentiles): string[] =>
    STATISTICS.map((stat) => percentileText(p, stat));
  const rows = operations.flatMap(({ id, label }) => {
    const { due, service, lag } = ofOperation(all, id);
    if (due.count + due.unanswered === 0) return [];
    const name = capital(label);
    return [
      row([
        `${name}, from the scheduled time`,
        ...cells(due),
        numberText(due.count),
        numberText(due.unanswered),
      ]),
      row([`${name}, from sending`, ...cells(service), numberText(service.count), '']),
      row([`${name}, schedule lag`, ...cells(lag), numberText(lag.count), '']),
    ];
  });
  if (rows.length === 0) return '';
  const columns = ['mean', 'min', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max', 'answered', 'unanswered'];
  return `${table(['', ...columns], rows, 'numbers')}<p class="note">Latency counts from the moment at which an operation was scheduled. An operation without an answer counts as slower than every answered one; mean, min and max are of answered operations. Schedule lag is the time from the scheduled moment to sending.</p>`;
}

/** What became of the operations that were due in the measure phase. */
export function outcomeTable(report: Report): string {
  const anyIdle = Object.values(report.load.operations).some(({ idle }) => idle > 0);
  const rows = report.operations.flatMap(({ id, label }) => {
    const counts = ofOperation(report.load.operations, id);
    if (counts.scheduled === 0) return [];
    const { scheduled, ok, rejected, failed, timedOut, unfinished, skipped, idle } = counts;
    const all = [scheduled, ok, rejected, failed, timedOut, unfinished, skipped, ...(anyIdle ? [idle] : [])];
    const cells = all.map((n) => numberText(n));
    return [row([capital(label), ...cells, sharesText(report, id)])];
  });
  const columns = [
    'due',
    'ok',
    'rejected',
    'failed',
    'timed out',
    'unfinished',
    'skipped',
    ...(anyIdle ? ['idle'] : []),
    'of what was due',
  ];
  const closed = closedText(report.operations);
  const note = closed === null ? '' : `<p class="note">${safe(capital(closed))}.</p>`;
  return rows.length === 0 ? '' : `<h3>Outcomes</h3>${table(['', ...columns], rows, 'numbers')}${note}`;
}

export function stackParts({ stack: { kind, documented, applied, reasons } }: Report): string[] {
  const names = Object.keys(documented);
  if (names.length === 0) return [];
  // A setting may have the name of a property that every object inherits.
  const differ = names.filter((name) => Object.hasOwn(reasons, name));
  const same = names.filter((name) => !Object.hasOwn(reasons, name));
  const cells = (name: string): string[] => [name, documented[name] ?? '', applied[name] ?? ''];
  return [
    `<p>A ${safe(kind)} stack. ${differ.length} of ${names.length} documented settings were applied differently.</p>`,
    ...(differ.length === 0
      ? []
      : [
          `<h3>Deviations from the document</h3>${table(
            ['', 'Documented', 'Applied', 'Reason'],
            differ.map((name) => row([...cells(name), reasons[name] ?? ''])),
          )}`,
        ]),
    ...(same.length === 0
      ? []
      : [
          folded(
            `Applied as documented (${same.length})`,
            table(
              ['', 'Documented', 'Applied'],
              same.map((name) => row(cells(name))),
            ),
          ),
        ]),
  ];
}

/** Of the agents that made the load; none where this host did. */
export function agentParts(report: Report): string[] {
  const { head, rows } = agentTable(report);
  if (rows.length === 0) return [];
  return [
    table(
      head.map(capital),
      rows.map((cells) => row(cells)),
      'numbers',
    ),
  ];
}

/** Which limits hold the players, and by how much. */
export const boxTable = ({ boxes = [], limits = {} }: Report): string[] =>
  boxes.length === 0
    ? []
    : [
        table(
          BOX_COLUMNS.map(capital),
          boxes.map((box) => row(boxCells(box, limits[box.name]))),
        ),
        '<p class="faint">Left is what was not used of the limit that was used most: of CPU by its mean, of memory by its highest.</p>',
      ];

/** How busy each resource was, from which the bottleneck follows. */
export function resourceTable({ bottleneck }: Report): string {
  const isKnown = ({ utilisationPercent, cpuPercentOfHost, waitedPercent }: Resource): boolean =>
    [utilisationPercent, cpuPercentOfHost, waitedPercent].some((value) => value !== null);
  const rows = bottleneck.resources
    .filter(isKnown)
    .map((one) =>
      row([
        one.resource,
        `${quantity(one.utilisationPercent, '%')} of ${one.of}`,
        quantity(one.cpuPercentOfHost, '%'),
        quantity(one.waitedPercent, '%'),
        one.state,
      ]),
    );
  const head = ['', 'Utilisation', 'CPU of the host', 'Waited for a CPU', 'State'];
  return `<h3>Bottleneck: ${safe(bottleneck.resource)}</h3><p>${safe(capital(bottleneck.evidence))}</p>${rows.length === 0 ? '' : table(head, rows)}`;
}

type Resource = Report['bottleneck']['resources'][number];

export function errorParts({ errors: all, probes }: Report): string[] {
  const gaps = probes.flatMap(({ name, gaps, lastError }) =>
    gaps === 0
      ? []
      : [`probe ${name}: ${gaps} seconds without data${lastError === null ? '' : ` (${lastError})`}`],
  );
  const lines = [...all, ...gaps];
  return lines.length === 0 ? [] : [`<h3>Errors, and seconds without data</h3>${list(lines)}`];
}

import { budgetsLine } from '../judge/verdict.ts';
import { statedWindows } from '../measurement/stated-window.ts';
import { ofOperation } from '../scenario/operations.ts';
import type { Drawing } from './drawing.ts';
import { databaseFacts, hostFacts, runFacts } from './facts.ts';
import { breachedParts, breachedTitle, budgetParts, ruleParts } from './html-checks.ts';
import {
  agentParts,
  boxTable,
  errorParts,
  latencyTable,
  outcomeTable,
  resourceTable,
  stackParts,
} from './html-figures.ts';
import { faultParts, stageParts } from './html-stages.ts';
import { factList, safe, type Tile, tileRow } from './markup.ts';
import { nextStep } from './next-step.ts';
import { page, type Section } from './page.ts';
import { capital } from './plain-text.ts';
import { deliveryFacts, playerTable } from './player-facts.ts';
import { numberText, quantity } from './quantity.ts';
import type { Report } from './report.ts';
import { areMany, foremost, scaleText } from './report-text.ts';
import { percentileText } from './ruling-text.ts';
import { svgOf } from './svg.ts';
import { systemTable } from './system-facts.ts';
import { watchedTable } from './watched.ts';

const OUTCOMES = { pass: 'Pass', fail: 'Fail', invalid: 'No conclusion' } as const;

/** report.html: one file that makes no request. Verdict and what to do, then what was breached, then the rest. */
export function html(report: Report, charts: readonly Drawing[]): string {
  const sections: readonly Section[] = [
    { id: 'breached', title: breachedTitle(report), parts: breachedParts(report) },
    { id: 'charts', title: 'Charts', parts: charts.map(svgOf) },
    { id: 'budgets', title: 'Budgets', parts: budgetParts(report) },
    { id: 'limits', title: 'Limits', parts: boxTable(report) },
    { id: 'latency', title: 'Latency', parts: [latencyTable(report), outcomeTable(report)] },
    { id: 'deliveries', title: 'Deliveries', parts: factList(deliveryFacts(report)) },
    { id: 'player', title: 'Figures of the players', parts: playerTable(report) },
    { id: 'system', title: 'Figures of the system', parts: systemTable(report) },
    { id: 'watched', title: 'Watched metrics', parts: watchedTable(report) },
    { id: 'stages', title: 'Stages', parts: stageParts(report) },
    { id: 'faults', title: 'Faults', parts: faultParts(report) },
    { id: 'rules', title: 'Rules of the run', parts: ruleParts(report) },
    { id: 'stack', title: 'Stack', parts: stackParts(report) },
    { id: 'database', title: 'Database', parts: factList(databaseFacts(report)) },
    {
      id: 'host',
      title: 'Host and generator',
      parts: [...factList(hostFacts(report)), resourceTable(report)],
    },
    { id: 'agents', title: 'Agents that made the load', parts: agentParts(report) },
    { id: 'run', title: 'This run', parts: [...factList(runFacts(report)), ...errorParts(report)] },
  ];
  const title = `${report.scenario}: ${OUTCOMES[report.outcome]} (${report.exitCode})`;
  return page(title, [verdict(report), tiles(report)], sections);
}

export function verdict(report: Report): string {
  const { outcome, exitCode, description } = report;
  // The headlines of the others have them.
  const counts = outcome === 'invalid' ? [capital(budgetsLine(report))] : [];
  // It may begin with the id of a rule, which is written as it is.
  const headline = report.headline.replace(/^no conclusion: /, '');
  return `<header class="${outcome}">
<p class="name">${safe(report.scenario)} <span class="faint">${safe(scaleText(report))}</span></p>
<h1>${OUTCOMES[outcome]} <span class="faint">exit code ${exitCode}</span></h1>
<p class="headline">${safe(/^\S+: /.test(headline) ? headline : capital(headline))}.</p>
<p class="next"><strong>Next:</strong> ${safe(nextStep(report))}.</p>
<p class="faint">${safe([...counts, description].filter((text) => text !== '').join('. '))}</p>
</header>`;
}

function lostOf({ lost, acked, lostInWindow, windows }: Report['integrity']): string {
  if (lost === null) return 'no rows were read';
  const all = `of ${numberText(acked)} acknowledged`;
  return windows === undefined ? all : `${all}; ${numberText(lostInWindow)} within ${statedWindows(windows)}`;
}

/** The few figures that every reader looks for first. */
export function tiles({ load, latency, throughput, bottleneck, integrity, operations }: Report): string {
  const first = foremost(operations, latency);
  const shown = first === undefined ? [] : [first];
  const all: readonly Tile[] = [
    ['Players', numberText(load.peakCcu), `of ${numberText(load.requestedCcu)} requested`],
    ['Answered', quantity(throughput.operationsPerSecond, '/s'), 'operations of all kinds'],
    ...shown.map(({ id, label }) => {
      const { due } = ofOperation(latency, id);
      return [
        `${capital(label)} p95`,
        percentileText(due, 'p95'),
        `${areMany(operations) ? `the slowest of ${operations.length} operations; ` : ''}p99 ${percentileText(due, 'p99')}, from the scheduled time`,
      ] as const;
    }),
    ['Lost writes', integrity.lost === null ? 'not checked' : numberText(integrity.lost), lostOf(integrity)],
    ['Bottleneck', bottleneck.resource, 'the evidence is under Host and generator'],
  ];
  return tileRow(all);
}

import { isOfRule } from '../judge/rules/rule.ts';
import { countRulings, countsLine } from '../judge/verdict.ts';
import type { OpenPercentiles, Percentiles } from '../measurement/figures.ts';
import { ofOperation } from '../scenario/operations.ts';
import type { Drawing } from './drawing.ts';
import {
  byReason,
  byState,
  bytesText,
  calibrationText,
  capital,
  connectionsText,
  engineText,
  limitText,
  metricText,
  numberText,
  observedText,
  percentileText,
  quantity,
  rateText,
  ruleLimitText,
  ruleText,
  scaleText,
  sentPercentOf,
  sharesText,
  sourceText,
  timeText,
  titleText,
} from './format.ts';
import { facts, list, type Row, row, safe, table } from './markup.ts';
import { nextStep } from './next-step.ts';
import type { Report, ReportRule, ReportRuling } from './report.ts';
import { STYLE } from './style.ts';
import { svgOf } from './svg.ts';

interface Section {
  readonly id: string;
  readonly title: string;
  /** One without any is left out. */
  readonly parts: readonly string[];
}

const OUTCOMES = { pass: 'Pass', fail: 'Fail', invalid: 'No conclusion' } as const;

/** report.html: one file that makes no request. Verdict and what to do, then what was breached, then the rest. */
export function html(report: Report, charts: readonly Drawing[]): string {
  const sections: readonly Section[] = [
    { id: 'breached', title: 'What was breached', parts: breached(report) },
    { id: 'charts', title: 'Charts', parts: charts.map(svgOf) },
    { id: 'budgets', title: 'Budgets', parts: budgets(report) },
    { id: 'latency', title: 'Latency', parts: [latency(report), outcomes(report)] },
    { id: 'stages', title: 'Stages', parts: stages(report) },
    { id: 'faults', title: 'Faults', parts: faults(report) },
    { id: 'rules', title: 'Rules of the run', parts: rules(report) },
    { id: 'stack', title: 'Stack', parts: stack(report) },
    { id: 'host', title: 'Host and generator', parts: [facts(hostFacts(report)), resources(report)] },
    { id: 'run', title: 'This run', parts: [facts(runFacts(report)), ...errors(report)] },
  ].filter(({ parts }) => parts.length > 0);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${safe(`${report.scenario}: ${OUTCOMES[report.outcome]} (${report.exitCode})`)}</title>
<style>${STYLE}</style>
</head>
<body>
<nav aria-label="Contents"><ul>${sections.map(({ id, title }) => `<li><a href="#${id}">${safe(title)}</a></li>`).join('')}</ul></nav>
<main>
${verdict(report)}
${tiles(report)}
${sections.map(({ id, title, parts }) => `<section id="${id}"><h2>${safe(title)}</h2>${parts.join('\n')}</section>`).join('\n')}
</main>
</body>
</html>
`;
}

function verdict(report: Report): string {
  const { outcome, exitCode, description } = report;
  // The headlines of the others have them.
  const counts = outcome === 'invalid' ? [countsLine(countRulings(report.rulings))] : [];
  return `<header class="${outcome}">
<p class="name">${safe(report.scenario)} <span class="faint">${safe(scaleText(report))}</span></p>
<h1>${OUTCOMES[outcome]} <span class="faint">exit code ${exitCode}</span></h1>
<p class="headline">${safe(capital(report.headline.replace(/^no conclusion: /, '')))}.</p>
<p class="next"><strong>Next:</strong> ${safe(nextStep(report))}.</p>
<p class="faint">${safe([...counts, description].filter((text) => text !== '').join('. '))}</p>
</header>`;
}

/** The few figures that every reader looks for first. */
function tiles({ load, latency, throughput, bottleneck, integrity, operations }: Report): string {
  const all: readonly (readonly [name: string, value: string, more: string])[] = [
    ['Players', numberText(load.peakCcu), `of ${numberText(load.requestedCcu)} requested`],
    ['Answered', quantity(throughput.operationsPerSecond, '/s'), 'operations of all kinds'],
    ...operations.slice(0, 1).map(({ id, label }) => {
      const { due } = ofOperation(latency, id);
      return [
        `${capital(label)} p95`,
        percentileText(due, 'p95'),
        `p99 ${percentileText(due, 'p99')}, from the scheduled time`,
      ] as const;
    }),
    [
      'Lost writes',
      integrity.lost === null ? 'not checked' : numberText(integrity.lost),
      integrity.lost === null ? 'no rows were read' : `of ${numberText(integrity.acked)} acknowledged`,
    ],
    ['Bottleneck', bottleneck.resource, 'the evidence is under Host and generator'],
  ];
  return `<div class="tiles">${all
    .map(
      ([name, value, more]) =>
        `<div><p>${safe(name)}</p><strong>${safe(value)}</strong><p>${safe(more)}</p></div>`,
    )
    .join('')}</div>`;
}

/** Whether a rule keeps the run from a pass. */
const isDecisive = ({ state, decides }: ReportRule): boolean => state === 'broken' && decides;

/** Budgets and rules that keep the run from a pass, and reasons that are of no rule. */
function breached(report: Report): string[] {
  const { invalidBecause, breachedBecause } = report;
  const [budgets = []] = byState(report.rulings);
  const rules = report.rules.filter(isDecisive);
  const others = [...breachedBecause, ...invalidBecause].filter(
    (reason) => !rules.some(({ id }) => isOfRule(id, reason)),
  );
  return [
    ...(others.length === 0 ? [] : [list(others)]),
    ...(budgets.length === 0 ? [] : [budgetTable(budgets)]),
    ...(rules.length === 0 ? [] : [ruleTable(rules)]),
  ];
}

const STATES = {
  met: '✓ met',
  breached: '✗ breached',
  contradicted: '≠ contradicted',
  unmeasured: '– unmeasured',
  untestable: '· untestable',
} as const;

/** What a row is about, its id, and below it what there is to add. */
const subject = (title: string, id: string, reason: string | null, details = '') => ({
  html: `${safe(title)} <code>${safe(id)}</code>${paragraph('reason', reason ?? '')}${paragraph('more', details)}`,
});

const paragraph = (className: string, text: string): string =>
  text === '' ? '' : `<p class="${className}">${safe(text)}</p>`;

const budgetTable = (rulings: readonly ReportRuling[]): string =>
  table(['', '', 'Limit', 'Observed'], rulings.map(budgetRow), 'checks');

function budgetRow(ruling: ReportRuling): Row {
  const details = [
    ruling.condition === null ? '' : `Condition: ${ruling.condition}`,
    metricText(ruling) === '' ? '' : `Figure: ${metricText(ruling)}`,
    ruling.samples === null ? '' : `${numberText(ruling.samples)} samples`,
    sourceText(ruling),
  ].filter((text) => text !== '');
  return row(
    [
      STATES[ruling.state],
      subject(titleText(ruling), ruling.id, ruling.reason, details.join(' · ')),
      limitText(ruling),
      observedText(ruling),
    ],
    ruling.state,
  );
}

/** All that were not breached. */
function budgets({ rulings }: Report): string[] {
  const [broken = [], met = [], contradicted = [], unmeasured = [], untestable = []] = byState(rulings);
  const open = [...contradicted, ...unmeasured];
  return [
    met.length > 0
      ? `<p>${numberText(met.length)} of ${numberText(met.length + broken.length)} judged budgets were met.</p>${budgetTable(met)}`
      : `<p>No budget was met.</p>`,
    ...(open.length === 0
      ? []
      : [`<h3>Contradicted or unmeasured (${open.length}): these do not decide</h3>${budgetTable(open)}`]),
    ...(untestable.length === 0
      ? []
      : [
          `<details><summary>Not testable here (${untestable.length})</summary>${list(
            byReason(untestable).map(([reason, count]) => `${count} × ${reason}`),
          )}${budgetTable(untestable)}</details>`,
        ]),
  ];
}

const STATISTICS = ['mean', 'min', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const;

function latency({ latency: all, operations }: Report): string {
  const cells = (p: Percentiles | OpenPercentiles): string[] =>
    STATISTICS.map((stat) => percentileText(p, stat));
  const rows = operations.flatMap(({ id, label }) => {
    const { due, service, lag } = ofOperation(all, id);
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
  const columns = ['mean', 'min', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max', 'answered', 'unanswered'];
  return `${table(['', ...columns], rows, 'numbers')}<p class="note">Latency counts from the moment at which an operation was scheduled. An operation without an answer counts as slower than every answered one; mean, min and max are of answered operations. Schedule lag is the time from the scheduled moment to sending.</p>`;
}

/** What became of the operations that were due in the measure phase. */
function outcomes(report: Report): string {
  const rows = report.operations.flatMap(({ id, label }) => {
    const counts = ofOperation(report.load.operations, id);
    if (counts.scheduled === 0) return [];
    const { scheduled, ok, rejected, failed, timedOut, unfinished, skipped } = counts;
    const cells = [scheduled, ok, rejected, failed, timedOut, unfinished, skipped].map((n) => numberText(n));
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
    'of what was due',
  ];
  return rows.length === 0 ? '' : `<h3>Outcomes</h3>${table(['', ...columns], rows, 'numbers')}`;
}

/** The measure phase in its parts: what was due in each, and what became of it. */
function stages({ stages: all, operations }: Report): string[] {
  const [first, ...others] = operations;
  if (all.length === 0 || first === undefined) return [];
  const head = [
    ...['', 'from', 'for', 'rate', 'due', 'answered', 'backlog at end', 'sent', 'p50', 'p95', 'p99'],
    ...others.map(({ label }) => `${label} p95`),
    ...['failed', 'skipped'],
  ];
  const rows = all.map((stage) => {
    const { load, throughput, latency, from, to } = stage;
    const total = (of: 'scheduled' | 'failed' | 'skipped'): number =>
      Object.values(load.operations).reduce((sum, counts) => sum + counts[of], 0);
    const { due } = ofOperation(latency, first.id);
    return row([
      stage.name,
      ...[from, to - from].map((value) => quantity(value, 's')),
      rateText(stage),
      quantity(total('scheduled') / (to - from), '/s'),
      quantity(throughput.operationsPerSecond, '/s'),
      numberText(stage.backlog),
      quantity(sentPercentOf(stage), '%'),
      ...(['p50', 'p95', 'p99'] as const).map((stat) => percentileText(due, stat)),
      ...others.map(({ id }) => percentileText(ofOperation(latency, id).due, 'p95')),
      ...[total('failed'), total('skipped')].map((n) => numberText(n)),
    ]);
  });
  const connections = all.flatMap((stage) => {
    const text = connectionsText(stage);
    return text === null ? [] : [row([stage.name, text])];
  });
  return [
    table(head, rows, 'numbers'),
    ...(connections.length === 0 ? [] : [`<h3>Connections</h3>${table(['', ''], connections)}`]),
    `<p class="note">Of the operations that were due in the stage, whenever they were answered; percentiles are of ${safe(first.label)} where no other name is given. Backlog: operations that were due and neither answered nor given up when the stage ended.</p>`,
  ];
}

function faults({ faults: all }: Report): string[] {
  if (all.length === 0) return [];
  const head = [
    ...['', 'at', 'down', 'recovery', 'backlog', 'failed', 'timed out', 'skipped', 'reconnects'],
    ...['lost', 'phantom', 'duplicated', 'holes'],
  ];
  const rows = all.map((fault) =>
    row([
      fault.error === null ? fault.id : `${fault.id}: ${fault.error}`,
      ...[fault.from, fault.downSeconds, fault.recoverySeconds].map((value) => quantity(value, 's')),
      ...[
        ...[fault.backlogPeak, fault.failed, fault.timedOut, fault.skipped, fault.reconnects],
        ...[fault.lost, fault.phantom, fault.duplicated, fault.holes],
      ].map((n) => numberText(n)),
    ]),
  );
  return [table(head, rows, 'numbers')];
}

const RULE_STATES = { held: 'met', broken: 'breached', 'not-applicable': 'not applicable' } as const;
const RULE_MARKS = { held: '✓', broken: '✗', 'not-applicable': '–' } as const;

const ruleTable = (rules: readonly ReportRule[]): string =>
  table(
    ['', '', 'Observed', 'Limit'],
    rules.map((rule) => {
      const { id, title, state, observed, decides, advice } = rule;
      const why = decides ? advice : `${advice} (noted; it does not decide)`;
      return row(
        [
          `${RULE_MARKS[state]} ${RULE_STATES[state]}`,
          subject(capital(title), id, state === 'broken' ? why : null),
          ruleText(observed, rule),
          ruleLimitText(rule),
        ],
        state === 'broken' && !decides ? 'noted' : RULE_STATES[state].split(' ')[0],
      );
    }),
    'checks',
  );

/** `answered.intent.spike`: of an operation in a stage. */
const isOfStage = ({ id }: ReportRule): boolean => id.split('.').length > 2;

/** All that do not keep the run from a pass. */
function rules({ rules: all, notes }: Report): string[] {
  const others = all.filter((rule) => !isDecisive(rule));
  const judged = others.filter(({ state }) => state !== 'not-applicable');
  const noted = judged.filter(({ state }) => state === 'broken');
  const shown = [...noted, ...judged.filter((rule) => rule.state === 'held' && !isOfStage(rule))];
  const folded = [
    ['Met in the stages', judged.filter((rule) => !shown.includes(rule))],
    ['Not applicable', others.filter(({ state }) => state === 'not-applicable')],
  ] as const;
  return [
    ...(notes.length === 0 ? [] : [list(notes)]),
    ...(shown.length === 0 ? [] : [ruleTable(shown)]),
    ...folded.flatMap(([title, some]) =>
      some.length === 0
        ? []
        : [`<details><summary>${title} (${some.length})</summary>${ruleTable(some)}</details>`],
    ),
  ];
}

function stack({ stack: { kind, documented, applied, reasons } }: Report): string[] {
  const names = Object.keys(documented);
  if (names.length === 0) return [`<p>The settings of this stack (${safe(kind)}) are not known.</p>`];
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
          `<details><summary>Applied as documented (${same.length})</summary>${table(
            ['', 'Documented', 'Applied'],
            same.map((name) => row(cells(name))),
          )}</details>`,
        ]),
  ];
}

function hostFacts({ host, generator, world, database, load }: Report): Readonly<Record<string, string>> {
  return {
    CPU: `${host.cpuModel}, ${host.cpus} cores`,
    Memory: `${bytesText(host.memoryBytes)}, at most ${quantity(host.memoryUsedPercent.max, '%')} used`,
    System: `${host.platform} ${host.arch}, kernel ${host.kernel}, Node ${host.node}`,
    'CPU in use': `${quantity(host.cpuPercent.mean, '%')} of all cores: PostgreSQL ${quantity(database.cpuPercentOfHost.mean, '%')}, generator ${quantity(generator.cpuPercentOfHost, '%')}, others ${quantity(host.otherCpuPercent, '%')}; steal ${quantity(host.stealPercent, '%')}`,
    'World servers': `${world.servers}; the busiest used ${quantity(world.cpuPercentOfCore.mean, '%')} of one core; ${bytesText(world.memoryTotalBytes.max)} of memory in all`,
    Generator: `${engineText(generator)}, ${load.colocated ? 'on the same host as the servers' : 'on a host of its own'}`,
    'Generator health': `event loop blocked for at most ${quantity(generator.maxLoopDelayMs, 'ms')}, late ${quantity(generator.stalledPercent, '%')} of the time, ${quantity(generator.maxUtilisationPercent, '%')} busy`,
    'Schedule lag': `p99 ${quantity(generator.lagP99Ms, 'ms')}, of which the generator caused ${quantity(generator.ownLagP99Ms, 'ms')}; the servers held operations back by ${quantity(generator.pushbackMeanMs, 'ms')} on average`,
    'Generator cost': `${quantity(generator.cpuMicrosPerOperation, 'us')} of CPU for each answered operation, ${bytesText(generator.memoryBytesPerPlayer)} of memory for each player`,
    'Generator calibration': calibrationText(generator.calibration),
    Noise: `other processes used ${quantity(host.foreignCpuPercent, '%')} of the CPU; CPU quota used up in ${numberText(host.throttledPeriods)} periods; all processes waited for memory ${quantity(host.memoryPressurePercent, '%')} of the time; fixed piece of work changed by ${quantity(host.canaryDriftPercent, '%')}; wall clock moved by ${quantity(host.clockDriftMs, 'ms')}`,
  };
}

/** How busy each resource was, from which the bottleneck follows. */
function resources({ bottleneck }: Report): string {
  const rows = bottleneck.resources.map((one) =>
    row([
      one.resource,
      `${quantity(one.utilisationPercent, '%')} of ${one.of}`,
      quantity(one.cpuPercentOfHost, '%'),
      quantity(one.waitedPercent, '%'),
      one.state,
    ]),
  );
  return `<h3>Bottleneck: ${safe(bottleneck.resource)}</h3><p>${safe(capital(bottleneck.evidence))}</p>${table(
    ['', 'Utilisation', 'CPU of the host', 'Waited for a CPU', 'State'],
    rows,
  )}`;
}

function runFacts(report: Report): Readonly<Record<string, string>> {
  const { ceilings } = report;
  return {
    Started: timeText(report.startedAt),
    'Measure phase': quantity(report.load.durationSeconds, 's'),
    Scale: numberText(report.load.scale),
    Seed: String(report.seed),
    Scenario: report.scenarioHash,
    Schedule: report.scheduleHash ?? '–',
    Commit: report.commit ?? '–',
    capbench: report.capbench,
    ...(ceilings.updatesPerSecondBatched !== null && {
      'Database ceilings': `INSERT ${numberText(ceilings.insertsPerSecond)}, UPDATE one by one ${numberText(ceilings.updatesPerSecondSingle)}, in batches ${numberText(ceilings.updatesPerSecondBatched)} rows/s (${quantity(ceilings.batchSpeedup, 'x')}): ${ceilings.statement ?? ''}`,
    }),
  };
}

function errors({ errors: all, probes }: Report): string[] {
  const gaps = probes.flatMap(({ name, gaps, lastError }) =>
    gaps === 0
      ? []
      : [`probe ${name}: ${gaps} seconds without data${lastError === null ? '' : ` (${lastError})`}`],
  );
  const lines = [...all, ...gaps];
  return lines.length === 0 ? [] : [`<h3>Errors, and seconds without data</h3>${list(lines)}`];
}

import { countRulings, countsLine } from '../judge/verdict.ts';
import type { Percentiles } from '../measurement/figures.ts';
import { ofOperation } from '../scenario/operations.ts';
import type { Chart } from './chart.ts';
import {
  byReason,
  byState,
  bytesText,
  calibrationText,
  capital,
  cellText,
  connectionsText,
  engineText,
  limitText,
  markup,
  metricText,
  numberText,
  observedText,
  plain,
  quantity,
  rateText,
  ruleLimitText,
  ruleText,
  scaleText,
  sentPercentOf,
  sharesText,
  sourceText,
  timeText,
} from './format.ts';
import type { Report, ReportRuling } from './report.ts';
import { STYLE } from './style.ts';

const section = (id: string, title: string, ...parts: readonly string[]): string =>
  `<section id="${id}"><h2>${safe(title)}</h2>${parts.join('\n')}</section>`;

const WORDS = { pass: 'Pass', fail: 'Fail', invalid: 'No conclusion' } as const;

/** report.html: one file that asks nobody for anything. Verdict, budgets, curves, rules, stack, host. */
export function html(report: Report, charts: readonly Chart[]): string {
  const title = `${report.scenario}: ${WORDS[report.outcome]} (${report.exitCode})`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${safe(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${verdict(report)}
${tiles(report)}
${section('budgets', 'Budgets', ...budgets(report))}
${charts.length === 0 ? '' : section('curves', 'Curves', ...charts.map(figure))}
${section('latency', 'Latency', latency(report), outcomes(report))}
${report.stages.length === 0 ? '' : section('stages', 'Stages', stageTable(report))}
${report.faults.length === 0 ? '' : section('faults', 'Faults', faultTable(report))}
${section('rules', 'Rules of the run', rules(report))}
${section('stack', 'Stack', stack(report))}
${section('host', 'Host and generator', facts(hostFacts(report)), resources(report))}
${section('run', 'This run', facts(runFacts(report)), ...notes(report))}
</main>
</body>
</html>
`;
}

function verdict(report: Report): string {
  const { outcome, exitCode } = report;
  const because = [...report.invalidBecause, ...report.breachedBecause];
  return `<header class="${outcome}">
<p class="name">${safe(report.scenario)} <span class="scale">${safe(scaleText(report))}</span></p>
<h1>${WORDS[outcome]} <span class="code">exit ${exitCode}</span></h1>
<p class="about">${safe(report.headline)}</p>
<p class="counts">${safe(countsLine(countRulings(report.rulings)))}</p>
${report.description === '' ? '' : `<p class="about">${safe(report.description)}</p>`}
${because.length === 0 ? '' : `<ul>${because.map((reason) => `<li>${safe(reason)}</li>`).join('')}</ul>`}
</header>`;
}

/** The handful of figures that everybody asks for first. */
function tiles({ load, latency, throughput, bottleneck, integrity, operations }: Report): string {
  const all: readonly (readonly [string, string, string])[] = [
    ['Players', numberText(load.peakCcu), `of ${numberText(load.requestedCcu)} requested`],
    ['Operations', quantity(throughput.operationsPerSecond, '/s').replace(' /s', '/s'), 'acknowledged'],
    ...operations.slice(0, 1).map(({ id, label }) => {
      const { due } = ofOperation(latency, id);
      return [
        `${capital(label)} p95`,
        quantity(due.p95, 'ms'),
        `p99 ${quantity(due.p99, 'ms')}, from due`,
      ] as const;
    }),
    [
      'Acknowledged and lost',
      numberText(integrity.lost),
      integrity.lost === null ? 'not checked' : `of ${numberText(integrity.acked)}`,
    ],
    ['Bottleneck', bottleneck.resource, bottleneck.evidence],
  ];
  return `<div class="tiles">${all
    .map(
      ([name, value, more]) =>
        `<div><p>${safe(name)}</p><strong>${safe(value)}</strong><p>${safe(more)}</p></div>`,
    )
    .join('')}</div>`;
}

function faultTable({ faults }: Report): string {
  const head = [
    ...['', 'At', 'Down', 'Recovery', 'Backlog', 'Failed', 'Timed out', 'Skipped', 'Reconnects'],
    ...['Lost', 'Phantom', 'Twice', 'Holes'],
  ];
  return table(
    head,
    faults.map((fault) =>
      row([
        fault.error === null ? fault.id : `${fault.id}: ${fault.error}`,
        ...[fault.from, fault.downSeconds, fault.recoverySeconds].map((value) => quantity(value, 's')),
        ...[
          ...[fault.backlogPeak, fault.failed, fault.timedOut, fault.skipped, fault.reconnects],
          ...[fault.lost, fault.phantom, fault.duplicated, fault.holes],
        ].map((n) => numberText(n)),
      ]),
    ),
  );
}

const STATE_WORDS = {
  met: '✓ met',
  breached: '✗ breached',
  contradicted: '≠ contradicted',
  unmeasured: '– unmeasured',
  untestable: '· untestable',
} as const;

function budgetRow(ruling: ReportRuling): string {
  const details = [
    ruling.condition === null ? '' : `Condition: ${ruling.condition}`,
    metricText(ruling) === '' ? '' : `Figure: ${metricText(ruling)}`,
    ruling.samples === null ? '' : `${numberText(ruling.samples)} samples`,
    sourceText(ruling),
  ].filter((text) => text !== '');
  return `<tr class="${ruling.state}"><td class="state">${STATE_WORDS[ruling.state]}</td><td>${safe(ruling.id)}</td><td>${safe(ruling.title)}${
    ruling.reason === null ? '' : `<p class="reason">${safe(ruling.reason)}</p>`
  }<p class="source">${safe(details.join(' · '))}</p></td><td class="number">${safe(limitText(ruling))}</td><td class="number">${safe(observedText(ruling))}</td></tr>`;
}

function budgets({ rulings }: Report): string[] {
  const head = ['', 'Claim', 'What is claimed', 'Limit', 'Observed'];
  const [breached = [], met = [], contradicted = [], unmeasured = [], untestable = []] = byState(rulings);
  const decided = [...breached, ...met];
  const open = [...contradicted, ...unmeasured];
  const of = (some: readonly ReportRuling[]): string => table(head, some.map(budgetRow), 'budgets');
  return [
    decided.length === 0 ? '<p>No budget was ruled.</p>' : of(decided),
    open.length === 0
      ? ''
      : `<h3>Contradicted or unmeasured (${open.length}): these do not decide</h3>${of(open)}`,
    untestable.length === 0
      ? ''
      : `<details><summary>Untestable here (${untestable.length})</summary><ul class="missing">${byReason(
          untestable,
        )
          .map(([reason, count]) => `<li>${count} × ${safe(reason)}</li>`)
          .join('')}</ul>${of(untestable)}</details>`,
  ];
}

const figure = ({ title, alt, png }: Chart): string =>
  `<figure><img alt="${safe(alt)}" title="${safe(title)}" width="960" height="420" src="data:image/png;base64,${Buffer.from(png).toString('base64')}"></figure>`;

function latency({ latency: all, operations }: Report): string {
  const cells = (p: Percentiles): string[] =>
    [p.mean, p.min, p.p50, p.max, p.p90, p.p95, p.p99, p.p999].map(cellText);
  const rows = operations.flatMap(({ id, label }) => {
    const { due, service, lag } = ofOperation(all, id);
    const name = capital(label);
    return [
      row([`${name}, from due`, ...cells(due), numberText(due.count), numberText(due.unanswered)]),
      row([`${name}, from sent`, ...cells(service), numberText(service.count), '']),
      row([`${name}, lag of sending`, ...cells(lag), numberText(lag.count), '']),
    ];
  });
  const columns = ['avg', 'min', 'p50', 'max', 'p90', 'p95', 'p99', 'p99.9', 'answered', 'unanswered'];
  return `${table(['ms', ...columns], rows, 'numbers')}<p class="note">Latency counts from the moment an operation was due. What was never answered counts as slower than everything else; the average, least and most are of what was answered.</p>`;
}

/** What became of all that was due in the measure phase. */
function outcomes(report: Report): string {
  const rows = report.operations.flatMap(({ id, label }) => {
    const counts = ofOperation(report.load.operations, id);
    if (counts.scheduled === 0) return [];
    const { scheduled, ok, rejected, failed, timedOut, unfinished, skipped } = counts;
    const cells = [scheduled, ok, rejected, failed, timedOut, unfinished, skipped].map((n) => numberText(n));
    return [row([capital(label), ...cells, sharesText(report, id)])];
  });
  const columns = ['due', 'ok', 'rejected', 'failed', 'timed out', 'unfinished', 'skipped', 'shares'];
  return rows.length === 0 ? '' : table(['', ...columns], rows, 'numbers');
}

function rules(report: Report): string {
  const rows = report.rules.map((rule) => {
    const { id, state, observed, decides, advice } = rule;
    const mark = { held: '✓ held', broken: '✗ broken', 'not-applicable': '– not applicable' }[state];
    const why = decides ? advice : `${advice} (noted; it does not decide)`;
    const more = state === 'broken' ? `<p class="reason">${safe(why)}</p>` : '';
    return `<tr class="${state}"><td class="state">${mark}</td><td>${safe(id)}${more}</td><td>${safe(ruleText(observed, rule))}</td><td>${safe(ruleLimitText(rule))}</td></tr>`;
  });
  const told = report.notes.map((text) => `<li>${safe(text)}</li>`).join('');
  return `${told === '' ? '' : `<ul class="told">${told}</ul>`}${table(['', 'Rule', 'Observed', 'Limit'], rows)}`;
}

function stack({ stack: { kind, documented, applied, reasons } }: Report): string {
  const names = Object.keys(documented);
  if (names.length === 0) return `<p>Nothing is known of the settings of this stack (${safe(kind)}).</p>`;
  // A name may be one that every object has.
  const differ = names.filter((name) => Object.hasOwn(reasons, name));
  const same = names.filter((name) => !Object.hasOwn(reasons, name));
  const cells = (name: string): string[] => [name, documented[name] ?? '', applied[name] ?? ''];
  return [
    `<p>A ${safe(kind)} stack. ${differ.length} of ${names.length} documented settings are applied otherwise.</p>`,
    differ.length === 0
      ? ''
      : table(
          ['Setting', 'Documented', 'Applied', 'Reason'],
          differ.map((name) => row([...cells(name), reasons[name] ?? ''])),
        ),
    same.length === 0
      ? ''
      : `<details><summary>Applied as documented (${same.length})</summary>${table(
          ['Setting', 'Documented', 'Applied'],
          same.map((name) => row(cells(name))),
        )}</details>`,
  ].join('\n');
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
      Ceilings: `INSERT ${numberText(ceilings.insertsPerSecond)}, UPDATE one by one ${numberText(ceilings.updatesPerSecondSingle)}, in batches ${numberText(ceilings.updatesPerSecondBatched)} rows/s (${quantity(ceilings.batchSpeedup, 'x')}): ${ceilings.statement ?? ''}`,
    }),
  };
}

function notes({ errors, probes }: Report): string[] {
  const list = [
    ...errors,
    ...probes.flatMap(({ name, gaps, lastError }) =>
      gaps === 0
        ? []
        : [`probe ${name}: ${gaps} seconds without data${lastError === null ? '' : ` (${lastError})`}`],
    ),
  ];
  if (list.length === 0) return [];
  return [`<h3>Errors and gaps</h3><ul>${list.map((text) => `<li>${safe(text)}</li>`).join('')}</ul>`];
}

function hostFacts({ host, generator, world, database, load }: Report): Readonly<Record<string, string>> {
  return {
    CPU: `${host.cpuModel}, ${host.cpus} cores`,
    Memory: `${bytesText(host.memoryBytes)}, ${quantity(host.memoryUsedPercent.max, '%')} used at most`,
    System: `${host.platform} ${host.arch}, kernel ${host.kernel}, node ${host.node}`,
    'CPU in use': `${quantity(host.cpuPercent.mean, '%')} of all cores, steal ${quantity(host.stealPercent, '%')}`,
    'of it': `PostgreSQL ${quantity(database.cpuPercentOfHost.mean, '%')}, generator ${quantity(generator.cpuPercentOfHost, '%')}, others ${quantity(host.otherCpuPercent, '%')}`,
    'World servers': `${world.servers}; the busiest ${quantity(world.cpuPercentOfCore.mean, '%')} of one core; ${bytesText(world.memoryTotalBytes.max)} together`,
    Generator: `${engineText(generator)}, ${load.colocated ? 'on the same host as the servers' : 'on a host of its own'}`,
    'Generator’s health': `loop blocked for ${quantity(generator.maxLoopDelayMs, 'ms')} at most, late ${quantity(generator.stalledPercent, '%')} of the time, busy ${quantity(generator.maxUtilisationPercent, '%')}`,
    'Lag of sending': `p99 ${quantity(generator.lagP99Ms, 'ms')}; the generator’s own p99 ${quantity(generator.ownLagP99Ms, 'ms')}; held back by the servers ${quantity(generator.pushbackMeanMs, 'ms')} on average`,
    'Its cost': `${quantity(generator.cpuMicrosPerOperation, 'us')} of CPU for each answered operation, ${bytesText(generator.memoryBytesPerPlayer)} for each player`,
    'Its ceiling': calibrationText(generator.calibration),
    Noise: `other processes ${quantity(host.foreignCpuPercent, '%')} of the CPU, throttled ${numberText(host.throttledPeriods)} periods, all waited for memory ${quantity(host.memoryPressurePercent, '%')} of the time, canary ${quantity(host.canaryDriftPercent, '%')} off, wall clock ${quantity(host.clockDriftMs, 'ms')} off`,
  };
}

/** Who was busy, each by its own account: what the bottleneck was told from. */
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
  return `<h3>Bottleneck: ${safe(bottleneck.resource)}</h3><p>${safe(bottleneck.evidence)}</p>${table(
    ['', 'Utilisation', 'CPU of the host', 'Waited for a CPU', ''],
    rows,
  )}`;
}

/** The measure phase in its parts: what was due in each. */
function stageTable({ stages, operations }: Report): string {
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

const safe = (text: string): string => markup(plain(text)).replaceAll("'", '&#39;');

/** A row of a table; the cells are escaped here. */
const row = (cells: readonly string[], tag: 'td' | 'th' = 'td'): string =>
  `<tr>${cells.map((cell) => `<${tag}>${safe(cell)}</${tag}>`).join('')}</tr>`;

const table = (head: readonly string[], rows: readonly string[], className = ''): string =>
  `<div class="wide"><table${className === '' ? '' : ` class="${className}"`}><thead>${row(head, 'th')}</thead><tbody>${rows.join('\n')}</tbody></table></div>`;

const facts = (all: Readonly<Record<string, string>>): string =>
  `<dl>${Object.entries(all)
    .map(([name, value]) => `<dt>${safe(name)}</dt><dd>${safe(value)}</dd>`)
    .join('')}</dl>`;

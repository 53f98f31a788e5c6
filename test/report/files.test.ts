import { HistogramLogReader } from 'hdr-histogram-js';
import { expect, test } from 'vitest';
import { countRulings } from '../../src/judge/verdict.ts';
import { drawingsOf } from '../../src/report/drawing.ts';
import { databaseFacts, hostFacts } from '../../src/report/facts.ts';
import { html } from '../../src/report/html.ts';
import { junit } from '../../src/report/junit.ts';
import { factList, safe } from '../../src/report/markup.ts';
import { histogramLogs, seriesCsv } from '../../src/report/render.ts';
import { summary } from '../../src/report/summary.ts';
import { terminalSummary } from '../../src/report/terminal.ts';
import { BUDGETS, budget, failedRun, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { NASTY, nastyBudget, reportFrom } from './report-of.ts';
import { elementsOf } from './xml.ts';

const scenario = scenarioOf({ scale: 0.25, budgets: [...BUDGETS, nastyBudget] });
const m = measurementsOf({ errors: [NASTY] });
const report = reportFrom(m, scenario);
const failed = reportFrom(failedRun(), scenario);

test('summary.md is a heading, the reasons and tables whose rows all have five columns', () => {
  const text = summary(report);
  expect(text).toMatch(/^### ❌ FAIL \(99\): recorded, 1 of 6 budgets breached, 6 not judged\n/);
  expect(text).toContain('scale 0.25');
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  expect(rows.length).toBeGreaterThan(8);
  expect(rows.filter((row) => row.replaceAll('\\|', '').split('|').length !== 7)).toEqual([]);
  expect(text).not.toContain('<script>');
  expect(summary(failed)).toContain('- postgres: port 5432 is in use');
});

test('a run that did not start has breached nothing, and each reason of its budgets is given once', () => {
  const page = html(failed, []);
  expect(page).toContain('<h2>Why there is no conclusion</h2>');
  expect(page).not.toContain('What was breached');
  expect(html(report, [])).toContain('<h2>What was breached</h2>');
  expect(`${page}${summary(failed)}`).not.toContain('logs/');
  const told = summary(failed);
  const shared = failed.rulings
    .filter(({ state }) => state === 'unmeasured')
    .map(({ reason }) => reason ?? '');
  expect(shared.length).toBeGreaterThan(new Set(shared).size);
  for (const reason of new Set(shared)) expect(told.split(`: ${reason}\n`)).toHaveLength(2);
});

test.each([
  ['interrupted', { state: 'interrupted', phase: 'measure' }, 'because the run was interrupted'],
  [
    'ended by a failure',
    { state: 'stackFailed', because: 'x', hint: 'y' },
    'because the run did not complete',
  ],
] as const)('a run that was %s has no verdict on the budgets that were met until then', (_, ending, why) => {
  const ended = reportFrom(measurementsOf({ ending }), scenarioOf());
  expect(countRulings(ended.rulings).met).toBeGreaterThan(0);
  const style = { colour: false, width: 120, full: false, page: 'report.html' };
  for (const text of [terminalSummary(ended, style), summary(ended), html(ended, []), junit(ended)]) {
    expect(text).toMatch(new RegExp(`[Nn]o verdict on the budgets, ${why}`));
    expect(text).not.toContain('budgets met,');
  }
});

test('no text of a scenario is live in summary.md', () => {
  const live = [
    '![tracked](https://evil.example/pixel.png)',
    '[click](https://evil.example)',
    'https://evil.example and www.evil.example',
    '<img src="https://evil.example">',
    '# a heading',
    '1. a list',
    '**bold** ~~struck~~ _slanted_ `code` $math$ &#33;[x](y)',
    '@somebody, look_at_this [ref][1]',
  ];
  const budgets = live.map((title, index) => budget({ id: `live-${index}`, metric: 'load.peakCcu', title }));
  const text = summary(
    reportFrom(measurementsOf({ errors: live }), scenarioOf({ name: 'recorded', budgets })),
  );
  expect(text).toContain('tracked');
  // Without what is escaped, nothing that Markdown or GitHub acts upon is left.
  const bare = text.replace(/\\[!-/:-@[-`{-~]/g, '').replace(/^\| --- .*$/gm, '');
  expect(bare).not.toMatch(/[[\]`*~$]|:\/\/|www\.|@(?!\u2060)|<img|&#33;/);
  expect(bare).not.toMatch(/^(- |\| )?(#|\d+\.) (a heading|a list)/m);
  expect(bare).not.toMatch(/(?<!\w)_\w/);
  expect(text).toContain('look_at_this');
});

test('what --set changed stands beside the scale, as text', () => {
  const altered = ['load.players=400', 'postgres.settings.log_line_prefix=<b>|'];
  const changed = reportFrom(m, scenarioOf({ altered }));
  expect(changed.altered).toEqual(altered);
  expect(summary(changed)).toContain(
    'scale 1 · altered: load.players=400, postgres.settings.log_line_prefix=&lt;b>\\|',
  );
  expect(html(changed, [])).toContain(
    'scale 1, altered: load.players=400, postgres.settings.log_line_prefix=&lt;b&gt;|',
  );
  expect(html(report, []) + summary(report)).not.toContain('altered');
});

test('series.csv has a line a second and a column a series', () => {
  const [header = '', ...lines] = seriesCsv(m, 0.25).trimEnd().split('\n');
  const names = header.split(',');
  expect(names).toEqual(['second', 'scale', ...Object.keys(m.series).sort()]);
  expect(lines.filter((line) => line.split(',').length !== names.length)).toEqual([]);
  expect(lines.map((line) => Number(line.split(',')[0]))).toEqual(
    Array.from({ length: 31 }, (_, i) => i - 2),
  );
  const scheduled = names.indexOf('load.intent.scheduled');
  // Two seconds of ramp, at half the rate.
  expect(lines[2 + 10]?.split(',')[scheduled]).toBe('9000');
  expect(seriesCsv(failedRun(), 1)).toBe('second,scale\n');
});

test('histogram logs are read back by the reader of the format', () => {
  const logs = histogramLogs(m, 0.25);
  expect([...logs.keys()]).toEqual(
    ['intent-due', 'intent-service', 'intent-lag']
      .concat(['monsterCommand-due', 'monsterCommand-service', 'monsterCommand-lag'])
      .map((name) => `histograms/${name}.hlog`),
  );
  const text = logs.get('histograms/intent-due.hlog') ?? '';
  expect(text).toContain('scale 0.25');
  const reader = new HistogramLogReader(text);
  const histogram = reader.nextIntervalHistogram();
  expect(histogram?.totalCount).toBe(20_000);
  expect((histogram?.getValueAtPercentile(95) ?? 0) / 1000).toBeCloseTo(
    report.latency.intent?.due.p95 ?? 0,
    1,
  );
  expect(reader.startTimeSec).toBeCloseTo(Date.parse(m.startedAt) / 1000 + 4.9, 3);
  expect(reader.nextIntervalHistogram()).toBeNull();
  expect(histogramLogs(failedRun(), 1).size).toBe(0);
});

test('report.html is one file: it makes no request, runs nothing, and takes text for text', () => {
  const drawings = drawingsOf(report, m).map((drawing) => ({ ...drawing, title: NASTY, alt: NASTY }));
  const page = html(report, drawings);
  expect(page).not.toMatch(/<script|<link rel="stylesheet"|https?:\/\/|<img/);
  const targets = [...page.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, target = '']) => target);
  expect(targets.filter((target) => !target.startsWith('#'))).toEqual(['data:,']);
  expect(page.match(/<title id="[^"]*">&lt;script&gt;/g)).toHaveLength(drawings.length);
  expect(page).not.toContain('\u001b');
});

test('each entry of the contents leads to a section', () => {
  const page = html(report, drawingsOf(report, m));
  const entries = [...page.matchAll(/<a href="#(\w+)">/g)].map(([, id]) => id);
  expect(entries).toEqual([...page.matchAll(/<section id="(\w+)">/g)].map(([, id]) => id));
  expect(entries.length).toBeGreaterThan(6);
});

test('each value of a table has the name of its column beside it, for narrow screens', () => {
  const page = html(report, []);
  for (const [table] of page.matchAll(/<table.*?<\/table>/gs)) {
    const named = [...table.matchAll(/<th scope="col">([^<]+)<\/th>/g)].map(([, name]) => name);
    for (const [row] of table.matchAll(/<tr(?: class="[\w-]+")?><td.*?<\/tr>/gs)) {
      expect([...row.matchAll(/<td data-name="([^"]+)"/g)].map(([, name]) => name)).toEqual(named);
    }
  }
});

test('a breached percentile without a figure says above what it is, never a dash', () => {
  const { intent, monsterCommand } = m.operations;
  const lost = { ...intent.measured, ok: 16_000, timedOut: 2000 };
  const slow = measurementsOf({ operations: { intent: { ...intent, measured: lost }, monsterCommand } });
  const timeouts = reportFrom(slow, scenario);
  const ruling = timeouts.rulings.find(({ id }) => id === nastyBudget.id);
  expect(ruling).toMatchObject({ state: 'breached', observed: null });
  expect(ruling?.observedAbove).toBeGreaterThanOrEqual(scenario.load.timeout / 1000);
  const told = `over ${scenario.load.timeout / 1e6} s: not answered`;
  const page = html(timeouts, []);
  expect(page).toContain(`<td data-name="Observed">${told}</td>`);
  expect(page).toContain('<td data-name="p99">not answered</td>');
  expect(summary(timeouts)).toContain(told);
  expect(junit(timeouts)).toContain(told);
  expect(terminalSummary(timeouts, { colour: false, width: 120, page: 'x', full: true })).toContain(told);
  // Those that were skipped have waited for nothing that is known.
  const skipped = { ...lost, timedOut: 0, skipped: 2000 };
  const late = measurementsOf({ operations: { intent: { ...intent, measured: skipped }, monsterCommand } });
  const above = reportFrom(late, scenario).rulings.find(({ id }) => id === nastyBudget.id)?.observedAbove;
  expect(above).toBe(report.latency.intent?.due.max);
});

test('report.html has the verdict first, then what was breached, then every other budget with its source', () => {
  const page = html(report, []);
  const order = [
    '>Fail',
    'id="breached"',
    'id="budgets"',
    'id="latency"',
    'id="rules"',
    'id="stack"',
    'id="host"',
  ].map((text) => page.indexOf(text));
  expect(order).not.toContain(-1);
  expect(order).toEqual([...order].sort((a, b) => a - b));
  for (const { id, source } of report.rulings) {
    if (id !== nastyBudget.id) expect(page).toContain(`<code>${id}</code>`);
    if (source !== null) expect(page).toContain(`${source.document}:${source.line}`);
  }
  expect(page).toContain('this host has 24 GB of memory');
  expect(html(failed, [])).toContain('No conclusion');
  expect(html(failed, [])).not.toMatch(/NaN|undefined|>null/);
});

test('a setting may have a name that every object has', () => {
  const setting = { setting: 'constructor', documented: 'a', applied: 'a', reason: null, hardware: false };
  const page = html(reportFrom(measurementsOf({ settings: [setting] }), scenarioOf()), []);
  expect(page).toContain('Applied as documented (1)');
  expect(page).toContain('<td>constructor</td>');
});

const relaxing = scenarioOf({
  altered: ['load.players=400'],
  rules: { ...scenarioOf().rules, generatorLoopDelayMs: 500, steadyP95Percent: 30, clockDriftMs: 20 },
});
const drifted = reportFrom(measurementsOf({ clockDriftMs: -61 }), relaxing);

test('each relaxed rule is told in every format, beside its default, and once', () => {
  const lines = [
    'relaxed: generator-loop-delay 500 ms (default 100 ms)',
    'relaxed: steady-p95 30% (default 25%)',
  ];
  expect(drifted.notes.filter((note) => note.startsWith('relaxed'))).toEqual(lines);
  const terminal = terminalSummary(drifted, { colour: false, full: true, width: 120, page: 'reports/a' });
  for (const line of lines) {
    expect(summary(drifted)).toContain(`- ${line}`);
    expect(html(drifted, [])).toContain(`<li>${line}</li>`);
    expect(terminal).toContain(`• ${line}`);
  }
  expect(html(drifted, [])).toContain('at most 500 ms (relaxed, default 100 ms)');
  const names = elementsOf(junit(drifted)).map(({ attributes }) => attributes.name);
  expect(names).toContain('generator-loop-delay, limit at most 500 ms (relaxed, default 100 ms)');
  expect(names).toContain('generator-utilisation');
});

test('a clock that was set is noted, and fails nothing', () => {
  expect(drifted.outcome).toBe('pass');
  expect(drifted.rules.find(({ id }) => id === 'clock')).toMatchObject({ state: 'broken', decides: false });
  const elements = elementsOf(junit(drifted));
  expect(elements.filter(({ name }) => name === 'failure')).toEqual([]);
  expect(elements.map(({ attributes }) => attributes.message)).toContain(
    'noted: observed -61 ms, limit at most 20 ms',
  );
  expect(summary(drifted)).toMatch(/- clock: -61 ms \(at most 20 ms\): the wall clock was set/);
});

test('junit.xml names what --set changed beside the scale', () => {
  expect(elementsOf(junit(drifted))[0]?.attributes.name).toBe(
    'recorded (scale 1, altered: load.players=400)',
  );
});

test('why a rule was not applicable is told', () => {
  const messages = elementsOf(junit(report)).map(({ attributes }) => attributes.message);
  expect(messages).toContain('not applicable: the servers share the host with the generator');
});

test('report.html shows who was busy, each by its own account, and the ceiling of the generator', () => {
  const page = html(report, []);
  for (const { resource, of } of report.bottleneck.resources) {
    expect(page).toContain(`<td>${resource}</td>`);
    expect(page).toContain(of.replaceAll("'", '&#39;'));
  }
  expect(page).toContain('100% of 31,500/s against null servers (target 21,000/s), 40% busy');
  expect(html(failed, [])).toContain('not calibrated');
});

test('a headline that begins with the id of a rule has it as it is written', () => {
  const { intent, monsterCommand } = m.operations;
  const measured = { ...intent.measured, scheduled: intent.measured.scheduled + 5 };
  const wrong = reportFrom(
    measurementsOf({ operations: { intent: { ...intent, measured }, monsterCommand } }),
    scenarioOf(),
  );
  expect(html(wrong, [])).toContain('<p class="headline">conservation.intent: ');
});

test('database, host and generator have the same facts on the page as in the full summary', () => {
  const page = html(report, []);
  for (const facts of [databaseFacts(report), hostFacts(report)]) {
    for (const values of Object.values(facts)) expect(page).toContain(safe(values.join('; ')));
  }
  expect(page).toContain('<dt>Flush round trip</dt>');
  // Of nothing there is no list, and the page leaves out a section without parts.
  expect(factList({})).toEqual([]);
});

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { documentFindings } from '../../src/report/claim-findings.ts';
import { claimsHtml } from '../../src/report/claims-html.ts';
import { drawingsOf } from '../../src/report/drawing.ts';
import { html } from '../../src/report/html.ts';
import { readDocuments } from '../../src/scenario/claims.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import {
  BUDGETS,
  budget,
  failedRun,
  measurementsOf,
  type Recorded,
  scenarioOf,
} from '../fixtures/recorded-run.ts';
import { CUT, STAGES, STORM, stageFacts } from '../fixtures/recorded-stages.ts';
import { nastyBudget, reportFrom } from '../report/report-of.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { browser, QUIET } from './browser.ts';

const pageOf = (m: Recorded, s: Scenario): string => {
  const report = reportFrom(m, s);
  return html(report, drawingsOf(report, m));
};

/** Every claim of every document, ruled by one run and by none. */
function claimsPage(): string {
  const file = join(import.meta.dirname, '../../fixtures/claims.json');
  const recorded = reportFrom(measurementsOf(), scenarioOf({ budgets: [...BUDGETS, nastyBudget] }));
  const runs = [{ ...recorded, bundle: 'reports/recorded-20261121T113000Z', system: 'flux' }];
  const scenarios = [{ name: 'recorded', system: 'flux', budgets: BUDGETS }];
  return claimsHtml(documentFindings(readDocuments(readFileSync(file, 'utf8')), scenarios, runs), runs);
}

const { load } = scenarioOf();
const { intent, monsterCommand } = measurementsOf().operations;
const unanswered = { ...intent, measured: { ...intent.measured, ok: 16_000, timedOut: 2000 } };
const PAGES = {
  passing: pageOf(measurementsOf(), scenarioOf()),
  failing: pageOf(
    measurementsOf({ stages: [stageFacts(0), stageFacts(1), stageFacts(2, STORM)], faults: [CUT] }),
    scenarioOf({
      load: { ...load, stages: STAGES },
      budgets: [
        ...BUDGETS,
        nastyBudget,
        budget({ id: 'full', title: 'full', stage: 'storm', metric: 'network.fullStrengthMs', limit: 1 }),
      ],
    }),
  ),
  overloaded: pageOf(
    measurementsOf({ operations: { intent: unanswered, monsterCommand } }),
    scenarioOf({ budgets: [...BUDGETS, nastyBudget] }),
  ),
  invalid: pageOf(failedRun(), scenarioOf()),
  claims: claimsPage(),
};

/** How much wider than its frame each page is, and the words outside of it. */
const MEASURE = `for (const frame of document.querySelectorAll('iframe')) {
  const { documentElement: root, defaultView: view } = frame.contentDocument;
  const outside = [...root.querySelectorAll('p, h1, h2, h3, td, dd, li, text')].filter((one) => {
    const { left, right, width } = one.getBoundingClientRect();
    return width > 0 && one.closest('.scroll') === null && (left < 0 || right > view.innerWidth);
  });
  const line = document.createElement('p');
  const names = outside.map((one) => one.textContent.slice(0, 40));
  line.textContent = [frame.title, view.innerWidth, root.scrollWidth - root.clientWidth, ...names].join('|');
  document.body.append(line);
}`;

/** What the browser has at the end, and what it wrote. */
function opened(page: string) {
  const folder = temporaryFolder();
  const file = join(folder, 'page.html');
  writeFileSync(file, page);
  const { stdout, stderr, status } = spawnSync(
    browser ?? '',
    [
      ...[...QUIET, '--host-resolver-rules=MAP * ~NOTFOUND'],
      ...[`--user-data-dir=${join(folder, 'browser')}`, '--dump-dom', `file://${file}`],
    ],
    { encoding: 'utf8', maxBuffer: 2 ** 26, timeout: 90_000 },
  );
  expect(status, stderr).toBe(0);
  return { dom: stdout, console: stderr.split('\n').filter((line) => line.includes('CONSOLE')) };
}

test.skipIf(browser === undefined)(
  'a page fits 320, 400 and 1400 pixels without horizontal scrolling',
  { timeout: 120_000 },
  () => {
    const frames = Object.entries(PAGES).flatMap(([name, page]) =>
      [320, 400, 1400].map((width) => {
        const source = page.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
        return `<iframe title="${name}" style="width:${width}px;height:900px;border:0" srcdoc="${source}"></iframe>`;
      }),
    );
    const { dom, console } = opened(
      `<!doctype html><meta charset="utf-8"><body>${frames.join('')}<script>onload = () => { ${MEASURE} };</script>`,
    );
    const measured = [...dom.matchAll(/<p>(\w+)\|(\d+)\|(\d+)(.*?)<\/p>/g)].map((match) => match.slice(1));
    expect(measured).toEqual(
      Object.keys(PAGES).flatMap((name) => ['320', '400', '1400'].map((width) => [name, width, '0', ''])),
    );
    expect(console).toEqual([]);
  },
);

test.skipIf(browser === undefined)('a page makes no request and logs no error', { timeout: 120_000 }, () => {
  const { dom, console } = opened(PAGES.failing);
  expect(dom.match(/<svg class="plot"/g)).toHaveLength(5);
  expect(console).toEqual([]);
  // The same with a request, which is what would be seen of one.
  const asking = PAGES.failing.replace('<main>', '<main><img src="http://127.0.0.1:9/a.png">');
  expect(opened(asking).console).toHaveLength(1);
});

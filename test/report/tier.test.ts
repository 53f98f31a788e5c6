import { expect, test } from 'vitest';
import { standingOf } from '../../src/report/claim-findings.ts';
import { hostFacts } from '../../src/report/facts.ts';
import { html } from '../../src/report/html.ts';
import { junit } from '../../src/report/junit.ts';
import { stepFactsOf } from '../../src/report/ladder-step.ts';
import { summary } from '../../src/report/summary.ts';
import { terminalSummary } from '../../src/report/terminal.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { judged } from '../judge/measured.ts';
import { reportFrom } from './report-of.ts';

const tier = { id: 'box', cpus: 2, kind: 'shared', baselinePercent: null, memoryBytes: 4 * 2 ** 30 };
const WORDS = "as a 2-vCPU, 4-GB box, with this host's cores";
const [m, scenario] = [measurementsOf({ tier }), scenarioOf()];
const report = reportFrom(m, scenario);
const plain = reportFrom(measurementsOf(), scenario);

test('the number of another machine is said to be that, in every format', () => {
  expect(report.tier).toEqual(tier);
  expect(report.headline).toBe(`${plain.headline}; ${WORDS}`);
  const style = { colour: false, width: 120, full: false, page: 'report.html' };
  expect(terminalSummary(report, style).replaceAll(/\s+/g, ' ')).toContain(WORDS);
  expect(summary(report)).toContain(WORDS);
  const escaped = WORDS.replace("'", '&#39;');
  expect(html(report, [])).toContain(escaped);
  expect(junit(report)).toMatch(/2-vCPU, 4-GB box/);
  expect(hostFacts(report)['emulated tier']).toEqual(expect.arrayContaining(['box', WORDS]));
});

test('without a tier nothing is said of one', () => {
  expect(plain).not.toHaveProperty('tier');
  expect(plain.headline).not.toContain('box');
  expect(hostFacts(plain)).not.toHaveProperty('emulated tier');
});

test('a step of a search does not repeat it', () => {
  expect(stepFactsOf(report, judged(m, scenario)).because).toBe(plain.headline);
});

test('such a run says nothing of the documented stack', () => {
  expect(standingOf(report)).toBe('another stack');
  expect(standingOf(plain)).toBeNull();
});

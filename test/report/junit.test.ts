import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isOfRule } from '../../src/judge/rules/rule.ts';
import type { IntegrityFacts, Measurements, Series } from '../../src/measurement/measurements.ts';
import { junit } from '../../src/report/junit.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { BUDGETS, budget, failedRun, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { NASTY, nastyBudget, reportFrom } from './report-of.ts';
import { type Element, elementsOf } from './xml.ts';

const recorded = measurementsOf();
const named = (elements: readonly Element[], name: string) =>
  elements.filter((element) => element.name === name);

const gauge = (value: number): Series => ({
  kind: 'gauge',
  points: Array.from({ length: 28 }, (_, second) => [second, value] as const),
});
/** A generator whose event loop was blocked for two seconds. */
const blocked = { series: { ...recorded.series, 'generator.0.loopDelayMs': gauge(2000) } };
const tight = { budgets: [budget({ id: 'tight', metric: 'latency.intent.due', stat: 'p95', limit: 1 })] };
const lost = (): Partial<Measurements> => ({
  integrity: { ...(recorded.integrity as IntegrityFacts), lost: 3 },
});

test.each<[what: string, m: Partial<Measurements>, s: Partial<Scenario>, exit: number, told: string | null]>([
  ['a pass', {}, {}, 0, null],
  ['a breach', {}, tight, 99, 'failure breached'],
  ['a broken rule', blocked, {}, 90, 'error invalid'],
  ['lost data', lost(), {}, 92, 'failure data-lost'],
  ['a stack that did not start', failedRun(), {}, 93, 'error invalid'],
  ['an interruption', { ending: { state: 'interrupted', phase: 'measure' } }, {}, 105, 'error invalid'],
])('the verdict is a case of its own: %s', (_what, m, s, exit, told) => {
  const report = reportFrom(measurementsOf(m), scenarioOf(s));
  expect(report.exitCode).toBe(exit);
  const elements = elementsOf(junit(report));
  const [verdict, result] = elements.slice(2);
  expect(verdict).toMatchObject({ name: 'testcase', attributes: { classname: 'verdict', name: 'verdict' } });
  expect(Number(verdict?.attributes.time)).toBeCloseTo(report.phases.end, 3);
  const wrong = elements.filter(({ name }) => name === 'failure' || name === 'error');
  if (exit !== 93) expect(junit(report)).toMatch(/<system-out>[^<]*\nintents: \S+% rejected/);
  if (told === null) return expect(wrong).toEqual([]);
  expect(`${result?.name} ${result?.attributes.type}`).toBe(told);
  expect(result?.attributes.message).toContain(`(${exit})`);
});

test('what is invalid is an error, what is breached a failure, each where it is', () => {
  const both = elementsOf(junit(reportFrom(measurementsOf(blocked), scenarioOf(tight))));
  const after = (name: string): Element | undefined =>
    both[both.findIndex(({ attributes }) => attributes.name?.startsWith(name)) + 1];
  expect(after('tight ')).toMatchObject({ name: 'failure', attributes: { type: 'breached' } });
  expect(after('generator-loop-delay')).toMatchObject({ name: 'error', attributes: { type: 'invalid' } });
  const rows = elementsOf(junit(reportFrom(measurementsOf(lost()), scenarioOf())));
  expect(rows[rows.findIndex(({ attributes }) => attributes.name === 'integrity') + 1]).toMatchObject({
    name: 'failure',
    attributes: { type: 'data-lost' },
  });
});

test.each<[id: string, reason: string, is: boolean]>([
  ['canary', 'canary: 12% (at most 5%): run it again', true],
  [
    'load-sustained.intent',
    'load not sustained (load-sustained.intent): 95% (at least 99%): fewer players',
    true,
  ],
  [
    'steal-max',
    'steal-mean: 3% (at most 2%): another machine; with it steal-max 12% (at most 10%), canary 7% (at most 5%)',
    true,
  ],
  [
    'canary',
    'steal-mean: 3% (at most 2%): another machine; with it steal-max 12% (at most 10%), canary 7% (at most 5%)',
    true,
  ],
  ['steal', 'steal-mean: 3% (at most 2%): another machine; with it steal-max 12% (at most 10%)', false],
  ['load-sustained.intent', 'load-sustained.intent.spike: 95% (at least 99%): fewer players', false],
])('a broken rule is an error where a reason speaks of it: %s in "%s"', (id, reason, is) => {
  expect(isOfRule(id, reason)).toBe(is);
});

/** Of Jenkins' junit-10.xsd, which GitLab's and GitHub's readers are wider than: attributes, required ones with `!`. */
const SCHEMA: Readonly<Record<string, readonly string[]>> = {
  testsuites: ['name', 'time', 'tests', 'failures', 'errors'],
  testsuite: ['name!', 'tests!', 'failures!', 'errors!', 'time', 'skipped', 'timestamp'],
  testcase: ['name!', 'time', 'classname'],
  failure: ['type', 'message'],
  error: ['type', 'message'],
  skipped: ['type', 'message'],
  'system-out': [],
};
const COUNTED = { failures: 'failure', errors: 'error', skipped: 'skipped' } as const;

test.each([
  ['a pass', measurementsOf(), scenarioOf({ scale: 0.25, budgets: [...BUDGETS, nastyBudget] })],
  ['no conclusion', measurementsOf({ ...blocked, errors: [NASTY] }), scenarioOf(tight)],
  ['no run', failedRun(), scenarioOf()],
])('it is what readers of the format expect: %s', (_what, m, s) => {
  const xml = junit(reportFrom(m, s));
  const elements = elementsOf(xml);
  for (const { name, attributes } of elements) {
    const schema = SCHEMA[name] ?? [];
    const required = schema.flatMap((one) => (one.endsWith('!') ? [one.slice(0, -1)] : []));
    expect(Object.keys(attributes)).toEqual(expect.arrayContaining(required));
    expect(schema.map((one) => one.replace('!', ''))).toEqual(
      expect.arrayContaining(Object.keys(attributes)),
    );
    if (name.startsWith('test')) expect(attributes.time).toMatch(/^\d+\.\d{3}$/);
  }
  const suites = xml.split('<testsuite ').slice(1);
  expect(suites).toHaveLength(3);
  const seconds = (all: readonly Element[]): number =>
    all.reduce((sum, { attributes }) => sum + Number(attributes.time), 0);
  const [whole] = named(elements, 'testsuites');
  expect(seconds(named(elements, 'testsuite'))).toBe(Number(whole?.attributes.time));
  expect(seconds(named(elements, 'testcase'))).toBe(Number(whole?.attributes.time));
  expect(Number(whole?.attributes.tests)).toBe(named(elements, 'testcase').length);
  for (const [i, suite] of named(elements, 'testsuite').entries()) {
    const text = suites[i] ?? '';
    expect(Number(suite.attributes.tests)).toBe(text.split('<testcase ').length - 1);
    for (const [count, element] of Object.entries(COUNTED)) {
      expect(Number(suite.attributes[count])).toBe(text.split(`<${element} `).length - 1);
    }
    expect(suite.attributes.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
  }
});

const DTD = join(import.meta.dirname, '..', 'fixtures', 'junit.dtd');

test.skipIf(spawnSync('xmllint', ['--version']).status !== 0).each([
  ['a pass', measurementsOf(), scenarioOf({ budgets: [...BUDGETS, nastyBudget] })],
  [
    'lost data, and no conclusion',
    measurementsOf({ ...blocked, ...lost(), errors: [NASTY] }),
    scenarioOf(tight),
  ],
  ['no run', failedRun(), scenarioOf()],
])('libxml2 reads and validates it: %s', (_what, m, s) => {
  const { status, stderr } = spawnSync('xmllint', ['--noout', '--dtdvalid', DTD, '-'], {
    ...{ input: junit(reportFrom(m, s)), encoding: 'utf8' },
  });
  expect([status, stderr]).toEqual([0, '']);
});

const scenario = scenarioOf({ scale: 0.25, budgets: [...BUDGETS, nastyBudget] });
const report = reportFrom(measurementsOf({ errors: [NASTY] }), scenario);

test('junit.xml has a case for each budget and each rule', () => {
  const elements = elementsOf(junit(report));
  const of = (name: string) => elements.filter((element) => element.name === name);
  expect(of('testcase')).toHaveLength(1 + report.rulings.length + report.rules.length);
  expect(of('failure')).toHaveLength(1 + report.rulings.filter(({ state }) => state === 'breached').length);
  const [, budgets, rules] = of('testsuite');
  expect(budgets?.attributes).toMatchObject({
    name: 'recorded (scale 0.25) budgets',
    tests: '12',
    failures: '1',
  });
  expect(Number(budgets?.attributes.skipped)).toBe(
    report.rulings.filter(({ state }) => state !== 'met' && state !== 'breached').length,
  );
  expect(rules?.attributes).toMatchObject({ tests: String(report.rules.length), failures: '0' });
  expect(of('skipped').map(({ attributes }) => attributes.message)).toContain('untestable: HAProxy');
});

test('junit.xml takes text for text', () => {
  const names = elementsOf(junit(report)).map(({ attributes }) => attributes.name ?? '');
  expect(names).toContain('nasty|<b> <script>alert("1")</script> & | `x`  ]]> \'quoted\'');
});

test('half a pair of surrogates, which XML cannot hold, is replaced', () => {
  const title = 'half \ud83d, whole \ud83d\ude00';
  const budgets = [budget({ id: 'half', metric: 'load.peakCcu', title })];
  const xml = junit(reportFrom(measurementsOf(), scenarioOf({ budgets })));
  expect(xml).toContain('half \ufffd, whole \ud83d\ude00');
});

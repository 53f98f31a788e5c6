import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { reportJson } from '../../src/report/render.ts';
import { reportJsonSchema, reportSchemaOf } from '../../src/report/report-schema.ts';
import { flux } from '../../src/systems/flux/system.ts';
import { mud } from '../../src/systems/mud/system.ts';
import { own } from '../../src/systems/own/system.ts';
import { DELIVERIES, PLAYER } from '../fixtures/recorded-deliveries.ts';
import { BUDGETS, budget, failedRun, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { CUT, STAGES, STORM, stageFacts } from '../fixtures/recorded-stages.ts';
import { reportFrom } from './report-of.ts';

const systems = [flux, mud, own];
const file = join(import.meta.dirname, '../../fixtures/schema/report.schema.json');
// How the committed file is made anew after the schema has grown.
if (process.env.CAPBENCH_WRITE_SCHEMA === '1') {
  writeFileSync(file, `${JSON.stringify(reportJsonSchema(systems), null, 2)}\n`);
}
const committed: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'));
const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(committed);

test('the committed JSON Schema is the one of the code (CAPBENCH_WRITE_SCHEMA=1 writes it)', () => {
  expect(committed).toEqual(JSON.parse(JSON.stringify(reportJsonSchema(systems))));
});

test.each([
  ['a healthy run', measurementsOf()],
  ['a run that failed before GO', failedRun()],
])('report.json of %s is as the schema says', (_, m) => {
  const report = JSON.parse(reportJson(reportFrom(m, scenarioOf())));
  expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
  expect(reportSchemaOf(systems).safeParse(report).success).toBe(true);
});

const leaves = (value: unknown, path = ''): string[] =>
  typeof value !== 'object' || value === null
    ? [path]
    : Object.entries(value).flatMap(([key, one]) =>
        leaves(one, Array.isArray(value) ? `${path}[]` : path === '' ? key : `${path}.${key}`),
      );

test('report.json of a run with everything in it has every path that it ever had', () => {
  const took = budget({ id: 'took', metric: 'target.metrics.took', stat: 'p95' });
  const m = measurementsOf({
    ...{ disconnects: 1000, reconnects: 1000, faults: [CUT], deliveries: DELIVERIES, player: PLAYER },
    stages: [stageFacts(0), stageFacts(1), stageFacts(2, STORM)],
    histograms: { took: { bounds: [1, 2], counts: [3, 4, 5] } },
  });
  const s = scenarioOf({ budgets: [...BUDGETS, took], load: { ...scenarioOf().load, stages: STAGES } });
  const paths = new Set(leaves(JSON.parse(reportJson(reportFrom(m, s)))));
  const known = readFileSync(join(import.meta.dirname, '../fixtures/report-paths.txt'), 'utf8');
  expect(
    known
      .trim()
      .split('\n')
      .filter((path) => !paths.has(path)),
  ).toEqual([]);
});

test('what is missing, or is not a number, is not a report; what was added is', () => {
  const report = reportFrom(measurementsOf(), scenarioOf());
  expect(validate({ ...report, load: { ...report.load, peakCcu: 'many' } })).toBe(false);
  expect(validate({ ...report, rulings: undefined })).toBe(false);
  expect(validate({ ...report, addedLater: 1 })).toBe(true);
});

test('the shape that scripts rely on', () => {
  const report = reportFrom(measurementsOf(), scenarioOf({ scale: 0.5 }));
  expect(Object.keys(report)).toEqual(
    expect.arrayContaining(
      [
        'schemaVersion',
        'scenario',
        'outcome',
        'exitCode',
        'invalidBecause',
        'rulings',
        'load',
        'latency',
      ].concat(
        ['throughput', 'integrity', 'network', 'rules', 'bottleneck', 'ceilings', 'faults', 'generator'],
        ['host', 'stack', 'scenarioHash', 'seed', 'commit', 'startedAt'],
      ),
    ),
  );
  expect(report.load.scale).toBe(0.5);
  expect(report.altered).toEqual([]);
  expect(report.rulings[0]).toMatchObject({
    id: 'FLX-151',
    claim: 'FLX-151',
    source: { document: 'flux-single-host.md', heading: 'Monitoring Setup', line: 557 },
    metric: 'latency.intent.due',
    stat: 'p95',
    op: '<',
    limit: 20,
    unit: 'ms',
    state: 'met',
    samples: 20_000,
    reason: null,
  });
  expect(report.rules[0]).not.toHaveProperty('consequence');
});

import { expect, test } from 'vitest';
import { z } from 'zod';
import { judge } from '../../src/judge/verdict.ts';
import { figure, spread } from '../../src/measurement/figure-kinds.ts';
import { systemFiguresOf } from '../../src/measurement/figures.ts';
import { figuresOf } from '../../src/measurement/figures-of.ts';
import type { SystemFigures } from '../../src/measurement/system-figures.ts';
import { html } from '../../src/report/html.ts';
import { reportOf } from '../../src/report/report.ts';
import { systemFacts } from '../../src/report/system-facts.ts';
import { terminalSummary } from '../../src/report/terminal.ts';
import { fluxFigures } from '../../src/systems/flux/figures.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';

const own: SystemFigures = {
  sections: {
    market: z.object({
      keysPerStall: figure('keys', 'Of each stall, on average.'),
      soldPerSecond: figure('ops/s'),
      heapBytes: spread('bytes', 'Of the largest process.'),
      idlePercent: figure('%'),
      redisTtlSeconds: figure('s'),
    }),
    world: z.object({ stalls: figure('entities') }),
  },
  of: () => ({
    market: {
      ...{ keysPerStall: 3, soldPerSecond: 12.5, idlePercent: null, redisTtlSeconds: 600 },
      heapBytes: { mean: 2 ** 20, min: null, max: 2 ** 21 },
    },
    world: { stalls: 7 },
  }),
};
const [m, s] = [measurementsOf(), scenarioOf({})];
const figures = figuresOf(m, s, own);
const report = reportOf(m, s, judge(m, s, figures), figures, systemFiguresOf(own));

test('figures of a section that only the system has are in the page and in the full summary', () => {
  expect(systemFacts(report)).toEqual({
    'keys per stall': ['3'],
    sold: ['12.5 ops/s'],
    heap: ['mean 1 MB, max 2 MB'],
    'Redis TTL': ['600 s'],
  });
  const page = html(report, []);
  expect(page).toContain('Figures of the system');
  expect(page).toContain('Of each stall, on average.');
  const style = { colour: false, width: 100, full: true, page: 'report.html' };
  expect(terminalSummary(report, style)).toMatch(/FIGURES OF THE SYSTEM\n[\s\S]*keys per stall/);
});

test('a system without a section of its own has none', () => {
  expect(systemFiguresOf(fluxFigures)).toEqual([]);
  expect(systemFiguresOf(undefined)).toEqual([]);
  const plain = reportOf(m, s, judge(m, s, figures), figures);
  expect(plain).not.toHaveProperty('systemFigures');
  expect(html(plain, [])).not.toContain('Figures of the system');
});

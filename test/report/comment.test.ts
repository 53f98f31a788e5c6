import { expect, test } from 'vitest';
import type { Ladder } from '../../src/model/ladder.ts';
import { commentText, runComment } from '../../src/report/comment.ts';
import { ladderInFormat } from '../../src/report/ladder-format.ts';
import { stepSummary } from '../../src/report/step-summary.ts';
import { trialsReport } from '../../src/report/trials.ts';
import { BUDGETS, budget, failedRun, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { NASTY, nastyBudget, reportFrom } from './report-of.ts';

const passed = reportFrom(measurementsOf(), scenarioOf());
const failed = reportFrom(
  measurementsOf({ errors: [NASTY] }),
  scenarioOf({ budgets: [...BUDGETS, nastyBudget] }),
);
const textOf = (report: typeof passed): string => commentText(runComment(report, null));
/** What is seen before anything is unfolded. */
const seen = (text: string): string => text.slice(0, text.indexOf('<details>'));

test('the verdict comes first, below a line by which the comment is found again', () => {
  const [marker, verdict] = textOf(passed).split('\n');
  expect(marker).toBe('<!-- capbench:run:recorded -->');
  expect(verdict).toBe('### ✅ PASS (0): recorded, 7 of 7 budgets met, 4 not judged');
  const [same] = textOf(failed).split('\n');
  expect(same).toBe(marker);
});

test('a breach is seen with its limit and its figure; everything else is folded', () => {
  const text = textOf(failed);
  expect(text).toContain('### ❌ FAIL (99)');
  expect(
    seen(text)
      .split('\n')
      .filter((line) => line.startsWith('| ❌')).length,
  ).toBe(1);
  expect(seen(text)).toContain('Next: ');
  expect(seen(text).length).toBeLessThan(1_000);
  expect(text.split('<details>')).toHaveLength(text.split('</details>').length);
  expect(text).toContain('<summary>Budgets, figures and notes</summary>');
});

test('of many breaches three are seen, and how many more there are', () => {
  const budgets = Array.from({ length: 30 }, (_, i) =>
    budget({ id: `b${i}`, title: `b${i} ${'long '.repeat(100)}`, metric: 'latency.intent.due', stat: 'p50' }),
  );
  const text = textOf(reportFrom(measurementsOf(), scenarioOf({ budgets })));
  expect(seen(text).match(/^\| ❌/gm)).toHaveLength(3);
  expect(seen(text)).toContain('and 27 more');
  expect(seen(text).length).toBeLessThan(2_000);
});

test('a run without a stack says why, and what to do', () => {
  const text = seen(textOf(reportFrom(failedRun(), scenarioOf())));
  expect(text).toContain('### ⚠️ INVALID (93)');
  expect(text).toContain('- postgres: port 5432 is in use');
});

test('of trials it is the one that decides, and says so', () => {
  const trial = (number: number, report: typeof passed) => ({ trial: number, folder: `${number}`, report });
  const trials = trialsReport([trial(1, passed), trial(2, failed)], { requested: 3, sameServer: false });
  const text = commentText(runComment(failed, { ...trials, decidedBy: 2 }));
  expect(text).toContain(
    '2 of 3 trials: 1 pass, 1 fail; this is trial 2, the first with the worst exit code',
  );
});

test('no text of a scenario is live, ends the marker, or makes a cell', () => {
  const name = '--> <img src=x> @team | [x](y)\n# h';
  const budgets = [budget({ id: 'b', title: name, metric: 'latency.intent.due', stat: 'p50' })];
  const text = textOf(reportFrom(measurementsOf({ errors: [name] }), scenarioOf({ name, budgets })));
  const [marker, ...rest] = text.split('\n');
  expect(marker).toBe('<!-- capbench:run:-img-src-x-team-x-y-h -->');
  const body = rest.join('\n').replace(/\\[!-/:-@[-`{-~]/g, '');
  expect(body).not.toMatch(/<img|@(?!\u2060)|[[\]]|^# h/m);
  const rows = body.split('\n').filter((line) => line.startsWith('| ❌'));
  expect(rows.map((row) => row.split('|').length)).toEqual([6, 7]);
});

test('a comment that GitHub would refuse is written without what is folded', () => {
  const text = commentText({
    about: ['run', 'x'],
    short: ['### verdict', ''],
    details: [{ title: 'all', lines: ['x'.repeat(70_000)] }],
  });
  expect(text.length).toBeLessThan(200);
  expect(text).toContain('### verdict\n\nThe rest is too long for a comment');
});

test('a summary that GitHub would drop is cut after a line', () => {
  expect(stepSummary('short\n')).toBe('short\n');
  const cut = stepSummary(`${'é'.repeat(99)}\n`.repeat(10_000));
  expect(Buffer.byteLength(cut)).toBeLessThan(512 * 1024);
  expect(Buffer.byteLength(cut)).toBeGreaterThan(500_000);
  expect(cut).toMatch(/é\n\n_Cut: .*_\n$/);
  expect(cut).not.toContain('\ufffd');
});

const ladder = {
  ...{
    scenario: 'chat',
    startedAt: '2026-11-30T12:00:00Z',
    seed: 1,
    scenarioHash: 'abc',
    precisionPercent: 5,
  },
  ...{ sameServer: false, tier: null, steps: [], host: { name: 'h', cpuModel: 'cpu', cpus: 2 } },
  result: {
    ...{ found: true, players: 300, lastPass: 300, firstFail: 320, confirmed: { passed: 5, of: 5 } },
    ...{ brokeFirst: null, ranOut: null, unfinished: null },
  },
} as unknown as Ladder;

test('a search has its number in every format but JUnit', () => {
  expect(ladderInFormat('comment', ladder)).toMatch(
    /^<!-- capbench:search:chat -->\n### ✅ FOUND \(0\): chat\n\n300 players keep every budget; 320 do not\n/,
  );
  expect(ladderInFormat('annotations', ladder)).toBe(
    '::notice title=chat%3A found (0)::300 players keep every budget; 320 do not\n',
  );
  expect(JSON.parse(ladderInFormat('bencher', ladder))).toEqual({ chat: { players: { value: 300 } } });
  expect(JSON.parse(ladderInFormat('bigger-is-better', ladder))).toHaveLength(1);
  expect(JSON.parse(ladderInFormat('smaller-is-better', ladder))).toEqual([]);
  expect(() => ladderInFormat('junit', ladder)).toThrow('a search has no junit.xml');
});

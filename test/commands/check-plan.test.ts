import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { withPlan } from '../audit/plans.ts';
import { type MemoryHost, memoryHost } from '../memory-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'check-plan-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function check(plan: string, ...argv: readonly string[]): Promise<MemoryHost> {
  writeFileSync(join(folder, 'mine.yaml'), withPlan(plan));
  const host = memoryHost(['check', 'mine.yaml', ...argv], { cwd: folder });
  await main(host);
  return host;
}

const PLAN =
  '{ load: { players: 5, operationsPerSecond: 5000 }, database: { rowWritesPerSecond: 4000, operationsPerRowWrite: 2 }, limits: [{ name: memory, needed: 2GB, limit: 1GB }] }';

test('check shows a line for each check of the plan, and its exit code stays 0', async () => {
  const host = await check(PLAN);
  expect(host.ended()).toBe(0);
  const [, ...lines] = host.out().split('\nPLAN\n')[1]?.split('\n\n')[0]?.split('\n') ?? [];
  expect(host.out()).toMatch(/^ {2}update-rate +ok +5,000 ops\/s \/ 2 operations a row write/m);
  expect(host.out()).toMatch(/^ {2}limit: memory +CONTRADICTED +2 GB, of 1 GB at most$/m);
  expect(lines.join(' ').replace(/ +/g, ' ')).toContain(
    'no check can use plan.load.players (proxy-connections needs proxy.connections): the figures',
  );
  expect(host.out().trimEnd().split('\n').at(-1)).toBe('plan: 2 checks, 1 contradicted');
});

test('check --json has the findings, and the plan as it was written', async () => {
  const { ok, plan, unusedFigures, scenario } = JSON.parse((await check(PLAN, '--json')).out());
  expect(ok).toBe(true);
  expect(plan).toEqual([
    expect.objectContaining({
      check: 'update-rate',
      subject: '',
      state: 'consistent',
      claims: [],
      disputed: [],
    }),
    {
      ...{ check: 'limit', title: expect.any(String), subject: 'memory', state: 'contradicted' },
      ...{ arithmetic: '2 GB, of 1 GB at most', claims: [], disputed: [] },
    },
  ]);
  expect(unusedFigures).toEqual(['plan.load.players']);
  expect(scenario.plan.limits).toEqual([{ name: 'memory', needed: '2GB', limit: '1GB' }]);
});

test('a scenario without a plan has no such section', async () => {
  writeFileSync(join(folder, 'other.yaml'), 'name: other\nsystem: flux\nload: { players: 10 }\n');
  const run = async (...argv: readonly string[]) => {
    const host = memoryHost(['check', 'other.yaml', ...argv], { cwd: folder });
    await main(host);
    return host.out();
  };
  expect(await run()).not.toContain('PLAN');
  expect(JSON.parse(await run('--json'))).not.toHaveProperty('plan');
});

test('figures of different units are refused with 104', async () => {
  const host = await check('{ limits: [{ name: a, needed: 5 batches/s, limit: 5 row writes/s }] }');
  expect(host.ended()).toBe(104);
  expect(host.err()).toContain('in row writes/s, beside "5 batches/s" in batches/s; expected the same unit');
});

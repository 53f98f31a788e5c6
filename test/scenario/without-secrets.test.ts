import { expect, test } from 'vitest';
import { Redaction } from '../../src/redaction.ts';
import { scenarioHash } from '../../src/scenario/resolved.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { withoutSecrets } from '../../src/scenario/without-secrets.ts';
import { budget, scenarioOf } from '../fixtures/recorded-run.ts';
import { minimal, read, thrownBy, written } from './scenario-text.ts';

const redaction = Redaction.of([], { PGPASSWORD: 's3cret-4711' });
const clean = (scenario: Scenario) => withoutSecrets(scenario, 'world.yaml', redaction);

test('a scenario without secrets stays unchanged, and keeps its hash', () => {
  const scenario = scenarioOf();
  const result = clean(scenario);
  expect(result).toEqual({ scenario, removed: [] });
  expect(scenarioHash(result.scenario)).toBe(scenarioHash(scenario));
});

test('secrets in prose are removed before it is hashed', () => {
  const { scenario, removed } = clean(
    scenarioOf({
      description: 'as in postgres://ann:x@db/world',
      deviations: [{ setting: 'port', documented: 'password=y', applied: 'is s3cret-4711', reason: 'none' }],
      budgets: [budget({ id: 'a', metric: 'load.peakCcu', title: 's3cret-4711', condition: 'http://t@h' })],
    }),
  );
  expect(scenario.description).toBe('as in postgres://(redacted)@db/world');
  expect(written(scenario)).not.toMatch(/ann:x|s3cret|password=y|t@h/);
  expect(removed).toEqual([
    'description (a user or a password in an address)',
    'deviations.0.documented (the value of a password, secret, token or key)',
    'deviations.0.applied (from the variable PGPASSWORD)',
    'budgets.0.title (from the variable PGPASSWORD)',
    'budgets.0.condition (a user or a password in an address)',
  ]);
  expect(clean(scenario)).toEqual({ scenario, removed: [] });
});

test('the names in a plan are prose, too, and so is the reason that they are in', () => {
  const plan = `plan: { pools: [{ name: s3cret-4711, limit: 1, users: [{ name: of s3cret-4711, processes: 2, connections: FLX-030 }] }] }\n`;
  const { scenario, removed } = clean(read(minimal(plan)));
  expect(written(scenario)).not.toContain('s3cret');
  expect(removed.map((one) => one.split(' ')[0])).toEqual([
    ...['plan.pools.0.name', 'plan.pools.0.users.0.name', 'budgets.0.contradicted'],
  ]);
});

test('where a secret cannot be removed, the scenario is refused without repeating it', () => {
  const { postgres } = scenarioOf();
  const settings = {
    ...postgres.settings,
    cluster_name: 'postgres://ann:hidden@db',
    log_line_prefix: 's3cret-4711',
    'my.s3cret-4711': '1',
  };
  const thrown = thrownBy(() => clean(scenarioOf({ postgres: { ...postgres, settings } })));
  expect(thrown.exitCode).toBe(104);
  expect(thrown.problems.map(({ path }) => path)).toEqual([
    'postgres.settings.cluster_name',
    'postgres.settings.log_line_prefix',
    'postgres.settings.my.(redacted)',
  ]);
  expect(thrown.problems[1]?.message).toContain('PGPASSWORD');
  expect(JSON.stringify(thrown.problems) + thrown.message).not.toMatch(/hidden|s3cret/);
});

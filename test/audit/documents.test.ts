import { describe, expect, test } from 'vitest';
import { nameOf } from '../../src/audit/audit.ts';
import { CHECKS } from '../../src/audit/checks.ts';
import { auditOf, DOCUMENTS } from './plans.ts';

describe.each(Object.entries(DOCUMENTS))('the plan of %s', (_, { text, found, consistent }) => {
  const { findings, unused } = auditOf(text);
  const contradicted = findings.filter(({ state }) => state === 'contradicted');

  test('is contradicted by exactly these checks', () => {
    expect(contradicted.map(nameOf)).toEqual(found.map(([, name]) => name));
  });

  test.each(found)('%s: %s has the arithmetic', (_item, name, part) => {
    expect(contradicted.find((one) => nameOf(one) === name)?.arithmetic).toContain(part);
  });

  test('has no figure that no check uses', () => {
    expect(unused).toEqual([]);
  });

  test('is consistent with other figures: the same checks find nothing', () => {
    const variant = auditOf(
      text,
      consistent.map((change) => `plan.${change}`),
    );
    expect(variant.findings.filter(({ state }) => state === 'contradicted')).toEqual([]);
    expect(variant.findings.map(nameOf)).toEqual(findings.map(nameOf));
    expect(variant.findings.flatMap(({ disputed }) => disputed)).toEqual([]);
  });
});

test('every check has a document in which it finds something, or is tested by itself', () => {
  const found = Object.values(DOCUMENTS).flatMap(({ found: all }) =>
    all.map(([, name]) => name.split(':')[0]),
  );
  const never = CHECKS.map(({ id }) => id).filter((id) => !found.includes(id));
  expect(never).toEqual(['proxy-connections', 'cost-per-player']);
});

test('arithmetic is one line with numbers', () => {
  const all = Object.values(DOCUMENTS).flatMap(({ text }) => auditOf(text).findings);
  expect(all.length).toBeGreaterThan(60);
  expect(
    all.filter(({ arithmetic }) => !/\d/.test(arithmetic) || /[\r\n]|undefined|NaN/.test(arithmetic)),
  ).toEqual([]);
});

test('a finding names the claims that took part, and of these the ones that the others contradict', () => {
  const flux = auditOf(DOCUMENTS.flux?.text ?? '').findings;
  expect(flux.find(({ check }) => check === 'batch-rate')).toMatchObject({
    claims: ['FLX-002', 'FLX-067', 'FLX-066', 'FLX-119', 'FLX-148', 'FLX-117'],
    disputed: ['FLX-119', 'FLX-148'],
  });
  const all = Object.values(DOCUMENTS).flatMap(({ text }) => auditOf(text).findings);
  expect(all.filter(({ claims, disputed }) => disputed.some((id) => !claims.includes(id)))).toEqual([]);
});

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

/** Items of the audit of the five documents that no figures or words of them contradict. */
const NEEDS_MORE: Readonly<Record<string, string>> = {
  Q14: 'a server: what a database that is killed has forgotten, and which matches are evicted (quiz-faults, quiz-eviction)',
  Q16: 'nothing: the rows of the table follow from each other (the sums of 5,000 and 10,000 matches)',
  M11: 'nothing: that the capacity is a plan and not measured is no contradiction',
  L2: 'a server: 500 saves in the 10 s until the process is killed are few enough (massless-restart)',
  L9: 'nothing: the document states no capacity',
};
const ITEMS = Object.entries({ F: 30, Q: 16, S: 12, M: 11, L: 9 }).flatMap(([document, count]) =>
  Array.from({ length: count }, (_, i) => `${document}${i + 1}`),
);

test('every contradiction that the documents have without a server is found by a check with a name', () => {
  const found = Object.values(DOCUMENTS).flatMap(({ found: all }) => all.map(([item]) => item));
  expect([...new Set([...found, ...Object.keys(NEEDS_MORE)])].toSorted()).toEqual(ITEMS.toSorted());
  expect(Object.keys(NEEDS_MORE).filter((item) => found.includes(item))).toEqual([]);
});

/** Found, and no claim is contradicted in runs: what contradicts it is no figure of the document. */
const UNDISPUTED: readonly (readonly [document: string, finding: string, why: string])[] = [
  [
    'flux',
    'per-address',
    'from how many addresses players come is known to whoever runs the load; m4pro-edge judges the limits',
  ],
  ['flux', 'new-per-address', 'the same'],
  [
    'flux',
    'concurrency: monsters',
    'how often a monster acts is of another document; m4pro-20k judges the 400,000 a second',
  ],
  [
    'quiz, option A',
    'concurrency: matches',
    'how long a match lasts is of another document; quiz-2000 judges 50 a second as a burst',
  ],
  [
    'quiz, option B',
    'alarm-always: errors',
    'the answers a second are of another document; quiz-server judges the alarm as it is written',
  ],
  [
    'realm',
    'alarm-always: memory of 1 GB with 50 agents',
    'whether it rings is measured in realm-10, realm-30 and realm-50',
  ],
  ['realm', 'alarm-always: processor', 'the same'],
];

test.each(UNDISPUTED)('%s: %s is contradicted, and disputes no claim: %s', (document, name) => {
  const finding = auditOf(DOCUMENTS[document]?.text ?? '').findings.find((one) => nameOf(one) === name);
  expect(finding).toMatchObject({ state: 'contradicted', disputed: [] });
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
    disputed: ['FLX-119', 'FLX-148', 'FLX-066'],
  });
  const all = Object.values(DOCUMENTS).flatMap(({ text }) => auditOf(text).findings);
  expect(all.filter(({ claims, disputed }) => disputed.some((id) => !claims.includes(id)))).toEqual([]);
});

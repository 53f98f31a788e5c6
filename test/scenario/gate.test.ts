import { expect, test } from 'vitest';
import { CONFIDENCE, isGateMetric, THRESHOLD } from '../../src/scenario/gate.ts';
import { conditionsOf, scenarioHash } from '../../src/scenario/resolved.ts';
import { minimal, problemsOf, read, written } from './scenario-text.ts';

const gated = (gate: string): string => minimal(`gate: ${gate}\n`);

test('a gate is read, and a bundle holds it as it was written', () => {
  const scenario = read(gated('{ threshold: 7.5%, confidence: 95%, metrics: [default, latencyP95.intent] }'));
  expect(scenario.gate).toEqual({
    ...{ threshold: '7.5%', confidence: '95%', metrics: ['default', 'latencyP95.intent'] },
  });
  expect(read(written(scenario)).gate).toEqual(scenario.gate);
  expect(read(minimal()).gate).toBeUndefined();
});

test.each([
  ['{ threshold: 5 }', 'expected a percentage of 0.1% to 90%, such as 5%'],
  ['{ threshold: 0.01% }', 'expected a percentage of 0.1% to 90%'],
  ['{ threshold: 95% }', 'expected a percentage of 0.1% to 90%'],
  ['{ threshold: -5% }', 'expected a percentage'],
  ['{ confidence: 50% }', 'expected a percentage of 80% to 99.99%, such as 99%'],
  ['{ confidence: 100% }', 'expected a percentage of 80% to 99.99%'],
  ['{ metrics: [] }', 'expected a list of 1 to 100 metrics'],
  ['{ metrics: [speed] }', 'expected default, cpuPerOperation'],
  ['{ metrics: [latencyP95.teleport] }', 'got the operation "teleport", expected one of intent'],
  ['{ treshold: 5% }', 'threshold'],
])('%s is refused: %s', (gate, message) => {
  const [problem] = problemsOf(gated(gate));
  expect(problem?.message).toContain(message);
  expect(problem?.path).toMatch(/^gate/);
});

test.each([
  ['default', true],
  ['cpuPerOperation', true],
  ['cpuPerOperation.database', true],
  ['memoryPerPlayer.my-server', true],
  ['latencyP99.intent', true],
  ['latencyP90.intent', false],
  ['cpuPerOperation.', false],
  ['cpuPerOperation.a.b', false],
  ['CPU', false],
  ['', false],
])('%j may decide: %s', (name, expected) => {
  expect(isGateMetric(name)).toBe(expected);
});

test('the bounds of the keys are in order', () => {
  expect(THRESHOLD[0]).toBeLessThan(THRESHOLD[1]);
  expect(CONFIDENCE[0]).toBeLessThan(CONFIDENCE[1]);
});

test('conditions are what shapes load and stack, and nothing that only judges or describes', () => {
  const base = conditionsOf(read(minimal()));
  expect(Object.keys(base)).toEqual(expect.arrayContaining(['load', 'world', 'postgres', 'faults']));
  const same = [
    minimal().replace('name: mine', 'name: other'),
    minimal('seed: 7\n'),
    minimal('description: another\n'),
    gated('{ threshold: 10% }'),
    minimal('rules: { foreignCpuPercent: 50 }\n'),
    minimal("budgets: [{ id: a, metric: load.peakCcu, op: '>=', limit: 1, unit: players }]\n"),
  ];
  for (const text of same) {
    expect(conditionsOf(read(text))).toEqual(base);
    expect(scenarioHash(read(text))).not.toBe(scenarioHash(read(minimal())));
  }
  const differing = (text: string): readonly string[] => {
    const other = conditionsOf(read(text));
    return [...new Set([...Object.keys(base), ...Object.keys(other)])].filter(
      (key) => base[key] !== other[key],
    );
  };
  expect(differing(minimal().replace('100', '200'))).toEqual(['load']);
  expect(differing(minimal('world: { servers: 3 }\n'))).toEqual(['world']);
  expect(differing(minimal('faults: [{ action: kill, of: postgres, at: 1s }]\n'))).toEqual(['faults']);
  expect(differing(minimal('limits: { stack: { cpus: 1 } }\n'))).toEqual(['limits']);
});

test('of a server of one’s own the stack is the version, and its players are not', () => {
  const own = (start: string, command = 'look'): string => `name: mine
system: own
load: { players: 10 }
players: { protocol: json, commands: [{ command: ${command} }] }
stack: { start: ${start}, ready: 8080 }
`;
  const of = (...args: Parameters<typeof own>) => conditionsOf(read(own(...args)));
  expect(of('node new.mjs')).toEqual(of('node old.mjs'));
  expect(of('node old.mjs')).not.toHaveProperty('stack');
  expect(of('node old.mjs', 'jump').players).not.toBe(of('node old.mjs').players);
});

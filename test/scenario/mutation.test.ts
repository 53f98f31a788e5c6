import { expect, test } from 'vitest';
import { random } from '../../src/rng.ts';
import { ScenarioError } from '../../src/scenario/problem.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { read, shipped } from './scenario-text.ts';

const SPLINTERS = [
  ...'.nan .inf -1 0 1e999 1e-9 "" ~ true [] {}'.split(' '),
  ...[
    '- ',
    ': ',
    '? ',
    '&a ',
    '*a',
    '!x ',
    '|',
    '>',
    '"',
    "'",
    '#',
    '\t',
    '\n',
    '\r',
    '\0',
    '---\n',
    '...\n',
  ],
  ...['%YAML 1.1\n', '<<: ', '__proto__: ', '\u2028', '😀'],
];

/** Damages a text in one of several ways, chosen by the seed. */
function mutate(text: string, next: () => number): string {
  const at = Math.floor(next() * text.length);
  const length = 1 + Math.floor(next() * 30);
  const splinter = SPLINTERS[Math.floor(next() * SPLINTERS.length)] ?? '';
  const lines = text.split('\n');
  const line = Math.floor(next() * lines.length);
  switch (Math.floor(next() * 7)) {
    case 0:
      return text.slice(0, at) + text.slice(at + length);
    case 1:
      return text.slice(0, at) + splinter + text.slice(at);
    case 2:
      return text.slice(0, at) + splinter + text.slice(at + length);
    case 3:
      return lines.toSpliced(line, 1).join('\n');
    case 4:
      return lines.toSpliced(line, 0, lines[Math.floor(next() * lines.length)] ?? '').join('\n');
    case 5:
      return lines.with(line, (lines[line] ?? '').replace(/: .*/, `: ${splinter}`)).join('\n');
    default:
      return text.slice(0, at);
  }
}

/** Every number of a scenario is finite. */
const finite = (value: unknown): boolean =>
  typeof value === 'number'
    ? Number.isFinite(value)
    : typeof value !== 'object' || value === null || Object.values(value).every(finite);

test.each(['quickstart', 'm4pro-20k', 'storm'])(
  '%s, damaged at random, is refused or still a scenario',
  { timeout: 60_000 },
  (name) => {
    const original = shipped(name);
    const next = random(20_000, name.length);
    const outcomes = { refused: 0, read: 0 };
    for (let i = 0; i < 300; i++) {
      let text = original;
      for (let cuts = 1 + Math.floor(next() * 3); cuts > 0; cuts--) text = mutate(text, next);
      let scenario: Scenario;
      try {
        scenario = read(text);
      } catch (thrown) {
        if (!(thrown instanceof ScenarioError))
          throw new Error(`mutation ${i} of ${name}`, { cause: thrown });
        expect(thrown.exitCode).toBe(104);
        expect(thrown.problems.length).toBeGreaterThan(0);
        for (const { where, message } of thrown.problems) {
          expect(where).toMatch(/^x\.yaml:\d+:\d+$/);
          expect(message).not.toMatch(/undefined|\[object|NaN/);
        }
        outcomes.refused++;
        continue;
      }
      expect(finite(scenario)).toBe(true);
      expect(scenario.load.players).toBeGreaterThanOrEqual(scenario.world.servers);
      outcomes.read++;
    }
    expect(outcomes.refused).toBeGreaterThan(100);
    expect(outcomes.read).toBeGreaterThan(10);
  },
);

import { describe, expect, it } from 'vitest';
import {
  argumentOf,
  KIND,
  kindOf,
  parseIntent,
  quotedOf,
} from '../../../../src/systems/flux/server/intent.ts';

const read = (text: string): { kind: number; argument: number; quoted: string | null } => {
  const command = parseIntent(text);
  return { kind: kindOf(command), argument: argumentOf(command), quoted: quotedOf(command, text) };
};

describe('what a text asks for', () => {
  it.each([
    ['go north', KIND.north],
    ['go east', KIND.east],
    ['go south', KIND.south],
    ['go west', KIND.west],
    ['look', KIND.look],
    ['guard', KIND.guard],
  ])('%s', (text, kind) => {
    const spelt = [text, text.toUpperCase(), `  ${text}\t`, text.replace(' ', '   '), `\n${text}\n`];
    for (const spelling of spelt) {
      expect([spelling, read(spelling)]).toEqual([spelling, { kind, argument: 0, quoted: null }]);
    }
  });

  it('attack names its target', () => {
    expect(read('attack 0')).toEqual({ kind: KIND.attack, argument: 0, quoted: null });
    expect(read(' ATTACK  75123 ')).toEqual({ kind: KIND.attack, argument: 75_123, quoted: null });
  });

  it('a target beyond every id is nobody, and never another one', () => {
    const nobody = read('attack 999999999').argument;
    for (const id of ['134217727', '1000000000', '4294967308', '9'.repeat(400)]) {
      expect([id, read(`attack ${id}`).argument]).toEqual([id, nobody]);
    }
    expect(nobody).toBeGreaterThan(20_000_000);
  });

  it('say keeps its words as they are', () => {
    expect(read('  SAY  Hello  World ')).toEqual({ kind: KIND.say, argument: 0, quoted: 'Hello  World' });
    expect(read(`say ${'x'.repeat(200)}`).kind).toBe(KIND.say);
    expect(read(`say ${'x'.repeat(201)}`)).toEqual({ kind: KIND.tooLong, argument: 0, quoted: null });
  });

  it.each([
    ['', 'gone', 'go', 'go up', 'go north now', 'gonorth', 'looks', 'look around', 'guard 1', 'say', 'say  '],
    ['attack', 'attack x', 'attack 1x', 'attack -1', 'attack 1.5', 'attack 1 2', 'attack１', 'constructor'],
    ['__proto__', '💥', '\u0000'],
  ])('anything else is not understood: %s ...', (...texts) => {
    for (const text of texts)
      expect([text, read(text)]).toEqual([text, { kind: KIND.unknown, argument: 0, quoted: text }]);
  });
});

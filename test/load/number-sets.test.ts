import { expect, test } from 'vitest';
import { NumberSets } from '../../src/load/number-sets.ts';
import { random } from '../../src/rng.ts';

const BASE = 100;

function fresh(entities: number): NumberSets {
  const sets = new NumberSets(new Float64Array(entities).fill(BASE));
  for (let entity = 0; entity < entities; entity++) sets.begin(entity);
  return sets;
}

/** The members of a set, computed from its gaps. */
function membersOf(sets: NumberSets, entity: number): number[] {
  const gaps = sets.gapsOf(entity);
  const members: number[] = [];
  for (let number = BASE + 1; number <= (sets.max[entity] ?? 0); number++) {
    const isIn = (at: number) => number >= (gaps[at] ?? 0) && number <= (gaps[at + 1] ?? 0);
    if (!Array.from(gaps, (_, at) => at % 2 === 0 && isIn(at)).includes(true)) members.push(number);
  }
  return members;
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, one) => total + one, 0);

test('a set does not depend on the order of additions, and survives its plain-data form', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const draw = random(seed, 5);
    const sets = fresh(3);
    const model = new Set<number>();
    for (let step = 0; step < 80; step++) {
      const number = BASE + 1 + Math.floor(draw() * 60);
      sets.add(1, number);
      model.add(number);
      const expected = [...model].sort((a, b) => a - b);
      const above = BASE - 5 + Math.floor(draw() * 70);
      for (const read of [sets, NumberSets.from(sets.base, sets.toData())]) {
        expect(membersOf(read, 1)).toEqual(expected);
        expect(read.count(1)).toBe(model.size);
        expect(read.sum(1)).toBe(sum(model));
        expect(read.countAbove(1, above)).toBe(expected.filter((one) => one > above).length);
        expect(read.isBlurred(1)).toBe(false);
      }
    }
    expect(sets.count(0)).toBe(0);
    expect(sets.sum(2)).toBe(0);
  }
});

test('memory is bounded: beyond the limit of gaps, count and sum are kept, and the last gaps are merged', () => {
  // Sixteen gaps for each entity.
  const sets = fresh(1_000_000);
  const model = new Set<number>();
  const add = (number: number) => {
    sets.add(7, number);
    model.add(number);
  };
  for (let number = BASE + 2; number <= BASE + 200; number += 2) add(number);
  // In a gap with others around it, too.
  add(BASE + 151);
  for (let number = BASE + 201; number <= BASE + 210; number++) add(number);
  for (const read of [sets, NumberSets.from(sets.base, sets.toData())]) {
    expect(read.gapsOf(7)).toHaveLength(32);
    expect(read.isBlurred(7)).toBe(true);
    expect(read.count(7)).toBe(model.size);
    expect(read.sum(7)).toBe(sum(model));
    // Every number that it still lists is a member.
    for (const number of membersOf(read, 7)) expect(model.has(number)).toBe(true);
    expect(read.max[7]).toBe(BASE + 210);
  }
});

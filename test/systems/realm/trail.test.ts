import { expect, test } from 'vitest';
import type { Spot } from '../../../src/systems/realm/area.ts';
import { Trail } from '../../../src/systems/realm/trail.ts';

const [START, FIRST, SECOND, THIRD] = [0, 1, 2, 3].map((x) => ({ x, z: 0 })) as [Spot, Spot, Spot, Spot];

/** It has moved to 1, 0 and 2, 0, which was acknowledged, and asked for 3, 0. */
function trail(): Trail {
  const own = new Trail();
  expect(own.welcomed(0, START)).toBeNull();
  own.sent(1, FIRST);
  own.sent(2, SECOND);
  own.sent(3, THIRD);
  own.applied(1);
  own.applied(2);
  return own;
}

test.each<[what: string, last: number, spot: Spot, isRight: boolean]>([
  ['after its last acknowledged move', 2, SECOND, true],
  ['after one that nobody answered', 3, THIRD, true],
  ['with a number whose move may have been refused', 3, SECOND, true],
  ['with a number, and not where its move led', 2, FIRST, false],
  ['back where it began, with all of its numbers', 2, START, false],
  ['after a loss, where it was then', 1, FIRST, true],
  ['after a loss, where it was later', 1, SECOND, false],
  ['after a loss of everything', 0, START, true],
  ['after a loss of everything, somewhere', 0, FIRST, false],
])('an agent is welcome %s', (_, last, spot, isRight) => {
  expect(trail().welcomed(last, spot) === null).toBe(isRight);
});

test('a refused move led nowhere, and what was lost once does not come back', () => {
  const own = trail();
  own.refused(3);
  expect(own.welcomed(3, THIRD)).toContain('its move 2 led to 2, 0');
  expect(own.welcomed(1, FIRST)).toBeNull();
  expect(own.welcomed(5, SECOND)).toContain('its move 1 led to 1, 0');
});

test('of more moves than are kept, nothing is said where they began', () => {
  const own = new Trail();
  own.welcomed(0, START);
  for (let number = 1; number <= 600; number++) own.sent(number, FIRST);
  expect(own.welcomed(600, THIRD)).toBeNull();
});

import { expect, test } from 'vitest';
import { studentQuantile } from '../src/student.ts';

test.each([
  // From published tables of Student's t.
  [0.95, 1, 12.706],
  [0.95, 2, 4.303],
  [0.95, 3, 3.182],
  [0.95, 10, 2.228],
  [0.95, 18, 2.101],
  [0.9, 1, 6.314],
  [0.9, 2, 2.92],
  [0.9, 4, 2.132],
  [0.9, 5, 2.015],
  [0.9, 30, 1.697],
  [0.99, 4, 4.604],
])('within %d at %d degrees of freedom: %d', (share, freedom, table) => {
  expect(studentQuantile(share, freedom)).toBeCloseTo(table, 3);
});

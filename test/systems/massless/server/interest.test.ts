import { expect, test } from 'vitest';
import { random as openRandom } from '../../../../src/rng.ts';
import { Interest } from '../../../../src/systems/massless/server/interest.ts';
import { BANDS, type Place } from '../../../../src/systems/massless/wire.ts';

/** The band by definition. */
const bandOf = (a: Place, b: Place): number =>
  BANDS.findIndex(({ reach }) => Math.hypot(a.x - b.x, a.z - b.z) <= reach) + 1;

const pair = (one: number, other: number): string => [one, other].sort((a, b) => a - b).join(' ');

test('after each update the changes add up to the bands, while many come, go and move', () => {
  const interest = new Interest();
  const random = openRandom(7, 1);
  const place = (): Place => ({ x: random() * 200, z: random() * 200 });
  const places = new Map<number, Place>();
  /** By pair; as the changes say. */
  const bands = new Map<string, number>();
  const wrong: string[] = [];
  for (let round = 0; round < 200; round++) {
    for (const slot of [...places.keys()]) {
      if (random() < 0.05) {
        interest.leave(slot, (by, band) => {
          if (bands.get(pair(slot, by)) !== band) wrong.push(`left in band ${band}`);
          bands.delete(pair(slot, by));
        });
        places.delete(slot);
        // Those that were out of its sight.
        for (const other of places.keys()) {
          if ((bands.get(pair(slot, other)) ?? 0) > 0) wrong.push('left in sight');
          bands.delete(pair(slot, other));
        }
      } else if (random() < 0.3) {
        places.set(slot, place());
        interest.move(slot, places.get(slot)!);
      }
    }
    for (let i = 0; i < 4; i++) {
      const at = place();
      const slot = interest.enter(at);
      expect(places.has(slot)).toBe(false);
      places.set(slot, at);
    }
    interest.update((one, other, before, after) => {
      if ((bands.get(pair(one, other)) ?? 0) !== before) wrong.push('before');
      bands.set(pair(one, other), after);
    });
    for (const [one, a] of places)
      for (const [other, b] of places)
        if (one < other && (bands.get(pair(one, other)) ?? 0) !== bandOf(a, b)) wrong.push('band');
    expect(wrong).toEqual([]);
    expect(interest.size).toBe(places.size);
  }
  // Slots are used again: there were 800, and never so many at once.
  expect(Math.max(...places.keys())).toBeLessThan(200);
});

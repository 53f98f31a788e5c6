import { expect, test } from 'vitest';
import { PlaceHistory } from '../../../src/systems/massless/place-history.ts';
import { wrongSight } from '../../../src/systems/massless/sight.ts';
import type { Place, ZoneView } from '../../../src/systems/massless/wire.ts';

function history(...acks: readonly (readonly [tick: number, x: number])[]): PlaceHistory {
  const places = new PlaceHistory();
  for (const [tick, x] of acks) places.add(tick, { x, z: 0 });
  return places;
}

/** What player 0 sees at tick 12 of player 1, which is in one band or in several. */
function seen(bands: Partial<Record<'near' | 'mid' | 'far', number>>): ZoneView {
  const map = (x: number | undefined): ReadonlyMap<string, Place> =>
    new Map(x === undefined ? [] : [['1', { x: Math.fround(x), z: 0 }]]);
  return { tick: 12, near: map(bands.near), mid: map(bands.mid), far: map(bands.far) };
}

const viewer = history([1, 0], [20, 0]);
const judge = (state: ZoneView, other: PlaceHistory) =>
  wrongSight(state, viewer, { player: 1, places: other }, 20);

test('a place is known from the first to the last acknowledgement', () => {
  const places = history([3, 1], [7, 2]);
  expect([2, 3, 6, 7, 8].map((tick) => places.at(tick)?.x ?? null)).toEqual([null, 1, 1, 2, null]);
  for (let tick = 8; tick < 80; tick++) places.add(tick, { x: tick, z: 0 });
  expect([places.at(7), places.at(20)?.x]).toEqual([null, 20]);
});

test('another is in the band of its distance, and in no other', () => {
  const near = history([1, 20.1], [15, 21]);
  expect(judge(seen({ near: 20.1 }), near)).toBe('');
  expect(judge(seen({ mid: 20.1 }), near)).toBe(
    'at tick 12 player 1, 20.10 units away, is in mid, expected near',
  );
  expect(judge(seen({}), near)).toMatch(/is in no band, expected near$/);
  expect(judge(seen({ near: 20.1, far: 20.1 }), near)).toMatch(/is in near and far, expected near$/);
  const away = history([1, 100.5], [15, 99]);
  expect(judge(seen({}), away)).toBe('');
  expect(judge(seen({ far: 100.5 }), away)).toMatch(/is in far, expected no band$/);
});

test('a band shows where another was when that band was written last', () => {
  // The far band is written at the ticks 5, 10 and 15.
  const far = history([1, 70], [9, 71], [11, 72], [15, 73]);
  expect(judge(seen({ far: 71 }), far)).toBe('');
  expect(judge(seen({ far: 70 }), far)).toMatch(/is in far at 70, 0, expected 71, 0$/);
  // Written too often.
  expect(judge(seen({ far: 72 }), far)).toMatch(/is in far at 72, 0, expected 71, 0$/);
});

test('what is not known is not judged', () => {
  expect(judge(seen({}), history([1, 20]))).toBeNull();
  expect(judge(seen({}), history([13, 20], [15, 20]))).toBeNull();
  expect(judge({ ...seen({}), tick: 30 }, history([1, 20], [40, 20]))).toBeNull();
  // In sight, and only its place when the band was written is unknown.
  expect(judge(seen({ far: 1 }), history([11, 70], [15, 70]))).toBe('');
});

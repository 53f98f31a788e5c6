import { describe, expect, it } from 'vitest';
import { partitionOf } from '../../../../src/systems/flux/server/partition.ts';
import { NOWHERE, Places } from '../../../../src/systems/flux/server/places.ts';

const BACK = [2, 3, 0, 1];

describe('the grid of places', () => {
  for (const count of [1, 2, 3, 5, 16, 30, 2_500]) {
    it(`of ${count}: every way leads back, inside the grid, one step in its direction`, () => {
      const places = new Places(count, 100);
      const width = Math.ceil(Math.sqrt(count));
      const step = [-width, 1, width, -1];
      for (let place = 0; place < count; place++) {
        for (let direction = 0; direction < 4; direction++) {
          const to = places.neighbour(place, direction);
          if (to === NOWHERE) continue;
          expect(to).toBe(place + (step[direction] ?? 0));
          expect(to >= 0 && to < count).toBe(true);
          if (direction % 2 === 1) expect(Math.floor(to / width)).toBe(Math.floor(place / width));
          expect(places.neighbour(to, BACK[direction] ?? 0)).toBe(place);
        }
        expect(places.exitsJson(place)).toBe(JSON.stringify(places.exits(place)));
      }
    });
  }

  it('has a wall between about one pair of neighbours in five, always the same', () => {
    const ways = (offset: number): number => {
      const places = new Places(2_500, offset);
      let open = 0;
      for (let place = 0; place < 2_500; place++) open += places.exits(place).length;
      return open / 2;
    };
    const pairs = 2 * 50 * 49;
    expect(1 - ways(0) / pairs).toBeGreaterThan(0.17);
    expect(1 - ways(0) / pairs).toBeLessThan(0.23);
    expect(ways(0)).toBe(ways(0));
    expect(new Places(2_500, 0).exitsJson(7)).toBe(new Places(2_500, 0).exitsJson(7));
  });

  it('knows no place outside', () => {
    const places = new Places(4, 0);
    expect(places.neighbour(4, 0)).toBe(NOWHERE);
    expect(places.exitsJson(9)).toBe('[]');
  });
});

describe('who owns what', () => {
  for (const [players, monsters, instances, playersPerPlace] of [
    [20_000, 75_000, 4, 2],
    [1_003, 17, 4, 10],
    [3, 0, 4, 2],
    [0, 9, 2, 1],
  ] as const) {
    it(`${players} players and ${monsters} monsters over ${instances} instances: all, each once`, () => {
      const size = { players, monsters, instances, playersPerPlace };
      let [player, monster, place]: [number, number, number] = [0, players, 0];
      for (let instance = 1; instance <= instances; instance++) {
        const owned = partitionOf(size, instance);
        expect(owned.players.from).toBe(player);
        expect(owned.monsters.from).toBe(monster);
        expect(owned.placeOffset).toBe(place);
        expect(owned.places).toBeGreaterThanOrEqual(1);
        player = owned.players.to;
        monster = owned.monsters.to;
        place += owned.places;
      }
      expect([player, monster]).toEqual([players, players + monsters]);
    });
  }
});

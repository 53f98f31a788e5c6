import { random } from '../rng.ts';
import { type Benchmark, perCpuSecond, repeating } from './benchmark.ts';

const ENTITIES = 1_000;
const WIDTH = 512;
const CELL = 32;
const COLUMNS = WIDTH / CELL;
/** Entities closer than this see each other. */
const SIGHT = 24;
/** In each tick one entity of so many is told to somebody, as text. */
const TOLD = 8;

interface Entity {
  readonly id: number;
  readonly name: string;
  x: number;
  y: number;
  dx: number;
  dy: number;
  energy: number;
  seen: number;
}

/** The tick of a world server: objects that move, a grid in a Map, neighbours, and messages as JSON. */
function makeWorld(): () => number {
  const next = random(1);
  const entities = Array.from(
    { length: ENTITIES },
    (_, id): Entity => ({
      ...{ id, name: `entity-${id}`, x: next() * WIDTH, y: next() * WIDTH },
      ...{ dx: next() * 4 - 2, dy: next() * 4 - 2, energy: 100, seen: 0 },
    }),
  );
  let ticks = 0;
  let characters = 0;
  return () => {
    const cells = new Map<number, Entity[]>();
    for (const one of entities) {
      one.x += one.dx;
      one.y += one.dy;
      if (one.x < 0 || one.x >= WIDTH) one.dx = -one.dx;
      if (one.y < 0 || one.y >= WIDTH) one.dy = -one.dy;
      const cell = Math.floor(one.x / CELL) + COLUMNS * Math.floor(one.y / CELL);
      const others = cells.get(cell);
      if (others === undefined) cells.set(cell, [one]);
      else others.push(one);
    }
    for (const [cell, own] of cells) {
      const near = [own, cells.get(cell + 1), cells.get(cell + COLUMNS)];
      for (const one of own) {
        one.seen = 0;
        for (const others of near) {
          if (others === undefined) continue;
          for (const other of others) {
            const [x, y] = [one.x - other.x, one.y - other.y];
            if (x * x + y * y < SIGHT * SIGHT) one.seen += 1;
          }
        }
        one.energy += one.seen > 4 ? -1 : 1;
      }
    }
    for (let id = ticks % TOLD; id < entities.length; id += TOLD) {
      const text = JSON.stringify(entities[id]);
      const told = JSON.parse(text) as Entity;
      characters += text.length + told.name.length;
    }
    ticks += 1;
    return characters;
  };
}

/** Ticks of a small world per second of CPU time. */
export const javascript: Benchmark = async (repetition) => {
  const tick = makeWorld();
  let ticks = 0;
  // What the ticks compute is used, so that no compiler leaves it out.
  let used = 0;
  const piece = (): void => {
    used += tick();
    ticks += 1;
  };
  const value = await perCpuSecond(() => ticks, repeating(piece), repetition);
  if (!(used > 0)) throw new Error('the ticks computed nothing');
  return { javascript: value };
};

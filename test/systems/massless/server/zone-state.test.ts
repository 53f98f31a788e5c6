import { expect, test } from 'vitest';
import { openColyseus } from '../../../../src/systems/massless/colyseus.ts';
import type { Colyseus, View } from '../../../../src/systems/massless/server/colyseus.ts';
import { type Presence, zoneStates } from '../../../../src/systems/massless/server/zone-state.ts';
import type { Place, ZoneView } from '../../../../src/systems/massless/wire.ts';

/** What players decode of a room's state, with the encoder and the decoder of Colyseus, and nothing between them. */

const name = '@colyseus/schema';
const schema: Colyseus['schema'] & {
  readonly Encoder: new (
    state: object,
  ) => {
    encode(at: { offset: number }): Uint8Array;
    encodeAll(at: { offset: number }): Uint8Array;
    encodeView(view: View, shared: number, at: { offset: number }): Uint8Array;
    encodeAllView(view: View, shared: number, at: { offset: number }): Uint8Array;
    discardChanges(): void;
  };
  readonly Reflection: { encode(encoder: object): Uint8Array };
} = await import(name);
const colyseus = await openColyseus();

function room(isBanded: boolean) {
  const zone = zoneStates({ schema }, 300)(isBanded, 20);
  const encoder = new schema.Encoder(zone.state);
  const types = schema.Reflection.encode(encoder);
  const joined = Buffer.concat([Buffer.from([10, 0, 6]), Buffer.from('schema'), types]);
  const viewers: { readonly presence: Presence; take(bytes: Uint8Array): void; seen(): Sight }[] = [];
  let tick = 0;
  return {
    zone,
    join(id: number, place: Place) {
      const presence = zone.enter(id, place);
      const decoder = colyseus.openState(joined);
      const at = { offset: 0 };
      const all = encoder.encodeAll(at);
      const { view } = presence;
      const take = (bytes: Uint8Array): void => decoder?.take(Buffer.concat([Buffer.from([15]), bytes]));
      take(Buffer.from(view === undefined ? all : encoder.encodeAllView(view, at.offset, { ...at })));
      const viewer = { presence, take, seen: () => sightOf(decoder?.state ?? {}) };
      viewers.push(viewer);
      return viewer;
    },
    leave(viewer: { readonly presence: Presence }) {
      zone.leave(viewer.presence);
      viewers.splice(
        viewers.findIndex(({ presence }) => presence === viewer.presence),
        1,
      );
    },
    tick() {
      tick += 1;
      zone.write(tick);
      const at = { offset: 0 };
      const shared = Buffer.from(encoder.encode(at));
      const { offset } = at;
      for (const { presence, take } of viewers)
        take(presence.view === undefined ? shared : encoder.encodeView(presence.view, offset, at));
      encoder.discardChanges();
    },
  };
}

type Sight = Readonly<Record<'near' | 'mid' | 'far', Readonly<Record<string, number>>>>;
const sightOf = (state: Partial<ZoneView>): Sight => {
  const xs = (places: ZoneView['near'] | undefined) =>
    Object.fromEntries([...(places ?? [])].map(([id, { x }]) => [id, x]));
  return { near: xs(state.near), mid: xs(state.mid), far: xs(state.far) };
};
const at = (x: number): Place => ({ x, z: 0 });

test('each player sees who is within its bands, and nobody else', () => {
  const { join, tick } = room(true);
  const viewer = join(1, at(0));
  for (const x of [20, 40, 90, 150]) join(x, at(x));
  tick();
  expect(viewer.seen()).toEqual({ near: { 1: 0, 20: 20 }, mid: { 40: 40 }, far: { 90: 90 } });
});

test('a farther band changes more seldom', () => {
  const { zone, join, tick } = room(true);
  const viewer = join(1, at(0));
  const others = [20, 40, 90].map((x) => join(x, at(x)));
  // Changes of 5 ticks: near 5, mid 2, far 1.
  const seen: Sight[] = [];
  for (let i = 1; i <= 5; i++) {
    for (const [n, { presence }] of others.entries()) zone.move(presence, at([20, 40, 90][n]! + i));
    tick();
    seen.push(viewer.seen());
  }
  expect(seen.map(({ near }) => near[20])).toEqual([21, 22, 23, 24, 25]);
  expect(seen.map(({ mid }) => mid[40])).toEqual([40, 42, 42, 44, 44]);
  expect(seen.map(({ far }) => far[90])).toEqual([90, 90, 90, 90, 95]);
});

test('who crosses from band to band, leaves and comes back is where it should be for all', () => {
  const { zone, join, leave, tick } = room(true);
  const viewer = join(1, at(0));
  let other = join(2, at(0));
  tick();
  for (const [x, band] of [
    [30, 'mid'],
    [10, 'near'],
    [120, null],
    [80, 'far'],
    [26, 'mid'],
    [5, 'near'],
  ] as const) {
    zone.move(other.presence, at(x));
    // Long enough for each band.
    for (let i = 0; i < 5; i++) tick();
    const expected: Record<string, object> = { near: { 1: 0 }, mid: {}, far: {} };
    if (band !== null) expected[band] = { ...expected[band], 2: x };
    expect(viewer.seen()).toEqual(expected);
    expect(other.seen().near[2]).toBe(x);
  }
  leave(other);
  tick();
  expect(viewer.seen()).toEqual({ near: { 1: 0 }, mid: {}, far: {} });
  other = join(2, at(40));
  tick();
  expect(viewer.seen().mid).toEqual({ 2: 40 });
  // Within one tick.
  leave(other);
  other = join(2, at(6));
  tick();
  expect(viewer.seen()).toEqual({ near: { 1: 0, 2: 6 }, mid: {}, far: {} });
  expect(other.seen()).toEqual({ near: { 1: 0, 2: 6 }, mid: {}, far: {} });
});

test('without interest everybody sees everybody', () => {
  const { zone, join, tick } = room(false);
  const viewers = [0, 150, 250].map((x, i) => join(i, at(x)));
  tick();
  zone.move(viewers[2]!.presence, at(251));
  tick();
  for (const viewer of viewers)
    expect(viewer.seen()).toEqual({ near: { 0: 0, 1: 150, 2: 251 }, mid: {}, far: {} });
});

test('hundreds who come at once are all seen by all: nothing is cut off', () => {
  const { join, tick } = room(true);
  const players = Array.from({ length: 300 }, (_, i) => join(i, { x: 1 + (i % 5), z: 1 }));
  tick();
  for (const one of players) expect(Object.keys(one.seen().near)).toHaveLength(300);
});

import { expect, test } from 'vitest';
import type { Demand } from '../../src/model/demand.ts';
import {
  coresOf,
  currencyOf,
  type SizingFacts,
  type SizingQuestion,
  sizeTiers,
} from '../../src/model/sizing.ts';
import type { Tier } from '../../src/model/tier.ts';

const GB = 2 ** 30;

const line = (perUnit: number) => ({ base: 0, perUnit, from: 100, to: 400, points: 3, relativeError: 0 });
const demand: Demand = {
  ...{ cpu: line(0.001), busiestServer: null, memory: line(1e6), components: {} },
  ...{ cpuGrowth: null, bytesToPlayer: 2_000, bytesByPlayers: null, bytesFromPlayer: 100, largest: 800 },
};
const facts: SizingFacts = {
  demand,
  bounds: [{ cpus: 2, speed: 1, lastPass: 1_600, firstFail: 1_680 }],
  emulated: new Map(),
  speeds: new Map(),
};
const question: SizingQuestion = {
  ...{ players: 300, headroomPercent: 0, averagePercent: 100, currency: null, rates: {}, budget: null },
  today: '2026-11-30',
};
const tier = (id: string, of: Partial<Tier> = {}): Tier => ({
  ...{ id, provider: 'p', cpus: 2, arch: 'x64', kind: 'shared', baselinePercent: null, memoryBytes: 4 * GB },
  ...{ diskBytes: null, trafficBytes: 'unlimited', trafficPerGB: null, remark: null },
  ...{ price: { amount: 10, currency: 'EUR', read: '2026-11-01', source: null, orderable: null } },
  ...of,
});
const costing = (amount: number, of: Partial<NonNullable<Tier['price']>> = {}): Pick<Tier, 'price'> => ({
  price: { amount, currency: 'EUR', read: '2026-11-01', source: null, orderable: null, ...of },
});
const size = (tiers: readonly Tier[], of: Partial<SizingQuestion> = {}, known: Partial<SizingFacts> = {}) =>
  sizeTiers(tiers, { ...question, ...of }, 'EUR', { ...facts, ...known });
const ids = (of: readonly { readonly tier: Tier }[]): readonly string[] => of.map(({ tier: { id } }) => id);

test('the cheapest that holds everybody comes first, and several machines come after', () => {
  const tiers = [
    tier('dear', costing(40)),
    tier('small', { ...costing(2), cpus: 1, memoryBytes: GB / 2 }),
    tier('cheap', costing(9)),
  ];
  const { fits, several, leftOut } = size(tiers, { players: 500 });
  expect(ids(fits)).toEqual(['cheap', 'dear']);
  expect(ids(several)).toEqual(['small']);
  expect(leftOut).toEqual([]);
  const [small] = several;
  // 512 MB less 256 MB for the system, at 1 MB a player.
  expect(small).toMatchObject({ players: 268, boxes: 2, price: 4, cost: 4 });
  expect(fits[0]).toMatchObject({ boxes: 1, cost: 9, perThousandPlayers: 18, age: 29 });
});

test.each([
  ['no price', { price: null }],
  ['undated price', costing(5, { read: null })],
  ['price over a year old', costing(5, { read: '2025-11-29' })],
  ['not orderable', costing(5, { orderable: false })],
  ['another currency', costing(5, { currency: 'USD' })],
  ['unknown baseline', { kind: 'burstable' }],
  ['holds nobody', { memoryBytes: GB / 4 }],
] as const)('left out: %s', (because, of) => {
  expect(size([tier('a', of)])).toMatchObject({ fits: [], several: [], leftOut: [{ because }] });
});

test('a price of exactly a year is ranked, and one that is older than 90 days is counted', () => {
  const { fits, old } = size([
    tier('a', costing(5, { read: '2025-11-30' })),
    tier('b'),
    tier('c', costing(5, { read: '2026-09-01' })),
  ]);
  expect(fits).toHaveLength(3);
  expect(old).toBe(1);
  expect(size([tier('c', costing(5, { read: '2026-08-31' }))]).old).toBe(1);
});

test('headroom stays free', () => {
  const [all] = size([tier('a')], { players: 100 }).fits;
  const [some] = size([tier('a')], { players: 100, headroomPercent: 30 }).fits;
  expect(some?.players).toBe(Math.floor((all?.capacity.low ?? 0) * 0.7));
});

test('a burstable machine has its baseline in the long run', () => {
  expect(coresOf(tier('a', { kind: 'burstable', baselinePercent: 20 }))).toBeCloseTo(0.4, 12);
  const [burst] = size([tier('a', { kind: 'burstable', baselinePercent: 20 })], { players: 100 }).fits;
  const [whole] = size([tier('a')], { players: 100 }).fits;
  expect(burst?.capacity.low).toBeLessThan(0.25 * (whole?.capacity.low ?? 0));
});

test('prices are compared in one currency, at the rate that is given', () => {
  const tiers = [tier('euro', costing(10)), tier('dollar', costing(10, { currency: 'USD' }))];
  expect(currencyOf(tiers, null)).toBeNull();
  expect(currencyOf(tiers, 'EUR')).toBe('EUR');
  expect(currencyOf([tiers[0] as Tier], null)).toBe('EUR');
  const { fits } = size(tiers, { rates: { USD: 0.9 } });
  expect(fits.map(({ tier: { id }, cost }) => [id, cost])).toEqual([
    ['dollar', 9],
    ['euro', 10],
  ]);
});

test('a budget leaves out what costs more', () => {
  const { fits, leftOut } = size([tier('a', costing(9)), tier('b', costing(30))], { budget: 25 });
  expect(ids(fits)).toEqual(['a']);
  expect(leftOut).toMatchObject([{ tier: { id: 'b' }, because: 'over the budget' }]);
});

test('traffic beyond the allowance is paid for', () => {
  // 2,000 bytes a second and player, 300 players, 730 hours: 1.5768 x 10^12 bytes.
  const [one] = size([tier('a', { trafficBytes: 1e12, trafficPerGB: 0.01 })]).fits;
  expect(one?.traffic).toEqual({ bytes: 1.5768e12, beyondBytes: 0.5768e12, cost: expect.closeTo(5.768, 9) });
  expect(one?.cost).toBeCloseTo(15.768, 9);
  const [half] = size([tier('a', { trafficBytes: 1e12, trafficPerGB: 0.01 })], { averagePercent: 50 }).fits;
  expect(half).toMatchObject({ cost: 10, traffic: { beyondBytes: 0 } });
  // Dollars a GB are changed as the price is.
  const dollars = tier('a', { ...costing(10, { currency: 'USD' }), trafficBytes: 1e12, trafficPerGB: 0.01 });
  expect(size([dollars], { rates: { USD: 0.5 } }).fits[0]?.cost).toBeCloseTo(5 + 2.884, 9);
});

test('a tier of unknown traffic costs comes after those of known costs', () => {
  const { fits } = size([tier('unknown', { ...costing(1), trafficBytes: 1e12 }), tier('known', costing(50))]);
  expect(fits.map(({ tier: { id }, cost }) => [id, cost])).toEqual([
    ['known', 50],
    ['unknown', null],
  ]);
});

const emulating = { lastPass: 777, firstFail: 800, of: null };
const asOther = { id: 'a', cpus: 8, kind: 'shared', baselinePercent: null, memoryBytes: 4 * GB };

test.each([
  ['what it found', [emulating], 1, ['emulated', 777, 800]],
  [
    'all of them, where there are several',
    [
      { ...emulating, lastPass: 700 },
      { ...emulating, firstFail: 900 },
    ],
    1,
    ['emulated', 700, 900],
  ],
  [
    'what it found, where the tier is as it was',
    [{ ...emulating, of: { ...asOther, cpus: 2 } }],
    1,
    ['emulated', 777, 800],
  ],
  [
    'nothing, where the tier was another one of that name',
    [{ ...emulating, of: asOther }],
    1,
    ['bounds only'],
  ],
  ['nothing, where its cores are known to be slower', [emulating], 0.8, ['bounds only']],
  ['at least that, where they are faster', [emulating], 1.2, ['emulated', 777, 800]],
] as const)('a search that was confined to a tier says %s', (_, bounds, speed, [label, low, high]) => {
  const known = { emulated: new Map([['a', bounds]]), speeds: new Map([['a', speed]]) };
  expect(size([tier('a')], {}, known).fits[0]?.capacity).toMatchObject({
    label,
    ...(low === undefined ? {} : { low, high }),
  });
});

test.each([
  [10, 90, 1],
  [50, 90, 5],
  [100, 30, 70],
  [1_000, 33.3, 667],
  [777, 0, 777],
  [999, 95, 49],
])('of %d players, %d%% of the machine free leaves %d', (lastPass, headroomPercent, players) => {
  const emulated = new Map([['a', [{ lastPass, firstFail: lastPass, of: null }]]]);
  expect(size([tier('a')], { players: 1, headroomPercent }, { emulated }).fits[0]?.players).toBe(players);
});

test.each([
  [8.4, 25.2, 3],
  [0.1, 0.3, 3],
  [8.4, 25.19, null],
])('three machines of %d fit into a budget of %d: %s', (amount, budget, boxes) => {
  const emulated = new Map([['a', [{ lastPass: 100, firstFail: 105, of: null }]]]);
  const { several } = size([tier('a', costing(amount))], { players: 300, budget }, { emulated });
  expect(several[0]?.boxes ?? null).toBe(boxes);
});

test('what each receives where everybody hears everybody is that of the machine on which it is', () => {
  const emulated = new Map([['a', [{ lastPass: 100, firstFail: 105, of: null }]]]);
  const hearing = { ...demand, bytesByPlayers: line(20) };
  const known = { emulated, demand: hearing };
  // 50 on each of two machines: 1,000 bytes a second for each, 730 hours; at half of the peak on average a quarter of it.
  const [two] = size([tier('a')], { players: 100, headroomPercent: 50 }, known).several;
  expect(two).toMatchObject({ boxes: 2, traffic: { bytes: 1_000 * 100 * 730 * 3_600 } });
  const [one] = size([tier('a')], { players: 100 }, known).fits;
  expect(one?.traffic.bytes).toBe(2 * (two?.traffic.bytes ?? 0));
  const [half] = size([tier('a')], { players: 100, averagePercent: 50 }, known).fits;
  expect(half?.traffic.bytes).toBe((one?.traffic.bytes ?? 0) / 4);
});

test('several machines and their traffic, by hand', () => {
  // 300 players, 100 on each: 3 x 20 + (1,576.8 GB - 3 x 400 GB) x 0.05 = 78.84 dollars; at 0.9 of a euro 70.956.
  const dollars = tier('a', {
    ...costing(20, { currency: 'USD' }),
    ...{ trafficBytes: 4e11, trafficPerGB: 0.05 },
  });
  const emulated = new Map([['a', [{ lastPass: 143, firstFail: 150, of: null }]]]);
  const asked = { headroomPercent: 30, rates: { USD: 0.9 } };
  const [one] = size([dollars], asked, { emulated }).several;
  expect(one).toMatchObject({ players: 100, boxes: 3, price: 54 });
  expect(one?.cost).toBeCloseTo(70.956, 9);
  expect(one?.perThousandPlayers).toBeCloseTo(236.52, 9);
});

test('a price that was read where it is tomorrow already is not of negative age', () => {
  expect(size([tier('a', costing(5, { read: '2026-12-01' }))]).fits[0]?.age).toBe(0);
});

test('scores of a tier count', () => {
  const speeds = new Map([['a', 0.5]]);
  const [slow] = size([tier('a')], { players: 100 }, { speeds }).fits;
  const [same] = size([tier('a')], { players: 100 }).fits;
  expect(slow?.capacity.low).toBeLessThan(0.6 * (same?.capacity.low ?? 0));
});

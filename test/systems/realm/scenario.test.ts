import { expect, test } from 'vitest';
import { realmComponents, realmSettings } from '../../../src/systems/realm/stack.ts';
import { problemsOf, read, workload, written } from '../../scenario/scenario-text.ts';

const text = (more = ''): string => `name: r\nsystem: realm\nload: { players: 20, duration: 5s }\n${more}`;

test('agents have rates of their own, one world unless there are more, and a bundle can be read again', () => {
  const scenario = read(text());
  expect(scenario.load.operations).toEqual({
    move: { perSecond: 20 },
    chat: { perSecond: 2 },
    emote: { perSecond: 0.4 },
  });
  expect(scenario.world).toMatchObject({
    ...{ servers: 1, updateInterval: 100_000, thinkInterval: 1e6, thinkWork: 300, syncInterval: 5e6 },
    ...{ commandsPerAgentPerSecond: 20, sync: 'on', recover: 'on', broadcast: 'all', interest: 'on' },
  });
  expect(scenario.traits).toMatchObject({
    ...{ keptIn: 'relay', acknowledgesTwice: true, entities: 20, table: null },
    probes: ['world-1', 'realm'],
  });
  expect(workload(scenario)).toMatchObject({
    ...{ entities: 20, deliveries: true, ledger: { timed: true } },
    own: { syncSeconds: 5, isDealt: true },
  });
  expect(read(written(scenario))).toEqual(scenario);
});

test('who meets whom is only known without a proxy, or with one world behind it', () => {
  const isDealt = (more: string) => (workload(read(text(more))).own as { isDealt: boolean }).isDealt;
  expect(isDealt('world: { servers: 3 }\n')).toBe(true);
  expect(isDealt('edge: {}\n')).toBe(true);
  expect(isDealt('world: { servers: 3 }\nedge: {}\n')).toBe(false);
});

test('the worlds come after the relay, and the proxy after the worlds', () => {
  const components = realmComponents(read(text('world: { servers: 2 }\nedge: {}\n')));
  expect(components.map(({ name, after }) => [name, after])).toEqual([
    ['relay', []],
    ['world-1', ['relay']],
    ['world-2', ['relay']],
    ['edge', ['world-1', 'world-2']],
  ]);
  const faults = (of: string) => text(`faults: [{ action: kill, of: ${of}, at: 1s }]\n`);
  expect(read(faults('relay')).faults).toHaveLength(1);
  expect(problemsOf(faults('postgres'))).toHaveLength(1);
});

test('the settings that break a promise are in the report', () => {
  const settings = realmSettings(read(text('world: { broadcast: lossy, sync: off }\n')));
  const applied = new Map(settings.map(({ setting, applied }) => [setting, applied]));
  expect([applied.get('worldBroadcast'), applied.get('worldSync'), applied.get('worldInterest')]).toEqual([
    'lossy',
    'off',
    'on',
  ]);
});

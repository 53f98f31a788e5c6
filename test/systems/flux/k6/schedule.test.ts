import { describe, expect, test } from 'vitest';
import { SCHEDULE_SOURCE } from '../../../../src/export/k6/source/schedule.ts';
import type { Range } from '../../../../src/load/fleet/messages.ts';
import { PlayerPacer } from '../../../../src/load/pacer.ts';
import { ScheduleHash } from '../../../../src/load/schedule-hash.ts';
import { FLUX_SCHEDULE_SOURCE } from '../../../../src/systems/flux/k6/schedule.ts';
import { Lanes, lanesOf, MONSTER_TEXTS } from '../../../../src/systems/flux/monsters/lanes.ts';
import { PostPacer } from '../../../../src/systems/flux/monsters/post-pacer.ts';
import { FluxCodec } from '../../../../src/systems/flux/player.ts';
import { seconds } from '../../../../src/units.ts';
import { partsOf } from '../../../load/k6/script-parts.ts';

interface Config {
  seed: number;
  players: number;
  intentsPerSecondOfAPlayer: number;
  monsters: number;
  lanes: number;
  commandsPerPost: number;
  postsPerSecond: number;
  rampSeconds: number;
  warmUpSeconds: number;
  durationSeconds: number;
}

interface ScriptVoice {
  see(place: { exits?: readonly string[]; present?: readonly number[] }): void;
  hear(event: { actor: number; did: string }): void;
  say(): string;
}

interface Parts {
  playerSchedule(config: Config, player: number): () => number;
  laneSchedule(config: Config, lane: number): () => number;
  laneMonsters(config: Config, lane: number, range: Range): { first: number; size: number };
  laneContent(
    config: Config,
    lane: number,
    own: readonly { first: number; size: number }[],
  ): () => { server: number; places: number[]; texts: string[] };
  playerVoice(config: Config, player: number, catchUp: () => void): ScriptVoice;
  scheduleHash(): {
    add(operation: number, actor: number, sequence: number, due: number): void;
    words(): [number, number];
  };
}

const script = partsOf<Parts>(SCHEDULE_SOURCE + FLUX_SCHEDULE_SOURCE, [
  'playerSchedule',
  'laneSchedule',
  'laneMonsters',
  'laneContent',
  'playerVoice',
  'scheduleHash',
]);

const configWith = (given: Partial<Config>): Config => ({
  seed: 1,
  players: 5,
  intentsPerSecondOfAPlayer: 3,
  monsters: 50,
  lanes: lanesOf(given.monsters ?? 50),
  commandsPerPost: 7,
  postsPerSecond: 40,
  rampSeconds: 2,
  warmUpSeconds: 1,
  durationSeconds: 4,
  ...given,
});

const timelineOf = (config: Config) => ({
  rampEnd: seconds(config.rampSeconds),
  measureStart: seconds(config.rampSeconds + config.warmUpSeconds),
  end: seconds(config.rampSeconds + config.warmUpSeconds + config.durationSeconds),
});

const CASES: readonly (readonly [string, Config])[] = [
  ['a ramp', configWith({})],
  ['no ramp', configWith({ rampSeconds: 0, warmUpSeconds: 0, seed: 99 })],
  [
    'a fractional rate, half a second of ramp',
    configWith({ intentsPerSecondOfAPlayer: 0.37, rampSeconds: 0.5 }),
  ],
  ['a large seed', configWith({ seed: 4294967295, durationSeconds: 20 })],
  ['a negative seed', configWith({ seed: -12, postsPerSecond: 333.3, commandsPerPost: 1 })],
  ['fewer monsters than lanes', configWith({ monsters: 3, seed: 5 })],
  ['nothing to do', configWith({ intentsPerSecondOfAPlayer: 0, postsPerSecond: 0 })],
];

describe.each(CASES)("the script's schedule is the native engine's: %s", (_name, config) => {
  test('each intent is due at the same microsecond', () => {
    const ids = Array.from({ length: config.players }, (_, id) => id * 1009);
    const pacer = new PlayerPacer(config.seed, ids, config.intentsPerSecondOfAPlayer, timelineOf(config));
    let drawn = 0;
    for (const [index, id] of ids.entries()) {
      const next = script.playerSchedule(config, id);
      for (;;) {
        const due = pacer.next(index);
        expect(next()).toBe(due);
        if (due === Number.POSITIVE_INFINITY) break;
        drawn += 1;
      }
    }
    expect(drawn > 0).toBe(config.intentsPerSecondOfAPlayer > 0);
  });

  test('each post is due at the same microsecond, goes to the same server and holds the same', () => {
    const half = Math.ceil(config.monsters / 2);
    const ranges = [
      { from: 0, to: half },
      { from: half, to: config.monsters },
    ];
    const pacer = new PostPacer(
      { ...config, postRate: config.postsPerSecond, timeline: timelineOf(config) },
      { worker: 0, workers: 1 },
    );
    const lanes = new Lanes(config.seed, config.monsters, ranges);
    const theirs = Array.from({ length: config.lanes }, (_, lane) => {
      const own = ranges.map((range) => script.laneMonsters(config, lane, range));
      const content = script.laneContent(config, lane, own);
      return {
        next: script.laneSchedule(config, lane),
        content: () => {
          const { server, places, texts } = content();
          const first = own[server]?.first ?? Number.NaN;
          return { server, monsters: places.map((place) => first + config.lanes * place), texts };
        },
      };
    });
    const monsters = new Int32Array(config.commandsPerPost);
    const texts = new Uint8Array(config.commandsPerPost);
    for (; pacer.due !== Number.POSITIVE_INFINITY; pacer.advance()) {
      const server = lanes.nextServer(pacer.lane);
      lanes.draw(pacer.lane, server, config.commandsPerPost, monsters, texts, 0);
      const own = theirs[pacer.lane];
      expect(own?.next()).toBe(pacer.due);
      expect(own?.content()).toEqual({
        server,
        monsters: [...monsters],
        texts: [...texts].map((text) => MONSTER_TEXTS[text]),
      });
    }
    for (const { next } of theirs) expect(next()).toBe(Number.POSITIVE_INFINITY);
  });
});

test('a player that is told the same says the same', () => {
  const config = configWith({ seed: 31 });
  for (const id of [0, 3, 70_000]) {
    const ours = new FluxCodec(config.seed, [id]);
    const nothing = () => undefined;
    const theirs = script.playerVoice(config, id, nothing);
    const silent = {
      ...{ answered: nothing, stated: nothing, heard: () => true, heardAll: nothing },
      ...{ stray: nothing, carried: nothing, ended: nothing },
    };
    const said = new Set<string>();
    for (let seq = 1; seq <= 400; seq++) {
      const text = theirs.say();
      expect(JSON.parse(ours.encode(0, 0, seq))).toEqual({ seq, text });
      said.add(text.split(' ')[0] ?? '');
      // What it hears depends on the number alone: exits come and go, and so do others.
      const place = {
        exits: ['north', 'east', 'south', 'west'].filter((_exit, bit) => (seq >> bit) & 1),
        present: seq % 3 === 0 ? [] : [seq, 7],
      };
      const event = { actor: seq % 3 === 0 ? 7 : seq, did: seq % 5 === 0 ? 'left' : 'arrived' };
      const heard = ours.decode(
        0,
        JSON.stringify({ acks: [{ seq, ok: true, place: 1, ...place }], events: [event] }),
        silent,
      );
      expect(heard).toBe(true);
      theirs.see(place);
      theirs.hear(event);
    }
    expect([...said].sort()).toEqual(['attack', 'go', 'look', 'say']);
  }
});

test('the same operations have the same hash', () => {
  const ours = new ScheduleHash();
  const theirs = script.scheduleHash();
  for (let n = 1; n < 2000; n++) {
    const operation = n % 2;
    const due = n * 7919 * (n % 3 === 0 ? 1_000_003 : 1);
    ours.add(operation, n % 97, n, due);
    theirs.add(operation, n % 97, n, due);
  }
  expect(theirs.words()).toEqual(ours.words());
});

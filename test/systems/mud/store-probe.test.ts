import { expect, test } from 'vitest';
import {
  CLOCK,
  DIRTY,
  GLOBAL_CHANNEL,
  GLOBAL_KEYS,
  playerKeys,
  roomChannel,
  roomKeys,
  userChannel,
} from '../../../src/systems/mud/server/keys.ts';
import { channelCounts, keyCounts, lifetimesOf } from '../../../src/systems/mud/store-probe.ts';

test('the keys of the servers are those of the document, and two of their own', () => {
  const keys = [
    ...[0, 1, 2].flatMap((player) => Object.values(playerKeys(player))),
    ...[0, 1].flatMap((room) => Object.values(roomKeys(room))),
    ...[...Object.values(GLOBAL_KEYS), CLOCK, DIRTY],
  ];
  expect(keyCounts(keys)).toEqual({
    ...{ playerState: 3, playerLocation: 3, playerSession: 3 },
    ...{ roomState: 2, roomPlayers: 2, roomEvents: 2, global: 4, other: 2 },
  });
  expect(keyCounts(['player:a:state:more', 'rooms:1:state', 'global:more'])).toMatchObject({ other: 3 });
});

test('so are the channels', () => {
  expect(channelCounts([roomChannel(0), roomChannel(1), userChannel(7), GLOBAL_CHANNEL, 'else'])).toEqual({
    ...{ room: 2, user: 1, global: 1, other: 1 },
  });
});

test('a key without expiry lives longer than any other, and one that is gone says nothing', () => {
  const of = (...answers: readonly unknown[]) =>
    Object.fromEntries(lifetimesOf(answers).map(({ series, value }) => [series, value]));
  expect(of(600_000, 571_000, -2)).toEqual({
    ...{ 'mud.shortestTtlSeconds': 571, 'mud.longestTtlSeconds': 600, 'mud.keysWithoutTtl': 0 },
  });
  expect(of(600_000, -1, -1)).toMatchObject({ 'mud.longestTtlSeconds': 1e9, 'mud.keysWithoutTtl': 2 });
  expect(of(-2)).toEqual({});
});

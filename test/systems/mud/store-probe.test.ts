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
import { channelCounts, keyCounts } from '../../../src/systems/mud/store-probe.ts';

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

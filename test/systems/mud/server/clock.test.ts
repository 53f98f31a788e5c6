import { expect, test } from 'vitest';
import { eventsOf } from '../../../../src/systems/mud/server/clock.ts';

test('someone does something every second, in every room in turn; the weather is told to all', () => {
  const rooms = 3;
  const all = Array.from({ length: 30 }, (_, second) => eventsOf(second, rooms));
  for (const events of all) expect(events.map(({ event }) => event.type)).toContain('npc_action');
  const channels = all.flatMap((events) => events.map(({ channel }) => channel));
  expect(new Set(channels)).toEqual(new Set(['room:room-0', 'room:room-1', 'room:room-2', 'global']));
  expect(channels.filter((channel) => channel === 'global')).toHaveLength(3);
  const messages = all.flatMap((events) =>
    events.map(({ event }) => ('message' in event ? event.message : '')),
  );
  expect(new Set(messages.filter((message) => message.startsWith('The weather'))).size).toBe(3);
});

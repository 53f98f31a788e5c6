import { expect, test } from 'vitest';
import { isInSight, MOST_AGENTS, startOf } from '../../../src/systems/realm/area.ts';
import {
  type Command,
  decodeCommand,
  decodeFrame,
  encodeCommand,
  encodeFrame,
  type Frame,
} from '../../../src/systems/realm/wire.ts';

const COMMANDS: readonly Command[] = [
  { type: 'move', seq: 1, x: 40.5, z: -3 },
  { type: 'chat', seq: 2, text: 'hello' },
  { type: 'emote', seq: 3, emote: 'wave' },
];

const FRAMES: readonly Frame[] = [
  { type: 'welcome', world: 1, agent: 0, last: 0, x: 0, z: 99.5 },
  { type: 'snapshot', agents: [[3, 40, 52]] },
  { type: 'update', tick: 1, acks: [7, 8], agents: [[3, 40, 53, 0]], gone: [5] },
  { type: 'ack', seq: 8 },
  { type: 'refused', seq: 9, reason: 'collision' },
  { type: 'chat', from: 0, seq: 26, text: 'hello' },
  { type: 'emote', from: 3, seq: 27, emote: 'bow' },
  { type: 'saved', numbers: [[1, 7]] },
];

/** The frame with each key left out, and with each value replaced; and with one more key. */
function damaged(frame: object): readonly string[] {
  const keys = Object.keys(frame);
  return [
    JSON.stringify({ ...frame, more: 1 }),
    ...keys.flatMap((key) => {
      const { [key]: _, ...rest } = frame as Record<string, unknown>;
      return [
        JSON.stringify(rest),
        JSON.stringify({ ...frame, [key]: {} }),
        JSON.stringify({ ...frame, [key]: [[]] }),
      ];
    }),
  ];
}
const NONE = ['', 'no JSON', 'null', '[]', '7', '{"type":"unknown"}', '{"type":"toString"}'];

test.each(COMMANDS.map((command) => [command.type, command] as const))(
  '%s is a command, and nothing near it',
  (_, command) => {
    expect(decodeCommand(encodeCommand(command))).toEqual(command);
    for (const text of [...damaged(command), ...NONE]) expect(decodeCommand(text), text).toBeNull();
  },
);

test.each(FRAMES.map((frame) => [frame.type, frame] as const))(
  '%s is a frame, and nothing near it',
  (_, frame) => {
    expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
    for (const text of [...damaged(frame), ...NONE]) expect(decodeFrame(text), text).toBeNull();
  },
);

test('spots are multiples of 1/2, numbers count from 1, and a chat has a length', () => {
  for (const wrong of [
    ...[{ x: 0.25 }, { x: '1' }, { z: null }, { z: 1e9 }, { seq: 0 }, { seq: 1.5 }, { seq: 2 ** 31 }].map(
      (own) => ({
        ...{ type: 'move', seq: 1, x: 0, z: 0 },
        ...own,
      }),
    ),
    ...['', 'x'.repeat(281)].map((text) => ({ type: 'chat', seq: 1, text })),
    { type: 'emote', seq: 1, emote: 'fly' },
  ])
    expect(decodeCommand(JSON.stringify(wrong)), JSON.stringify(wrong)).toBeNull();
});

test('each agent begins at another spot, and neighbours in number are no neighbours', () => {
  const starts = Array.from({ length: MOST_AGENTS }, (_, agent) => startOf(agent));
  expect(new Set(starts.map(({ x, z }) => `${x} ${z}`)).size).toBe(MOST_AGENTS);
  expect(starts.every(({ x, z }) => x >= 0 && x < 100 && z >= 0 && z < 100)).toBe(true);
  // Of fifty agents some see each other, and some do not.
  const pairs = starts
    .slice(0, 50)
    .flatMap((one, i) => starts.slice(0, i).map((other) => isInSight(one, other)));
  const share = pairs.filter(Boolean).length / pairs.length;
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.7);
});

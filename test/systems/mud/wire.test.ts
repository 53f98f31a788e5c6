import { expect, test } from 'vitest';
import {
  decodeCommand,
  decodeFrame,
  encodeCommand,
  encodeFrame,
  type Frame,
} from '../../../src/systems/mud/wire.ts';

test('a command is type, command and id, and nothing else', () => {
  const text = encodeCommand({ command: 'look', number: 12 });
  expect(JSON.parse(text)).toEqual({ type: 'command', command: 'look', id: '12' });
  expect(decodeCommand(text)).toEqual({ command: 'look', number: 12 });
  for (const wrong of [
    ...['', '[]', 'null', '{"type":"command","command":"look"}', '{"type":"say","command":"look","id":"1"}'],
    ...['{"type":"command","command":"look","id":1}', '{"type":"command","command":"look","id":"0"}'],
    '{"type":"command","command":"look","id":"1","more":true}',
    JSON.stringify({ type: 'command', command: 'x'.repeat(501), id: '1' }),
  ]) {
    expect(decodeCommand(wrong), wrong).toBeNull();
  }
});

const FRAMES: readonly Frame[] = [
  { type: 'connected', last: 0 },
  { type: 'response', id: '3', messages: ['You are alone.'] },
  { type: 'saved', from: '1', id: '3' },
  { type: 'error', id: '3', code: 'rate_limited', message: 'You type too fast.' },
  { type: 'room_message', room_id: 'room-1', message: 'player-2 says: hi', message_type: 'chat' },
];

test.each(FRAMES.map((frame) => [frame.type, frame] as const))('%s is read as it was written', (_, frame) => {
  expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
});

test('a frame with a key too few or too many, or a value of another type, is none', () => {
  for (const frame of FRAMES) {
    const keys = Object.keys(frame).filter((key) => key !== 'type');
    expect(decodeFrame(JSON.stringify({ ...frame, more: 1 }))).toBeNull();
    for (const key of keys) {
      const { [key]: _, ...rest } = frame as unknown as Record<string, unknown>;
      expect(decodeFrame(JSON.stringify(rest)), key).toBeNull();
      expect(decodeFrame(JSON.stringify({ ...frame, [key]: {} })), key).toBeNull();
    }
  }
  expect(decodeFrame('{"type":"unknown"}')).toBeNull();
  expect(decodeFrame('no JSON')).toBeNull();
});
